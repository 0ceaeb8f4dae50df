"""Fee records with their totals, and an operator's drawer (FIN-1, FIN-2)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select

from infra.keyset import Page, count_bounded, fetch_page
from infra.tenant_scope import TenantScope
from tenants.billing.models import FeeRecord, Order, Settlement
from tenants.kernel.actor import Actor
from tenants.staff.models import Operator
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import visible_to


@dataclass(frozen=True, slots=True)
class FeeRow:
    """One fee record with its order; ``settlement`` is the number that froze it, "" while it is open."""

    id: int
    at: datetime
    number: str
    kind: str
    order_state: str
    account_id: int
    username: str
    plan_name: str
    plan_before: str
    quantity: int
    direction: str
    method: str
    amount: Decimal
    actor_name: str
    reason: str
    expires_before: datetime
    expires_after: datetime
    settlement: str
    reviewed_by: str


@dataclass(frozen=True, slots=True)
class FeeFilter:
    """What a list of fee records shows; ``settled`` None = both; instants are half-open."""

    text: str = ""
    method: str = ""
    direction: str = ""
    operator_id: int | None = None
    region_id: int | None = None
    plan_id: int | None = None
    settled: bool | None = None
    reviewed: bool | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class FeeTotals:
    """Over all records of the filter, not only those of the page."""

    number: int
    income: Decimal
    expense: Decimal

    @property
    def net(self) -> Decimal:
        """Income less expense."""
        return self.income - self.expense


def list_fees(scope: TenantScope, wanted: FeeFilter, actor: Actor, *, cursor: str = "", size: int = 50) -> Page[FeeRow]:
    """One page, newest first, with its bounded total."""
    where = _conditions(wanted, actor)
    statement = (
        select(
            FeeRecord.id,
            FeeRecord.at,
            Order.number,
            Order.kind,
            Order.state.label("order_state"),
            FeeRecord.account_id,
            Order.username,
            Order.plan_name,
            Order.plan_before_name.label("plan_before"),
            Order.quantity,
            FeeRecord.direction,
            FeeRecord.method,
            FeeRecord.amount,
            FeeRecord.actor_name,
            Order.reason,
            Order.expires_before,
            Order.expires_after,
            func.coalesce(Settlement.number, "").label("settlement"),
            func.coalesce(FeeRecord.reviewed_by, "").label("reviewed_by"),
        )
        .join(Order, Order.id == FeeRecord.order_id)
        .join(Account, Account.id == FeeRecord.account_id)
        .outerjoin(Settlement, Settlement.id == FeeRecord.settlement_id)
        .where(*where)
    )
    page = fetch_page(
        scope.session,
        statement,
        keys=(FeeRecord.at, FeeRecord.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(FeeRow, count_bounded(scope.session, _joined(FeeRecord.id).where(*where)))


def total_fees(scope: TenantScope, wanted: FeeFilter, actor: Actor) -> FeeTotals:
    """Sums of the whole filter."""
    income = func.coalesce(func.sum(FeeRecord.amount).filter(FeeRecord.direction == "income"), 0)
    expense = func.coalesce(func.sum(FeeRecord.amount).filter(FeeRecord.direction == "expense"), 0)
    row = scope.session.execute(_joined(func.count(), income, expense).where(*_conditions(wanted, actor))).one()
    return FeeTotals(int(row[0]), Decimal(row[1]), Decimal(row[2]))


def _joined(*columns: Any) -> Any:
    return (
        select(*columns)
        .select_from(FeeRecord)
        .join(Order, Order.id == FeeRecord.order_id)
        .join(Account, Account.id == FeeRecord.account_id)
    )


def _conditions(wanted: FeeFilter, actor: Actor) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [visible_to(actor)]
    if not actor.may("money.view_all"):
        where.append(FeeRecord.operator_id == actor.id)
    if wanted.text:
        text = wanted.text.strip()
        number = Order.number.startswith(text.upper(), autoescape=True)
        where.append(or_(number, Order.username == text, Order.reason.icontains(text, autoescape=True)))
    for column, value in (
        (FeeRecord.method, wanted.method or None),
        (FeeRecord.direction, wanted.direction or None),
        (FeeRecord.operator_id, wanted.operator_id),
        (FeeRecord.region_id, wanted.region_id),
        (FeeRecord.plan_id, wanted.plan_id),
    ):
        if value is not None:
            where.append(column == value)
    if wanted.settled is not None:
        where.append(FeeRecord.settlement_id.is_not(None) if wanted.settled else FeeRecord.settlement_id.is_(None))
    if wanted.reviewed is not None:
        where.append(FeeRecord.reviewed_at.is_not(None) if wanted.reviewed else FeeRecord.reviewed_at.is_(None))
    if wanted.since is not None:
        where.append(FeeRecord.at >= wanted.since)
    if wanted.until is not None:
        where.append(FeeRecord.at < wanted.until)
    return where


@dataclass(frozen=True, slots=True)
class Drawer:
    """An operator's unsettled cash: what must lie in the drawer beside the float."""

    operator_id: int
    name: str
    settled_at: datetime | None
    records: int
    cash_in: Decimal
    cash_in_records: int
    cash_out: Decimal
    cash_out_records: int

    @property
    def cash(self) -> Decimal:
        """Cash income less cash expenses."""
        return self.cash_in - self.cash_out


def drawer_of(scope: TenantScope, operator_id: int) -> Drawer:
    """The drawer since the operator's last settlement."""
    income = (FeeRecord.method == "cash") & (FeeRecord.direction == "income")
    expense = (FeeRecord.method == "cash") & (FeeRecord.direction == "expense")
    row = scope.session.execute(
        select(
            func.count(),
            func.coalesce(func.sum(FeeRecord.amount).filter(income), 0),
            func.count().filter(income),
            func.coalesce(func.sum(FeeRecord.amount).filter(expense), 0),
            func.count().filter(expense),
        ).where(FeeRecord.operator_id == operator_id, FeeRecord.settlement_id.is_(None))
    ).one()
    settled_at = scope.session.scalar(
        select(func.max(Settlement.settled_at)).where(Settlement.operator_id == operator_id)
    )
    name = scope.session.scalar(select(Operator.name).where(Operator.id == operator_id)) or ""
    return Drawer(
        operator_id, name, settled_at, int(row[0]), Decimal(row[1]), int(row[2]), Decimal(row[3]), int(row[4])
    )


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """One settlement: whose takings, how much, by whom."""

    number: str
    operator: str
    until: datetime
    records: int
    cash: Decimal
    totals: dict[str, Any]
    settled_at: datetime
    settled_by: str
    note: str


def list_settlements(scope: TenantScope, actor: Actor, *, cursor: str = "", size: int = 50) -> Page[SettlementRow]:
    """One page of settlements, newest first; without the right to see all only the own ones."""
    statement = select(
        Settlement.id,
        Settlement.number,
        func.coalesce(Operator.name, "").label("operator"),
        Settlement.until,
        Settlement.records,
        Settlement.cash,
        Settlement.totals,
        Settlement.settled_at,
        Settlement.settled_by,
        Settlement.note,
    ).outerjoin(Operator, Operator.id == Settlement.operator_id)
    if not actor.may("money.view_all"):
        statement = statement.where(Settlement.operator_id == actor.id)
    page = fetch_page(
        scope.session,
        statement,
        keys=(Settlement.settled_at, Settlement.id),
        cursor=cursor,
        size=size,
        descending=True,
    )
    rows = tuple(SettlementRow(*list(row)[1:]) for row in page.rows)
    return Page(rows, page.next, page.previous)
