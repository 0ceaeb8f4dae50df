"""Put back what an order changed: the account's fields and the rows beside it, as the order's ``undo`` keeps them."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from sqlalchemy import select

from tenants.billing.context import Context, quota_grant
from tenants.billing.errors import BalanceTooShort, ChangedSince
from tenants.billing.load import INSTANTS, MONEY
from tenants.billing.load_beside import OwedOrder
from tenants.billing.load_orders import BookedOrder
from tenants.billing.models import Order, Pack
from tenants.billing.rules_pack import unused_of_pack
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import CUSTOMER, Line
from tenants.ledger.post import lines_of_order
from tenants.usage.keep_count import count_of, go_on_with
from tenants.usage.quota_left import quota_left


class Undoable(Protocol):
    """What is needed of an order, a row or a value, to put its account back."""

    @property
    def number(self) -> str:
        """As people name it."""
        ...

    @property
    def at(self) -> datetime:
        """When it was booked."""
        ...

    @property
    def undo(self) -> dict[str, Any]:
        """What it changed: the account's fields before and after, and rows beside it."""
        ...


# What a first login sets by itself; it is no reason to refuse the undoing of the purchase that it started.
_STARTED_BY_LOGIN = {"activated_at", "expires_at", "period_started_at", "first_due_at", "cut_off_at"}


_PACKED = {"pack_octets", "pack_seconds"}  # of all packs together: one order's share of them is taken off


def value_of(name: str, stored: Any) -> Any:
    """A value kept in ``undo`` as the row holds it."""
    if stored is None:
        return None
    if name in INSTANTS:
        return datetime.fromisoformat(stored)
    return Decimal(stored) if name in MONEY else stored


def check_unchanged(context: Context, order: Undoable, *, besides: Iterable[str] = ()) -> None:
    """Raises :class:`ChangedSince` where a field is no longer as the order left it."""
    account = context.account
    # Packs may have ended meanwhile, and whether to renew by itself is asked anew at any time.
    ignored = {*besides, "auto_renew", *(_PACKED if order.undo.get("pack") else ())}
    if account.activated_at is not None and account.activated_at > order.at:
        ignored |= _STARTED_BY_LOGIN
    after = order.undo.get("account_after", {})
    moved = [
        name
        for name, stored in after.items()
        if name not in ignored and getattr(account, name) != value_of(name, stored)
    ]
    if account.never_expires and "expires_at" in after and "never_expires" not in after:
        moved.append("never_expires")
    if moved:
        raise ChangedSince(number=order.number, fields=", ".join(moved))


def restore_account(context: Context, order: Undoable) -> None:
    """Set the account's fields back to what they were before the order.

    What was paid since then for an earlier order of the period stays part of its price.
    """
    account, before, after = context.account, order.undo.get("account", {}), order.undo.get("account_after", {})
    counted = account.quota_octets is not None or account.quota_seconds is not None
    paid_since = ZERO
    if "period_price" in after:
        paid_since = max(ZERO, account.period_price - value_of("period_price", after["period_price"]))
    packed = _PACKED if order.undo.get("pack") else ()
    for name, stored in before.items():
        if name not in packed:
            setattr(account, name, value_of(name, stored))
    if pack_is_open(context, order):  # of one that has ended nothing is left but what was used of it
        for name in _PACKED & before.keys():
            setattr(account, name, max(0, getattr(account, name) - (after[name] - before[name])))
    account.period_price += paid_since
    kept = order.undo.get("count")
    if "quota_epoch" in before and (counted or kept):
        kind = "" if context.plan is None else context.plan.kind
        context.counted = count_of(context.by_itself(), account.id)
        go_on_with(context.by_itself(), quota_grant(account, kind), kept, since=order.at, now=context.now)
        if account.pack_octets or account.pack_seconds:
            _end_packs(context, kind, order)


def _end_packs(context: Context, kind: str, order: Undoable) -> None:
    """Packs come back with their quota; of those whose validity ended since the order, the unused part does not."""
    account, scope = context.account, context.by_itself()
    of_this_quota = select(Pack).where(Pack.account_id == account.id, Pack.quota_epoch == account.quota_epoch)
    ended = of_this_quota.where(Pack.ended_at >= order.at, Pack.expires_at <= context.now).order_by(Pack.expires_at)
    others = list(scope.session.scalars(of_this_quota.where(Pack.ended_at.is_(None))))
    waiting = list(scope.session.scalars(ended))
    while waiting:
        pack = waiting.pop(0)
        left, still = quota_left(scope, quota_grant(account, kind), context.now), [*others, *waiting]
        account.pack_octets -= unused_of_pack(pack.octets, sum(one.octets for one in still), left.pack_octets)
        account.pack_seconds -= unused_of_pack(pack.seconds, sum(one.seconds for one in still), left.pack_seconds)


def pack_is_open(context: Context, order: Undoable) -> bool:
    """Whether the order sold a pack that has not ended by itself."""
    pack_id = order.undo.get("pack")
    if not pack_id:
        return False
    pack = context.by_itself().session.get(Pack, pack_id, populate_existing=True)
    return pack is not None and pack.ended_at is None


def restore_rows(context: Context, order: BookedOrder) -> None:
    """Set receivables, holds, packs and other orders back to what they were before the order."""
    undo = order.undo
    for table in ("receivables", "holds", "orders", "packs"):
        for row in undo.get(table, []):
            context.set_row(table, row["id"], **{name: stored for name, stored in row.items() if name != "id"})
    if order.owed_id is not None:
        context.set_row("receivables", order.owed_id, state="cancelled")
    if undo.get("hold"):
        context.set_row("holds", undo["hold"], undone_at=context.now)
    if pack_is_open(context, order):
        context.set_row("packs", undo["pack"], ended_at=context.now)


def mirrored_lines(context: Context, order: OwedOrder) -> tuple[int | None, list[Line]]:
    """The order's entry with its sides exchanged: (entry id, lines); (None, []) where no money moved."""
    entries = lines_of_order(context.scope, order.id)
    if not entries:
        return None, []
    entry_id, lines = entries[0]
    return entry_id, [line.mirrored() for line in lines]


def orders_after(context: Context, order: OwedOrder) -> list[Order]:
    """Booked orders of the account after this one, oldest first; counter-orders and what they undid do not count."""
    return list(
        context.scope.session.scalars(
            select(Order)
            .where(
                Order.account_id == context.account.id,
                Order.id > order.id,
                Order.state == "booked",
                Order.kind != "reverse",
            )
            .order_by(Order.id)
        )
    )


def check_balance(context: Context, lines: Sequence[Line]) -> None:
    """Raises :class:`BalanceTooShort` where taking an order back would leave the balance below 0."""
    account = context.account
    moved = sum(
        (line.credit - line.debit for line in lines if (line.kind, line.subject_id) == (CUSTOMER, account.id)), ZERO
    )
    if account.balance + moved < 0:
        raise BalanceTooShort(
            balance=show(account.balance), needed=show(-moved), missing=show(-moved - account.balance)
        )
