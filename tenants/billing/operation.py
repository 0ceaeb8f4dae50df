"""The frame that every operation shares: right, key, lock, body, cluster, log. Previews run the same and undo it.

``perform`` flushes and never commits: the edge owns the transaction. A refusal leaves the transaction to be undone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.audit.record import record
from tenants.billing.book import book, plain
from tenants.billing.booking import Booking
from tenants.billing.context import Context, changes, check_instant, open_context, snapshot_of
from tenants.billing.online import follow_online
from tenants.billing.result import OperationResult, OrderView, as_json, as_preview, from_json
from tenants.catalog.models import Plan
from tenants.kernel.actor import Actor
from tenants.kernel.money import show
from tenants.ledger.idempotency import claim, content_hash, remember


class AccountCommand(Protocol):
    """What every command names."""

    @property
    def account_id(self) -> int:
        """The account it acts on."""
        ...


C = TypeVar("C", bound=AccountCommand)
In = TypeVar("In", bound=AccountCommand, contravariant=True)
Body = Callable[[Context, C], Booking | None]


class Operation(Protocol[In]):
    """A public operation such as ``buy``."""

    def __call__(
        self, scope: TenantScope, command: In, *, actor: Actor, now: datetime, key: str | None = None
    ) -> OperationResult: ...


def perform(
    scope: TenantScope,
    operation: str,
    command: C,
    body: "Body[C]",
    *,
    permission: str,
    actor: Actor,
    now: datetime,
    key: str | None,
) -> OperationResult:
    """Run ``body`` on the locked account and book what it returns; a known key returns its first result."""
    actor.require(permission)
    context = open_context(scope, command.account_id, actor=actor, now=now)
    if key is not None:
        content = content_hash(operation, command)
        known = claim(scope, key, operation, content, now=context.now, account_id=command.account_id)
        if known is not None:
            return from_json(known)
    check_instant(context)
    booking = body(context, command)
    return finish(context, operation, booking, key=key, reason=getattr(command, "reason", ""))


def finish(
    context: Context, operation: str, booking: Booking | None, *, key: str | None, reason: str = ""
) -> OperationResult:
    """Book, carry the account into the cluster's read model, log, and remember the result for its key."""
    scope, account = context.scope, context.account
    assert context.snapshot is not None
    changed = changes(context)
    context.plan = None if account.plan_id is None else scope.session.get(Plan, account.plan_id)
    scope.session.flush()  # the projection reads the row
    project_account(scope, account.id)
    # Last of all that takes time: from here to the commit the order number's row is locked for the whole tenant.
    order = None if booking is None else book(context, booking)
    follow_online(context, changed)
    result = OperationResult(operation, account.id, order, context.snapshot, snapshot_of(context))
    log_operation(context, operation, order, reason)
    if key is not None:
        remember(scope, key, as_json(result))
    scope.session.flush()  # the log entry: a preview's savepoint must contain it
    return result


def log_operation(context: Context, operation: str, order: OrderView | None, reason: str) -> None:
    """Write what the operation changed into the operation log."""
    account, changed = context.account, changes(context)
    before = {name: plain(context.before[name]) for name in changed}
    after = {name: plain(value) for name, value in changed.items()}
    if order is not None:
        after |= {"order": order.number, "total": show(order.total), "method": order.method}
    record(
        context.scope,
        actor=context.actor,
        action=f"account.{operation}",
        object_kind="account",
        object_id=account.id,
        object_label=account.username,
        before=before,
        after=after,
        reason=reason,
        now=context.now,
    )


def preview(
    scope: TenantScope, operation: "Operation[C]", command: C, *, actor: Actor, now: datetime
) -> OperationResult:
    """Exactly what ``operation`` would book now, undone again (OPS-13). Raises the same refusals."""
    savepoint = scope.session.begin_nested()
    try:
        return as_preview(operation(scope, command, actor=actor, now=now))
    finally:
        savepoint.rollback()
        scope.session.expire_all()
