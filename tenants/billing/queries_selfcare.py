"""The orders of one account as its subscriber reads them (SLF-4)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from infra.keyset import Page, fetch_page
from infra.tenant_scope import TenantScope
from tenants.billing.models import Order, OrderLine
from tenants.billing.result import OrderLineView
from tenants.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class OwnOrder:
    """One order; ``state`` booked | reversed | cancelled | replaced."""

    id: int
    number: str
    kind: str
    at: datetime
    method: str
    quantity: int
    total: Decimal
    plan_name: str
    plan_before_name: str
    expires_before: datetime
    expires_after: datetime
    state: str


def own_orders(scope: TenantScope, account_id: int, *, cursor: str = "", size: int = 20) -> Page[OwnOrder]:
    """One page, newest first."""
    columns = [getattr(Order, name) for name in OwnOrder.__dataclass_fields__]
    page = fetch_page(
        scope.session,
        select(*columns).where(Order.account_id == account_id),
        keys=(Order.id,),
        cursor=cursor,
        size=size,
        descending=True,
    )
    return page.of(OwnOrder)


def own_order(scope: TenantScope, account_id: int, number: str) -> tuple[OwnOrder, tuple[OrderLineView, ...]]:
    """One order with its lines. Raises :class:`NotFound` also for an order of somebody else."""
    columns = [getattr(Order, name) for name in OwnOrder.__dataclass_fields__]
    statement = select(*columns).where(Order.account_id == account_id, Order.number == number[:64])
    row = None if "\x00" in number else scope.session.execute(statement).first()
    if row is None:
        raise NotFound(what="order", ref=number[:64])
    lines = scope.session.execute(
        select(OrderLine.kind, OrderLine.amount, OrderLine.explanation)
        .where(OrderLine.order_id == row.id)
        .order_by(OrderLine.position)
    ).all()
    return OwnOrder(**row._mapping), tuple(OrderLineView(*line) for line in lines)
