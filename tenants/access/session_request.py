"""What an outbox row says of an open session that a router is asked about: the one text of all statements that write
such rows, whichever way they find the sessions."""

from typing import Final

END_MOVED: Final = "end_moved"  # the reason of a change that tells another time-out, and no rate

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
