"""The frame that every operation shares: right, key, lock, body, cluster, log. Previews run the same and undo it.

``perform`` flushes and never commits: the edge owns the transaction. A refusal leaves the transaction to be undone.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from infra.tenant_scope import TenantScope
from tenants.billing.book import Key, prepare, store
from tenants.billing.booking import Booking
from tenants.billing.context import Context, check_instant, open_context
from tenants.billing.online import follow_online
from tenants.billing.result import OperationResult, as_preview, from_json
from tenants.kernel.actor import Actor
from tenants.ledger.errors import KeyReused
from tenants.ledger.idempotency import check_key, content_hash


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
    claimed = None
    if key is not None:
        check_key(key)
        claimed = Key(key, content_hash(operation, command))
    context, loaded = open_context(
        scope, command.account_id, actor=actor, now=now, plan_id=getattr(command, "plan_id", None), key=key
    )
    if claimed is not None and loaded.done is not None:
        if loaded.done.content_hash != claimed.content_hash:
            raise KeyReused(field="key", key=key)
        return from_json(loaded.done.result)
    check_instant(context)
    booking = body(context, command)
    return finish(context, operation, booking, key=claimed, reason=getattr(command, "reason", ""))


def finish(
    context: Context, operation: str, booking: Booking | None, *, key: Key | None = None, reason: str = ""
) -> OperationResult:
    """Book, carry the account into the cluster's read model, log, and remember the result for its key."""
    prepared = prepare(context, operation, booking, reason=reason, key=key)
    # Last of all that takes time: from here to the commit the order number's row is locked for the whole tenant.
    [result] = store(context.scope, [prepared])
    follow_online(context, prepared.changed)
    return result


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
