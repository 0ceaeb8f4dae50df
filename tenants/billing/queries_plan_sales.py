"""What was sold of a plan (PLN-6)."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import Date, cast, func, select

from infra.tenant_scope import TenantScope
from tenants.billing.models import Order


@dataclass(frozen=True, slots=True)
class PlanSales:
    """Orders that sold the plan since an instant; ``per_day`` counts them per local day."""

    count: int
    total: Decimal
    per_day: tuple[int, ...]


def sales_of_plan(scope: TenantScope, plan_id: int, *, since: datetime) -> PlanSales:
    """Booked orders only: what was taken back was not sold."""
    day = cast(func.timezone(scope.tenant.timezone, Order.at), Date)
    rows = scope.session.execute(
        select(day, func.count(), func.sum(Order.total))
        .where(Order.plan_id == plan_id, Order.at >= since, Order.state == "booked", Order.undoes_id.is_(None))
        .group_by(day)
    ).all()
    found = {on: (int(number), Decimal(total)) for on, number, total in rows}
    first = since.astimezone(scope.zone).date()
    last = max([*found, first])
    days: list[date] = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    return PlanSales(
        sum(number for number, _total in found.values()),
        sum((total for _number, total in found.values()), Decimal(0)),
        tuple(found.get(on, (0, Decimal(0)))[0] for on in days),
    )
