"""What an outbox row says of an open session that a router is asked about: the one text of all statements that write
such rows, whichever way they find the sessions."""

from typing import Final

from tenants.access.too_many_sql import TOGETHER_SECONDS

END_MOVED: Final = "end_moved"  # the reason of a change that tells another time-out, and no rate
RENEWED: Final = "renewed"  # of a Disconnect: out of a place for accounts that are over, or soon will be

# Key of the payload → what it is of a row of aaa.session. Read by radius_cluster/coa and the pages; the function
# aaa.count_quota says the same (a test compares them).
_FACTS: Final = {
    "nas_id": "{session}.nas_id",
    "session_id": "{session}.session_id",
    "username": "{session}.username",
    "framed_ip": "host({session}.framed_ip)",
    "account_id": "{session}.account_id",
    "mac": "{session}.mac",
}


def facts_sql(session: str) -> str:
    """The arguments of jsonb_build_object about the table or alias ``session``; who asks adds ``'reason', …``."""
    return ", ".join(f"'{name}', {value.format(session=session)}" for name, value in _FACTS.items())


def waits_sql(session: str, tenant: str, topic: str, reason: str) -> str:
    """Whether such a request about the session still waits: it gets no second one.

    ``tenant`` and ``topic`` are expressions, ``reason`` a condition on the waiting row's reason such as ``= 'kick'``.
    """
    return f"""EXISTS (
       SELECT FROM work.outbox w WHERE w.tenant_id = {tenant} AND w.topic = {topic}
          AND w.subject = 'account:' || {session}.account_id AND w.state = 'waiting'
          AND w.payload ->> 'session_id' = {session}.session_id AND (w.payload ->> 'nas_id')::int = {session}.nas_id
          AND w.payload ->> 'reason' {reason})"""


def in_place_sql(session: str, seconds_left: str = "") -> str:
    """Whether the session's login was led to a place for accounts that end soon (NET-4).

    With ``seconds_left`` (an expression) only where an account that has so long to go would not be led there.
    """
    longer = f" AND p.soon_seconds <= {seconds_left}" if seconds_left else ""
    return f"""EXISTS (
       SELECT FROM aaa.place_login p WHERE p.tenant_id = {session}.tenant_id AND p.account_id = {session}.account_id
          AND p.nas_id = {session}.nas_id AND ({session}.mac IS NULL OR p.mac = {session}.mac)
          AND {session}.started_at BETWEEN p.at - interval '5 seconds'
            AND p.at + interval '{TOGETHER_SECONDS} seconds'{longer})"""
