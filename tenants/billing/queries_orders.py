"""Orders as staff read them: of one account, one by its number, all with filters (FIN-6)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.billing.models import Order, OrderLine
from tenants.billing.result import OrderLineView
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.visibility import visible_to


@dataclass(frozen=True, slots=True)
class OrderRow:
    """One order; ``state`` booked | reversed | cancelled | replaced; ``plan_before`` "" when it did not change."""

    id: int
    number: str
    kind: str
    account_id: int
    username: str
    customer: str
    at: datetime
    method: str
    quantity: int
    total: Decimal
    plan_name: str
    plan_before: str
    expires_before: datetime
    expires_after: datetime
    computed_difference: Decimal | None
    charged_difference: Decimal | None
    actor_kind: str
    actor_name: str
    reason: str
    state: str
    undoes_id: int | None
    undone_by_id: int | None
    lines: tuple[OrderLineView, ...] = ()

    @property
    def undone(self) -> bool:
        """Whether it no longer counts."""
        return self.state != "booked"


@dataclass(frozen=True, slots=True)
class OrderFilter:
    """What a list of orders shows; instants are half-open."""

    text: str = ""
    kind: str = ""
    method: str = ""
    plan_id: int | None = None
    region_id: int | None = None
    operator_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class OrderTotals:
    """Over all orders of the filter; what was taken back counts on both sides and cancels out."""

    number: int
    total: Decimal


def orders_of_account(scope: TenantScope, account_id: int, limit: int = 50) -> tuple[OrderRow, ...]:
    """The newest orders of an account with their lines; the caller has checked that the account may be seen."""
    statement = _statement().where(Order.account_id == account_id).order_by(Order.id.desc()).limit(limit)
    return _with_lines(scope, [_row(row) for row in scope.session.execute(statement)])


def order_by_number(scope: TenantScope, number: str, actor: Actor) -> OrderRow:
    """One order with its lines. Raises :class:`NotFound`."""
    row = scope.session.execute(_statement().where(Order.number == number, visible_to(actor))).first()
    if row is None:
        raise NotFound(what="order", ref=number[:40])
    return _with_lines(scope, [_row(row)])[0]


def list_orders(
    scope: TenantScope, wanted: OrderFilter, actor: Actor, *, cursor: str = "", size: int = 50
) -> Page[OrderRow]:
    """One page, newest first, with its bounded total."""
    where = _conditions(wanted, actor)
    page = fetch_page(
        scope.session,
        _statement().where(*where),
        keys=(Order.at, Order.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    counted = select(Order.id).join(Account, Account.id == Order.account_id).where(*where)
    rows = tuple(_row(row) for row in page.rows)
    return Page(rows, page.next, page.previous, count_bounded(scope.session, counted))


def total_orders(scope: TenantScope, wanted: OrderFilter, actor: Actor) -> OrderTotals:
    """The sum over the whole filter."""
    number, total = scope.session.execute(
        select(func.count(), func.coalesce(func.sum(Order.total), 0))
        .join(Account, Account.id == Order.account_id)
        .where(*_conditions(wanted, actor))
    ).one()
    return OrderTotals(int(number), Decimal(total))


def _conditions(wanted: OrderFilter, actor: Actor) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [visible_to(actor)]
    if wanted.text:
        text = wanted.text.strip()
        number = Order.number.startswith(text.upper(), autoescape=True)
        where.append(or_(number, Order.username == text))
    for column, value in (
        (Order.kind, wanted.kind or None),
        (Order.method, wanted.method or None),
        (Order.plan_id, wanted.plan_id),
        (Order.region_id, wanted.region_id),
        (Order.operator_id, wanted.operator_id),
    ):
        if value is not None:
            where.append(column == value)
    if wanted.since is not None:
        where.append(Order.at >= wanted.since)
    if wanted.until is not None:
        where.append(Order.at < wanted.until)
    return where


_SAME = ("id", "number", "kind", "account_id", "username", "at", "method", "quantity", "total", "plan_name")
_MORE = (
    "expires_before",
    "expires_after",
    "computed_difference",
    "charged_difference",
    "actor_kind",
    "actor_name",
    "reason",
    "state",
    "undoes_id",
    "undone_by_id",
)


def _statement() -> Select[*tuple[Any, ...]]:
    columns = [getattr(Order, name) for name in (*_SAME, *_MORE)]
    return (
        select(*columns, Customer.name.label("customer"), Order.plan_before_name.label("plan_before"))
        .join(Account, Account.id == Order.account_id)
        .join(Customer, Customer.id == Account.customer_id)
    )


def _row(row: Any) -> OrderRow:
    return OrderRow(**row._mapping)


def _with_lines(scope: TenantScope, rows: Sequence[OrderRow]) -> tuple[OrderRow, ...]:
    found: dict[int, list[OrderLineView]] = {}
    lines = scope.session.execute(
        select(OrderLine.order_id, OrderLine.kind, OrderLine.amount, OrderLine.explanation)
        .where(OrderLine.order_id.in_([row.id for row in rows]))
        .order_by(OrderLine.order_id, OrderLine.position)
    )
    for order_id, kind, amount, explanation in lines:
        found.setdefault(order_id, []).append(OrderLineView(kind, amount, explanation))
    return tuple(replace(row, lines=tuple(found.get(row.id, ()))) for row in rows)
