"""Which sessions of an account are one device too many, as one SELECT (RAD-3).

Asked by the packet path about accounts of which two devices began at its host (its process/session_limits.py), and by
a job about all of which one began lately (check_sessions.py): two may come through different hosts. Plain text: the
packet path knows no SQLAlchemy.
"""

from typing import Final

TOGETHER_SECONDS: Final = 30  # from a login to its Start, at most: who began before that was counted by the login

# ``begun`` gives the accounts to look at. A device is known by its MAC; where there is none each session is a device.
# Sessions that are to end already do not count, nor those silent for too long. Nothing is found that was there long
# before the others (the login counted it), nor what began long ago (a spool tells it, which says nothing of now).
_TOO_MANY: Final = """
WITH several AS MATERIALIZED ({begun}),
own AS MATERIALIZED ({own}),
open AS MATERIALIZED (
  SELECT s.tenant_id, s.account_id, s.nas_id, s.session_id, s.username, host(s.framed_ip) AS framed_ip,
    COALESCE(s.mac, '') AS mac, s.started_at, u.max_sessions, u.drop_oldest,
    COALESCE(NULLIF(s.mac, ''), s.nas_id || '/' || s.session_id || '/' || s.username) AS device
  FROM several v JOIN aaa.subscriber u ON u.tenant_id = v.tenant_id AND u.account_id = v.account_id
  JOIN aaa.session s ON s.tenant_id = v.tenant_id AND s.account_id = v.account_id
  WHERE u.max_sessions > 0 AND s.cut_requested_at IS NULL
    AND s.updated_at > COALESCE((SELECT own.alive_after FROM own WHERE own.nas_id = s.nas_id), v.alive_after)),
device AS (
  SELECT tenant_id, account_id, device, max_sessions, CASE WHEN drop_oldest THEN max(started_at) ELSE min(started_at)
    END AS since, row_number() OVER (PARTITION BY tenant_id, account_id ORDER BY
      CASE WHEN drop_oldest THEN -date_part('epoch', max(started_at)) ELSE date_part('epoch', min(started_at)) END,
      device) AS place
  FROM open GROUP BY tenant_id, account_id, device, max_sessions, drop_oldest)
SELECT s.tenant_id, s.account_id, s.nas_id, s.session_id, s.username, s.framed_ip, s.mac
FROM device d
JOIN device kept ON kept.tenant_id = d.tenant_id AND kept.account_id = d.account_id AND kept.place = d.max_sessions
JOIN open s ON s.tenant_id = d.tenant_id AND s.account_id = d.account_id AND s.device = d.device
WHERE d.place > d.max_sessions AND d.since > now() - make_interval(secs => {just_begun})
  AND abs(date_part('epoch', d.since - kept.since)) < {together}
ORDER BY 1, 2, 3, 4, 5
"""


def too_many_sql(begun: str, own: str, *, just_begun_seconds: int) -> str:
    """The statement; ``begun`` is a SELECT of tenant_id, account_id and alive_after (an instant), ``own`` one of nas_id
    and alive_after, for routers with a stale time of their own."""
    return _TOO_MANY.format(begun=begun, own=own, just_begun=int(just_begun_seconds), together=TOGETHER_SECONDS)
