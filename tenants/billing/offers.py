"""What a subscriber can buy for the own account now, with the new expiry of each offer (SLF-2, SLF-3, OPS-13).

Every offer is the real operation, previewed; "online" stands for any pocket, so that a short balance does not matter.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.buy import Buy, buy
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.errors import OtherGroup
from tenants.billing.operation import preview
from tenants.billing.result import OperationResult
from tenants.catalog.models import Plan
from tenants.catalog.queries import sellable_plans
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.subscribers.find import find_account

Deed = Literal["buy", "change"]
_ANY_POCKET = "online"


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan on sale in self-service; ``same_group`` keeps the speed of the present plan."""

    plan_id: int
    name: str
    kind: str
    price: Decimal
    down_bps: int
    up_bps: int
    same_group: bool
    present: bool


def list_offers(scope: TenantScope, account_id: int) -> tuple[Offer, ...]:
    """The visible plans of the account's region, those of the present plan's group first."""
    account = find_account(scope, account_id)
    usage = "new" if account.plan_id is None else "renew"
    plans = sellable_plans(scope, region_id=account.region_id, usage=usage, staff=False)
    present = next((plan for plan in plans if plan.id == account.plan_id), None)
    group_id = present.group_id if present is not None else _group_of(scope, account.plan_id)
    offers = [
        Offer(
            plan.id,
            plan.name,
            plan.kind,
            plan.price,
            plan.down_bps,
            plan.up_bps,
            plan.group_id == group_id,
            plan.id == account.plan_id,
        )
        for plan in plans
    ]
    return tuple(sorted(offers, key=lambda offer: not offer.same_group))


def preview_offer(
    scope: TenantScope, account_id: int, plan_id: int, quantity: int = 1, *, actor: Actor, now: datetime
) -> tuple[Deed, OperationResult]:
    """What buying this plan would come to: a purchase, or a change of plan where the rules ask for one.

    Raises the operation's refusals, save a short balance.
    """
    command = Buy(account_id, plan_id, quantity, _ANY_POCKET)
    try:
        return "buy", preview(scope, buy, command, actor=actor, now=now)
    except OtherGroup:
        change = ChangePlan(account_id, plan_id, quantity, _ANY_POCKET)
        return "change", preview(scope, change_plan, change, actor=actor, now=now)


def preview_offers(
    scope: TenantScope, account_id: int, plan_ids: Sequence[int], *, actor: Actor, now: datetime
) -> dict[int, OperationResult]:
    """The same for several plans; those that are refused are left out."""
    found = {}
    for plan_id in plan_ids:
        try:
            found[plan_id] = preview_offer(scope, account_id, plan_id, actor=actor, now=now)[1]
        except BusinessError:
            continue
    return found


def _group_of(scope: TenantScope, plan_id: int | None) -> int | None:
    return None if plan_id is None else scope.session.scalar(select(Plan.group_id).where(Plan.id == plan_id))
