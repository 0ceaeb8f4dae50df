"""Sell extra traffic or hours on top of the running plan (补充套餐, OPS-12)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from infra.outbox import set_due
from infra.tenant_scope import TenantScope
from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, refuse_state
from tenants.billing.errors import AccountExpired, NoPlan, NothingToDo, PackNeedsQuotaPlan
from tenants.billing.models import Pack
from tenants.billing.operation import perform
from tenants.billing.purchase import arrears_of, check_method, take_payment
from tenants.billing.result import OperationResult
from tenants.billing.rules import is_expired
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO, amount
from tenants.kernel.period import add_days
from tenants.ledger.chart import REVENUE_PACK

PACK_END = "billing.pack_end"


@dataclass(frozen=True, slots=True)
class AddPack:
    """Octets or seconds (or both) for a price; ``validity_days`` None: as long as the plan."""

    account_id: int
    octets: int | None = None
    seconds: int | None = None
    price: Decimal = ZERO
    validity_days: int | None = None
    method: str = "cash"
    reason: str = ""


def add_pack(
    scope: TenantScope, command: AddPack, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Used after the plan's own quota. Raises PackNeedsQuotaPlan, AccountExpired, NothingToDo, or a state's refusal.

    A plan whose quota is used up goes on with a pack as long as its validity lasts.
    """
    return perform(scope, "add-pack", command, _add, permission="op.add_pack", actor=actor, now=now, key=key)


def _add(context: Context, command: AddPack) -> Booking:
    account = context.account
    refuse_state(context, never=True, not_activated=True)
    check_method(context, command.method, ("cash", "balance", "arrears", "online"))
    price = amount(command.price, field="price")
    octets, seconds = _checked(context, command)
    take_payment(context, command.method, price)
    expires_at = None
    if command.validity_days is not None:
        expires_at = add_days(context.now, command.validity_days, context.zone)
    account.pack_octets += octets
    account.pack_seconds += seconds
    pack = Pack(
        account_id=account.id,
        quota_epoch=account.quota_epoch,
        octets=octets,
        seconds=seconds,
        starts_at=context.now,
        expires_at=expires_at,
    )
    context.scope.session.add(pack)
    context.scope.session.flush()  # its id is part of how the order is undone
    if expires_at is not None:
        set_due(context.scope.session, context.scope.tenant_id, PACK_END, pack.id, expires_at)
    facts: dict[str, Any] = {"octets": octets, "seconds": seconds, "validity_days": command.validity_days}
    on_arrears = command.method == "arrears" and price > 0
    return Booking(
        kind="add-pack",
        method=command.method if price else "none",
        lines=[revenue("pack", price, REVENUE_PACK, **facts)],
        base_expiry=account.expires_at,
        receivable=arrears_of(context, account.expires_at, ZERO) if on_arrears else None,
        undo={"pack": pack.id},
        reason=command.reason,
    )


def _checked(context: Context, command: AddPack) -> tuple[int, int]:
    account, plan = context.account, context.plan
    octets, seconds = command.octets or 0, command.seconds or 0
    if octets < 0 or seconds < 0 or octets + seconds == 0:
        raise NothingToDo(field="octets", what="a pack has octets or seconds greater than 0")
    if command.validity_days is not None and not 1 <= command.validity_days <= 3650:
        raise NothingToDo(field="validity_days", what="the validity is 1 to 3650 days")
    if plan is None:
        raise NoPlan()
    if (octets and account.quota_octets is None) or (seconds and account.quota_seconds is None):
        what = "traffic" if octets and account.quota_octets is None else "hours"
        raise PackNeedsQuotaPlan(field="octets" if what == "traffic" else "seconds", plan=plan.name, what=what)
    if is_expired(account.expires_at, context.now):
        raise AccountExpired(account=account.username)
    return octets, seconds
