"""The outbox as the CoA engine sees it: claim rows, write results. Rows that a dead process had taken come back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from radius_cluster.process.special_login import quota_left
from radius_cluster.routing.directory import TenantEntry
from tenants.access.rules import is_over
from tenants.access.session_request import in_place_sql

DISCONNECT: Final = "radius.disconnect"
CHANGE: Final = "radius.coa"
END_MOVED: Final = "end_moved"  # the reason of a change that moves a session's end, and nothing else
_TAKEN_TOO_LONG_SECONDS: Final = 60

# As many of either topic: a plan's new speed for thousands of sessions keeps no Disconnect waiting.
_CLAIM: Final = """
WITH cut AS (SELECT id FROM work.outbox WHERE state = 'waiting' AND topic = 'radius.disconnect'
    AND available_at <= now() ORDER BY available_at LIMIT ($1 + 1) / 2 FOR UPDATE SKIP LOCKED),
  change AS (SELECT id FROM work.outbox WHERE state = 'waiting' AND topic = 'radius.coa'
    AND available_at <= now() ORDER BY available_at LIMIT ($1 + 1) / 2 FOR UPDATE SKIP LOCKED)
UPDATE work.outbox SET state = 'taken', taken_at = now(), attempts = attempts + 1
WHERE id = ANY(ARRAY(SELECT id FROM cut UNION ALL SELECT id FROM change))
RETURNING id, tenant_id, topic, attempts, payload::text
"""
_KEEP: Final = """
UPDATE work.outbox SET taken_at = now()
WHERE id = ANY($1::bigint[]) AND state = 'taken' AND taken_at < now() - make_interval(secs => $2)
"""
_RELEASE: Final = """
UPDATE work.outbox SET state = 'waiting' WHERE topic IN ('radius.disconnect', 'radius.coa') AND state = 'taken'
  AND taken_at < now() - make_interval(secs => $1)
"""
_GIVE_BACK: Final = "UPDATE work.outbox SET state = 'waiting' WHERE id = ANY($1::bigint[]) AND state = 'taken'"
_PUT_OFF: Final = """
UPDATE work.outbox SET state = 'waiting', available_at = now() + interval '1 second'
WHERE id = ANY($1::bigint[]) AND state = 'taken'
"""
_SEND_AWAY: Final = """
UPDATE work.outbox o SET state = 'waiting', attempts = o.attempts - 1,
  available_at = now() + make_interval(secs => q.seconds)
FROM unnest($1::bigint[], $2::float8[]) AS q(id, seconds) WHERE o.id = q.id AND o.state = 'taken'
"""
_FINISH: Final = """
UPDATE work.outbox o SET state = q.state, result = q.result, finished_at = now()
FROM unnest($1::bigint[], $2::text[], $3::text[]) AS q(id, state, result) WHERE o.id = q.id
"""
# An acknowledged session that goes on reporting raises an alert (daloradius#463): what it is compared with.
_CUT: Final = """
UPDATE aaa.session s SET cut_requested_at = now(), cut_failed = NULL
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[]) AS q(tenant, nas, session, username)
WHERE s.tenant_id = q.tenant AND s.nas_id = q.nas AND s.session_id = q.session COLLATE "C"
  AND s.username = q.username COLLATE "C"
"""
# One that its router would not end, or said nothing about, is marked in the list of who is online.
_NOT_CUT: Final = """
UPDATE aaa.session s SET cut_failed = q.state
FROM unnest($1::int[], $2::int[], $3::text[], $4::text[], $5::text[]) AS q(tenant, nas, session, username, state)
WHERE s.tenant_id = q.tenant AND s.nas_id = q.nas AND s.session_id = q.session COLLATE "C"
  AND s.username = q.username COLLATE "C"
"""
# The router knows no such session: it ended without our hearing of it. Should it report again, it re-opens. Where its
# Stop is being stored at this very moment, that has closed it; where another report is, it closes with what that says.
_GONE: Final = """
WITH locked AS MATERIALIZED (
  SELECT s FROM unnest($1::int[], $2::int[], $3::text[], $4::text[]) AS q(tenant, nas, session, username)
  JOIN aaa.session s ON s.tenant_id = q.tenant AND s.nas_id = q.nas AND s.session_id = q.session COLLATE "C"
    AND s.username = q.username COLLATE "C" FOR UPDATE OF s)
SELECT aaa.close_session(s, GREATEST((s).updated_at, (s).started_at), 100::smallint) FROM locked
"""
# With what an account with a quota has used, in the form that special_login reads.
_RATE_OF: Final = f"""
SELECT profile_id, quota_cut, throttle_profile_id, date_part('epoch', valid_until) AS valid_until, renews, activated,
  (SELECT {in_place_sql("s")} FROM aaa.session s WHERE s.tenant_id = $1 AND s.nas_id = $3 AND s.session_id = $4
    AND s.username = $5) AS led, CASE WHEN quota_kind = 0 THEN NULL
  ELSE (to_jsonb(u) - 'password_sealed'::text || jsonb_build_object('use', (SELECT to_jsonb(c) FROM aaa.quota_use c
    WHERE c.tenant_id = u.tenant_id AND c.account_id = u.account_id)))::text END AS quota
FROM aaa.subscriber u WHERE tenant_id = $1 AND account_id = $2
"""  # noqa: S608  only our own columns
# The session's changes of service before this one, the newest first.
_SERVICES_BEFORE: Final = """
SELECT w.state, w.payload ->> 'previous_service' FROM work.outbox w
WHERE w.tenant_id = $1 AND w.topic = 'radius.coa' AND w.subject = $2 AND w.id < $3
  AND w.payload ->> 'session_id' = $4 AND (w.payload ->> 'nas_id')::int = $5 AND w.payload ? 'previous_service'
ORDER BY w.id DESC LIMIT 20
"""
_PORT: Final = """
SELECT COALESCE(nas_port_id, ''), nas_port FROM aaa.session
WHERE tenant_id = $1 AND nas_id = $2 AND session_id = $3 AND username = $4
"""
_LAST_SOURCES: Final = "SELECT id, last_source FROM registry.nas WHERE id = ANY($1::int[])"


@dataclass(frozen=True, slots=True)
class Wish:
    """One outbox row: what a router is to be asked."""

    id: int
    tenant_id: int
    topic: str
    nas_id: int
    session_id: str
    username: str
    framed_ip: str
    mac: str
    account_id: int
    cell: str
    attempts: int  # how often the row was taken, this time included
    reason: str = ""
    # The router's service that the session had; "" for none, None where it is not another now.
    previous_service: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Its cell and the row: each cell's database counts for itself."""
        return self.cell, self.id


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a wish ended: state done, refused or unanswered, and why."""

    wish: Wish
    state: str
    result: str
    session_is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Rate:
    """An account's profile, the rate profile that it has for now instead, and whether its sessions end: no quota.

    ``over``: the account is, so its session is in the place for such; ``led``: to the one for those that end soon.
    """

    profile_id: int
    instead_id: int | None = None
    ends: bool = False
    over: bool = False
    led: bool = False


async def claim(connection: Any, cell: str, most: int) -> list[Wish]:
    """Take up to ``most`` waiting rows, the oldest first; two engines never take the same."""
    rows = await connection.fetch(_CLAIM, most)
    return [_wish(row, cell) for row in sorted(rows, key=itemgetter("id"))]


async def release_stuck(connection: Any, ours: Iterable[int]) -> None:
    """Put rows back that a dead process had taken. ``ours`` are kept: thousands may wait here for the turn of a router
    that wants a few a second, and would be sent again and again."""
    await connection.execute(_KEEP, list(ours), _TAKEN_TOO_LONG_SECONDS / 2)
    await connection.execute(_RELEASE, _TAKEN_TOO_LONG_SECONDS)


async def give_back(connection: Any, wishes: Iterable[Wish]) -> None:
    """Put rows back that this process will not get to."""
    await connection.execute(_GIVE_BACK, [wish.id for wish in wishes])


async def put_off(connection: Any, wishes: Iterable[Wish]) -> None:
    """Put rows back for a second: what they lack is about to come."""
    await connection.execute(_PUT_OFF, [wish.id for wish in wishes])


async def send_away(connection: Any, waits: Sequence[tuple[Wish, float]]) -> None:
    """Put rows back until their router's turn, each with its seconds: that is no try."""
    await connection.execute(_SEND_AWAY, [wish.id for wish, _ in waits], [seconds for _, seconds in waits])


async def finish(connection: Any, outcomes: list[Outcome]) -> None:
    """Write results, and what they mean for the sessions."""
    async with connection.transaction():
        await connection.execute(
            _FINISH,
            [outcome.wish.id for outcome in outcomes],
            [outcome.state for outcome in outcomes],
            [outcome.result for outcome in outcomes],
        )
        cuts = [outcome for outcome in outcomes if outcome.wish.topic == DISCONNECT]
        not_cut = {o.wish: o.state for o in cuts if o.state != "done" and not o.session_is_gone}
        if not_cut:
            wishes = _ordered(not_cut)
            await connection.execute(_NOT_CUT, *_keys(wishes), [not_cut[wish] for wish in wishes])
        cut = [outcome.wish for outcome in cuts if outcome.state == "done"]
        gone = [o.wish for o in outcomes if o.session_is_gone]
        for statement, wishes in ((_CUT, cut), (_GONE, gone)):
            if wishes:
                await connection.execute(statement, *_keys(_ordered(wishes)))


async def rate_of(connection: Any, wish: Wish, tenant: TenantEntry, now: float) -> Rate | None:
    """What the account's sessions have for now, None when the account is gone.

    Decided when the packet is sent, so that an edited rate never lifts a throttle.
    """
    keys = wish.tenant_id, wish.account_id, wish.nas_id, wish.session_id, wish.username
    row = await connection.fetchrow(_RATE_OF, *keys)
    if row is None:
        return None
    profile_id, led = row["profile_id"], bool(row["led"])
    if row["activated"] and is_over(row["valid_until"], row["renews"], now):
        return Rate(profile_id, over=True)
    if row["quota"] is None or 0 not in quota_left(json.loads(row["quota"]), tenant, now):
        return Rate(profile_id, led=led)
    if row["quota_cut"]:
        return Rate(profile_id, ends=True)
    return Rate(profile_id, row["throttle_profile_id"], led=led)


async def service_of(connection: Any, wish: Wish) -> str | None:
    """The service that the session really has: the earliest of those whose exchange was not acknowledged since."""
    service = wish.previous_service
    if service is not None:
        subject = f"account:{wish.account_id}"
        keys = (wish.tenant_id, subject, wish.id, wish.session_id, wish.nas_id)
        for state, before in await connection.fetch(_SERVICES_BEFORE, *keys):
            if state == "done":
                break
            service = before
    return service


async def last_sources(connection: Any, nas_ids: Iterable[int]) -> dict[int, str]:
    """The address that each NAS was last heard from, "" when never."""
    rows = await connection.fetch(_LAST_SOURCES, sorted(set(nas_ids)))
    return {row["id"]: row["last_source"].rpartition(":")[0] for row in rows}


async def port_of(connection: Any, wish: Wish) -> tuple[str, int | None]:
    """(NAS-Port-Id, NAS-Port) of the session, for routers that know their sessions by these."""
    row = await connection.fetchrow(_PORT, wish.tenant_id, wish.nas_id, wish.session_id, wish.username)
    return ("", None) if row is None else (row[0], row[1])


def _ordered(wishes: Iterable[Wish]) -> list[Wish]:
    """As rows are locked."""
    return sorted(wishes, key=lambda wish: (wish.tenant_id, wish.nas_id, wish.session_id, wish.username))


def _keys(wishes: list[Wish]) -> tuple[list[int], list[int], list[str], list[str]]:
    return (
        [wish.tenant_id for wish in wishes],
        [wish.nas_id for wish in wishes],
        [wish.session_id for wish in wishes],
        [wish.username for wish in wishes],
    )


def _wish(row: Mapping[str, Any], cell: str) -> Wish:
    payload: Mapping[str, Any] = json.loads(row["payload"])
    had = payload.get("previous_service")
    return Wish(
        id=row["id"],
        tenant_id=row["tenant_id"],
        topic=row["topic"],
        nas_id=int(payload.get("nas_id") or 0),
        session_id=str(payload.get("session_id") or ""),
        username=str(payload.get("username") or ""),
        framed_ip=str(payload.get("framed_ip") or ""),
        mac=str(payload.get("mac") or ""),
        account_id=int(payload.get("account_id") or 0),
        cell=cell,
        attempts=row["attempts"],
        reason=str(payload.get("reason") or ""),
        previous_service=None if had is None else str(had),
    )
