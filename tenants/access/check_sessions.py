"""Look after sessions that ought not to be open: what began while an operation was booked, or through another host.

A login is decided before its Start comes, so a session may begin that nobody could ask the router about: the account
was disabled, put on hold, closed or ended in between, its quota was used up by the report of another session, or the
other device had not begun yet. And a router may have lost a Disconnect. So what is open is compared with what the
accounts are now; what should not be there is asked to end. Work over all tenants of a cell; safe to run twice and at
once with anything: a session is asked about once an hour.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, func, select, text
from sqlalchemy.orm import Session as DatabaseSession

from tenants.access.ask_routers import DISCONNECT
from tenants.access.rules import RENEWAL_GRACE_SECONDS, STATE_ACTIVE, STATE_DISABLED, STATE_HELD
from tenants.access.session_request import facts_sql
from tenants.access.too_many_sql import TOGETHER_SECONDS, too_many_sql
from tenants.access.used_up_sql import used_up_sql
from tenants.usage.close_stale import Silence
from tenants.usage.models import Session as OnlineSession

LATELY: Final = timedelta(minutes=5)  # what began before was looked at then
_AGAIN_AFTER: Final = timedelta(hours=1)
# Its ordinary Disconnect goes out at that instant, and the router's own time-out may come a moment later.
_AFTER_THE_END: Final = timedelta(minutes=1)
# From a login to its Start. A session that began after its account's end was led to the place for expired ones, unless
# the end was moved into the past while it dialled.
_BEFORE_BOOKING, _AFTER_BOOKING = timedelta(seconds=5), timedelta(minutes=1)

# Sessions of accounts that are not in the read model any more are of closed and deleted ones; those of names that no
# account ever had (account 0: users kept on the router itself) are none of ours.
_ENDS: Final = f"u.valid_until + CASE WHEN u.renews THEN make_interval(secs => {RENEWAL_GRACE_SECONDS}) ELSE '0' END"
# Whose quota is used up is slowed down, where the plan says so: a session that begins later is slow from its login on,
# so only those matter that began about when the quota ended, of which these rows tell.
_SLOWED: Final = f"""u.throttle_profile_id IS NOT NULL AND s.started_at > :lately AND EXISTS (
      SELECT FROM work.outbox w WHERE w.tenant_id = s.tenant_id AND w.topic IN ('account.quota', 'radius.coa')
        AND w.subject = 'account:' || s.account_id
        AND (w.payload ->> 'percent' = '100' OR w.payload ->> 'reason' = 'quota')
        AND w.created_at BETWEEN s.started_at - interval '{TOGETHER_SECONDS} seconds' AND s.started_at
          + interval '5 seconds')"""
_UNINVITED: Final = f"""
SELECT s.tenant_id, s.account_id, s.nas_id, s.session_id, s.username, host(s.framed_ip) AS framed_ip, s.mac,
  CASE WHEN u.account_id IS NULL THEN 'closed' WHEN u.state = {STATE_DISABLED} THEN 'disabled'
    WHEN u.state = {STATE_HELD} THEN 'held' WHEN u.activated AND {_ENDS} < :over THEN 'expired' ELSE 'quota'
    END AS reason,
  CASE WHEN u.state = {STATE_ACTIVE} AND {_ENDS} >= :now AND NOT u.quota_cut THEN 'radius.coa' ELSE 'radius.disconnect'
    END AS topic
FROM aaa.session s
JOIN unnest(CAST(:tenants AS int[]), CAST(:days AS date[])) AS today (tenant_id, day) ON today.tenant_id = s.tenant_id
LEFT JOIN aaa.subscriber u ON u.tenant_id = s.tenant_id AND u.account_id = s.account_id
LEFT JOIN aaa.quota_use q ON u.quota_kind > 0 AND q.tenant_id = u.tenant_id AND q.account_id = u.account_id
WHERE s.account_id > 0 AND s.started_at > :begun_after
  AND (u.account_id IS NULL OR u.state <> {STATE_ACTIVE} OR (
    u.activated AND (s.started_at < u.valid_until
      OR s.started_at BETWEEN u.updated_at - CAST(:before_booking AS interval)
        AND u.updated_at + CAST(:after_booking AS interval))
    AND {_ENDS} < :over)
  OR (u.quota_kind > 0 AND u.activated AND {_ENDS} >= :now AND {used_up_sql("today.day")}
    AND (u.quota_cut OR {_SLOWED})))
ORDER BY 1, 2, 3, 4, 5
"""  # noqa: S608  only our own numbers
_BEGUN: Final = """
  SELECT DISTINCT s.tenant_id, s.account_id, :now - make_interval(secs => limits.seconds) AS alive_after
  FROM aaa.session s JOIN unnest(CAST(:tenants AS int[]), CAST(:seconds AS int[])) AS limits (tenant_id, seconds)
    ON limits.tenant_id = s.tenant_id
  WHERE s.started_at > :begun_after AND s.account_id > 0 AND EXISTS (SELECT FROM aaa.session o
    WHERE o.tenant_id = s.tenant_id AND o.account_id = s.account_id
      AND (o.session_id <> s.session_id OR o.nas_id <> s.nas_id))"""
_OWN: Final = """
  SELECT routers.nas_id, :now - make_interval(secs => routers.seconds) AS alive_after
  FROM unnest(CAST(:routers AS int[]), CAST(:own_seconds AS int[])) AS routers (nas_id, seconds)"""
_TOO_MANY: Final = too_many_sql(_BEGUN, _OWN, just_begun_seconds=int(LATELY.total_seconds()))
# The account's requests of the last hour, whatever became of them, by the index on (tenant, topic, subject).
_ASK: Final = f"""
INSERT INTO work.outbox (tenant_id, topic, subject, payload)
SELECT s.tenant_id, CAST(:topic AS text), :subject, jsonb_build_object({facts_sql("s")},
  'reason', CAST(:reason AS text))
FROM aaa.session s
WHERE s.tenant_id = :tenant_id AND s.nas_id = :nas_id AND s.session_id = CAST(:session_id AS text) COLLATE "C"
  AND s.username = CAST(:username AS text) COLLATE "C" AND NOT EXISTS (
    SELECT FROM work.outbox w WHERE w.tenant_id = :tenant_id AND w.topic = CAST(:topic AS text) AND w.subject = :subject
      AND (CAST(:topic AS text) = 'radius.disconnect' OR w.payload ->> 'reason' = CAST(:reason AS text))
      AND (w.state IN ('waiting', 'taken') OR w.created_at > :not_since)
      AND w.payload ->> 'session_id' = s.session_id AND CAST(w.payload ->> 'nas_id' AS int) = s.nas_id)
RETURNING id
"""  # noqa: S608  only our own columns


def end_uninvited(session: DatabaseSession, days: Mapping[int, date], *, begun_after: datetime, now: datetime) -> int:
    """Ask for the end of open sessions whose account may not connect (any more), or for its slower speed; gives how
    many were asked about. ``days``: tenant → the day of its calendar."""
    values = {
        "tenants": list(days),
        "days": list(days.values()),
        "now": now,
        "lately": now - LATELY,
        "begun_after": begun_after,
        "over": now - _AFTER_THE_END,
        "before_booking": _BEFORE_BOOKING,
        "after_booking": _AFTER_BOOKING,
    }
    return _ask(session, session.execute(text(_UNINVITED), values).all(), now)


def end_too_many(session: DatabaseSession, silence: Silence, *, now: datetime) -> int:
    """Ask for the end of devices that began lately, together with others, beyond what their account may have.

    A session that was silent for longer than ``silence`` does not count. Gives how many were asked about.
    """
    values = {
        "tenants": list(silence.of_tenants),
        "seconds": list(silence.of_tenants.values()),
        "routers": list(silence.of_routers),
        "own_seconds": list(silence.of_routers.values()),
        "begun_after": now - LATELY,
        "now": now,
    }
    return _ask(session, session.execute(text(_TOO_MANY), values).all(), now)


def begun_by_nobody(session: DatabaseSession, *, begun_after: datetime) -> dict[int, list[str]]:
    """The names of sessions whose account the cluster does not know, by tenant."""
    names = func.array_agg(OnlineSession.username.distinct())
    rows = (
        select(OnlineSession.tenant_id, names)
        .where(OnlineSession.account_id == 0, OnlineSession.started_at > begun_after)
        .group_by(OnlineSession.tenant_id)
    )
    return {tenant_id: list(usernames) for tenant_id, usernames in session.execute(rows)}


def _ask(session: DatabaseSession, found: Sequence[Row[Any]], now: datetime) -> int:
    asked = 0
    for row in found:  # few at any time
        values: dict[str, Any] = {"reason": "too_many_sessions", "topic": DISCONNECT, **row._mapping}
        values |= {"subject": f"account:{row.account_id}", "not_since": now - _AGAIN_AFTER}
        asked += len(session.execute(text(_ASK), values).all())
    if asked:
        session.execute(text("SELECT pg_notify('broadloom_outbox', 'radius')"))
    return asked
