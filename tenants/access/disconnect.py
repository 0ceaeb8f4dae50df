"""Ask routers to end sessions: outbox rows ``radius.disconnect``, one per open session, sent after the commit."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    bindparam,
    cast,
    func,
    literal,
    literal_column,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.types import Text

from infra.outbox import OutboxRow
from infra.tenant_scope import TenantScope
from tenants.access.ask_routers import DISCONNECT, SessionRequest, ask_routers
from tenants.access.models import Subscriber
from tenants.access.session_request import END_MOVED, facts_sql, waits_sql
from tenants.usage.models import Session as OnlineSession

_SESSION = "aaa.session"  # as SQLAlchemy names it
_NO_SUCH_REQUEST = text("NOT " + waits_sql(_SESSION, ":tenant", "CAST(:wanted_topic AS text)", f"<> '{END_MOVED}'"))


def disconnect_account(scope: TenantScope, account_id: int, reason: str) -> int:
    """End all open sessions of one account; gives how many. ``reason`` is a code such as ``disabled`` or ``kick``."""
    return disconnect_accounts(scope, [account_id], reason)


def disconnect_accounts(scope: TenantScope, account_ids: Sequence[int], reason: str) -> int:
    """End all open sessions of these accounts, in one statement; gives how many."""
    return ask_routers(scope, [SessionRequest(account_id, DISCONNECT, reason) for account_id in account_ids])


def disconnect_begun_after(scope: TenantScope, ends: Mapping[int, datetime], reason: str) -> int:
    """End those sessions of accounts that began at or after an instant, each account's own (account id → instant)."""
    return ask_routers(scope, [SessionRequest(one, DISCONNECT, reason, end) for one, end in ends.items()])


def disconnect_profile(scope: TenantScope, profile_id: int, reason: str) -> int:
    """End all open sessions of the accounts that have this profile; gives how many."""
    concerned = select(Subscriber.account_id).where(
        Subscriber.tenant_id == scope.tenant_id, Subscriber.profile_id == profile_id
    )
    return emit_for_sessions(scope, DISCONNECT, [OnlineSession.account_id.in_(concerned)], reason)


def emit_for_sessions(
    scope: TenantScope,
    topic: str,
    conditions: Sequence[ColumnElement[bool]],
    reason: str,
    *,
    more: ColumnElement[Any] | None = None,
    **values: Any,
) -> int:
    """Write one outbox row for each open session of the tenant that meets the conditions; gives how many.

    A session for which the same request is still waiting gets no second one. ``values``: of named parameters in them;
    ``more``: a JSON object, what else the payload says.
    """
    scope.session.flush()  # sessions and outbox are read by SQL
    values |= {"tenant": scope.tenant_id, "wanted_topic": topic, "reason": reason}
    # On the connection: the mapper has nothing to say here and costs more than the statement.
    count = len(scope.session.connection().execute(_statement(tuple(conditions), more), values).all())
    if count:
        scope.session.execute(text("SELECT pg_notify('broadloom_outbox', 'radius')"))
    return count


@lru_cache(maxsize=64)
def _statement(conditions: tuple[ColumnElement[bool], ...], more: ColumnElement[Any] | None) -> Executable:
    topic = cast(bindparam("wanted_topic"), Text)
    subject = literal("account:") + cast(OnlineSession.account_id, Text)
    payload = func.jsonb_build_object(
        literal_column(facts_sql(_SESSION)), "reason", cast(bindparam("reason"), Text), type_=JSONB
    )
    told = payload if more is None else payload.op("||")(more)
    rows = select(OnlineSession.tenant_id, topic, subject, told).where(
        OnlineSession.tenant_id == bindparam("tenant", type_=Integer), *conditions, _NO_SUCH_REQUEST
    )
    # Not the class: its insert would take the named parameters for columns.
    outbox = OutboxRow.metadata.tables["work.outbox"]
    return insert(outbox).from_select(["tenant_id", "topic", "subject", "payload"], rows).returning(outbox.c.id)
