"""What every operation shares: right, key, lock, body, booking, cluster, log. Previews run the same and undo it.

An operation is declared by its body, a decision without writes: ``@operation("buy", permission="op.buy")``. Called with
a scope it is done there (``buy(scope, command, actor=…, now=…, key=…)``): flushed and never committed, because the edge
owns the transaction; a refusal leaves the transaction to be undone. :func:`perform_together` does several at once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Literal, Protocol, TypeVar

from infra.tenant_scope import TenantScope
from tenants.billing.book import Key, Prepared, prepare, store
from tenants.billing.booking import Booking
from tenants.billing.context import Context, LockedElsewhere, NotShareable, check_instant, open_context
from tenants.billing.load import Loaded, Wanted, load
from tenants.billing.load_orders import BookedOrder, load_orders
from tenants.billing.online import follow_online
from tenants.billing.result import OperationResult, as_preview, from_json
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.ledger.errors import KeyReused
from tenants.ledger.idempotency import check_key, content_hash


class AccountCommand(Protocol):
    """What every command names."""

    @property
    def account_id(self) -> int:
        """The account it acts on."""
        ...


C = TypeVar("C", bound=AccountCommand)
Body = Callable[[Context, C], Booking | None]
# What an operation reads beside account, plans and arrears: the order that it is about, or how the plan was sold.
Reads = Literal["", "order", "sold"]
# What became of one of several: done; refused; or left out, because it must have a unit of work of its own.
Outcome = OperationResult | BusinessError | NotShareable


@dataclass(frozen=True, slots=True)
class Operation(Generic[C]):
    """An operation on one account."""

    name: str
    permission: str
    reads: Reads
    body: "Body[C]"

    def __call__(
        self, scope: TenantScope, command: C, *, actor: Actor, now: datetime, key: str | None = None
    ) -> OperationResult:
        """Do it in this unit of work; a known key gives its first result. Raises what the body says."""
        [outcome] = perform_together(scope, [self.ask(command, actor=actor, now=now, key=key)], shared=False)
        if isinstance(outcome, OperationResult):
            return outcome
        raise outcome

    def ask(self, command: C, *, actor: Actor, now: datetime, key: str | None = None) -> "Asked":
        """The operation as somebody asks for it. Raises Forbidden, and BadKey for a key that cannot be stored."""
        actor.require(self.permission)
        claimed = None
        if key is not None:
            check_key(key)
            claimed = Key(key, content_hash(self.name, command))
        return Asked(self, command, actor, now, claimed)


@dataclass(frozen=True, slots=True)
class Asked:
    """One operation that somebody may do and asks for."""

    operation: Operation[Any]
    command: Any
    actor: Actor
    now: datetime
    key: Key | None

    @property
    def account_id(self) -> int:
        """The account it acts on."""
        account_id: int = self.command.account_id
        return account_id

    def wanted(self) -> Wanted:
        """What is read for it."""
        key = None if self.key is None else self.key.key
        plan_id = getattr(self.command, "plan_id", None)
        return Wanted(self.account_id, plan_id, key, sold=self.operation.reads == "sold")


def operation(name: str, *, permission: str, reads: Reads = "") -> "Callable[[Body[C]], Operation[C]]":
    """Declare the decorated body an operation that needs ``permission``."""

    def declare(body: "Body[C]") -> Operation[C]:
        return Operation(name, permission, reads, body)

    return declare


def perform_together(scope: TenantScope, asked: Sequence[Asked], *, shared: bool = True) -> list[Outcome]:
    """Do operations on different accounts: one lock, one reading, each decided by itself, one booking.

    A refusal leaves only that one out. ``shared``: left out, to be done alone, are also those that would write by
    themselves, and those on whose account somebody else works just now: nobody waits for what he did not ask for.
    Raises :class:`KeyReused` where another account's command took a key meanwhile: then nothing is booked.
    """
    loaded = load(scope, [one.wanted() for one in asked], skip_locked=shared)
    about_orders = (one for one in asked if one.operation.reads == "order" and one.account_id in loaded)
    orders = load_orders(scope, {one.account_id: one.command.order_number for one in about_orders})
    outcomes: list[Outcome | None] = []
    prepared: list[Prepared] = []
    for one in asked:
        found = loaded.get(one.account_id)
        try:
            decided = _decide(scope, one, found, orders.get(one.account_id), shared=shared)
        except (BusinessError, NotShareable) as refusal:
            outcomes.append(refusal)
            continue
        if isinstance(decided, Prepared):
            prepared.append(decided)
            outcomes.append(None)
        else:
            outcomes.append(decided)
    follow_online(scope, [(one.context, one.changed) for one in prepared])
    # Last of all: from here to the commit the order number's row is locked for the whole tenant.
    results = iter(store(scope, prepared))
    return [next(results) if outcome is None else outcome for outcome in outcomes]


def _decide(
    scope: TenantScope, one: Asked, loaded: Loaded | None, order: BookedOrder | None, *, shared: bool
) -> OperationResult | Prepared:
    if shared and loaded is None:
        raise LockedElsewhere
    context = open_context(scope, loaded, one.account_id, actor=one.actor, now=one.now, shared=shared, order=order)
    done = context.beside.done
    if one.key is not None and done is not None:
        if done.content_hash != one.key.content_hash:
            raise KeyReused(field="key", key=one.key.key)
        return from_json(done.result)
    check_instant(context)
    booking: Booking | None = one.operation.body(context, one.command)
    name = context.called or one.operation.name
    return prepare(context, name, booking, reason=getattr(one.command, "reason", ""), key=one.key)


def preview(scope: TenantScope, wanted: "Operation[C]", command: C, *, actor: Actor, now: datetime) -> OperationResult:
    """Exactly what the operation would book now, undone again (OPS-13). Raises the same refusals."""
    savepoint = scope.session.begin_nested()
    try:
        return as_preview(wanted(scope, command, actor=actor, now=now))
    finally:
        savepoint.rollback()
        scope.session.expire_all()
