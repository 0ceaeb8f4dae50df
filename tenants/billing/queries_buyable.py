"""The plans that the panels of renewing, changing the plan and paying arrears offer (OPS-1, OPS-2, OPS-8)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.models import Order, Receivable
from tenants.billing.rules import change_mode
from tenants.catalog.models import Plan
from tenants.catalog.queries import sellable_plans
from tenants.registry.settings import read
from tenants.subscribers.find import find_account

Deed = Literal["buy", "change", "pay"]


@dataclass(frozen=True, slots=True)
class BuyablePlan:
    """A plan of the account's region; ``same_group`` keeps the speed of the present one."""

    plan_id: int
    name: str
    kind: str
    price: Decimal
    up_bps: int
    down_bps: int
    same_group: bool


@dataclass(frozen=True, slots=True)
class Buyable:
    """``other_groups``: whether renewing may leave the plan group now (inside the window, or expired)."""

    plans: tuple[BuyablePlan, ...]
    other_groups: bool


def buyable_plans(scope: TenantScope, account_id: int, deed: Deed, now: datetime) -> Buyable:
    """What may be bought, changed to, or take the place of the newest order on arrears (``pay``).

    The operation itself decides again when it is booked.
    """
    account, settings = find_account(scope, account_id), read(scope)
    group_id = scope.session.scalar(select(Plan.group_id).where(Plan.id == account.plan_id))
    usage = "new" if account.plan_id is None or (deed == "pay" and _owes_opening(scope, account_id)) else "renew"
    free = group_id is None or change_mode(account.expires_at, now, settings.not_a_change_seconds) == "buy"
    other_groups = group_id is None or (free and not settings.bind_original_group)
    found = []
    for plan in sellable_plans(scope, region_id=account.region_id, usage=usage):
        same = plan.group_id == group_id
        if deed == "buy" and not same and not other_groups:
            continue
        if deed == "change" and plan.id == account.plan_id:
            continue
        found.append(BuyablePlan(plan.id, plan.name, plan.kind, plan.price, plan.up_bps, plan.down_bps, same))
    first = sorted(found, key=lambda plan: (plan.plan_id != account.plan_id, plan.same_group == (deed == "change")))
    return Buyable(tuple(first), other_groups)


def _owes_opening(scope: TenantScope, account_id: int) -> bool:
    """Whether the newest order on arrears gave the account its first plan, so that another first one replaces it."""
    plan_before = scope.session.execute(
        select(Order.plan_before_id)
        .join(Receivable, Receivable.order_id == Order.id)
        .where(Receivable.account_id == account_id, Receivable.state == "open")
        .order_by(Receivable.opened_at.desc(), Receivable.id.desc())
        .limit(1)
    ).first()
    return plan_before is not None and plan_before[0] is None
