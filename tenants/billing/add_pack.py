"""Sell extra traffic or hours on top of the running plan (补充套餐, OPS-12)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from infra.outbox import set_due
from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, offered_plan, plan_terms, quota_grant, refuse_state
from tenants.billing.errors import AccountExpired, NoPlan, NothingToDo, PackNeedsQuotaPlan
from tenants.billing.models import Pack
from tenants.billing.operation import operation
from tenants.billing.purchase import arrears_of, check_method, take_payment
from tenants.billing.rules import check_quantity, is_expired
from tenants.kernel.money import ZERO, amount
from tenants.kernel.period import add_days
from tenants.ledger.chart import REVENUE_PACK
from tenants.usage.keep_count import forgive_excess

PACK_END = "billing.pack_end"


@dataclass(frozen=True, slots=True)
class AddPack:
    """``quantity`` of a quota plan as a pack, or octets and seconds of one's own choice.

    ``price`` None: the plan's. ``validity_days`` None: the plan's own validity, else as long as the running plan.
    """

    account_id: int
    plan_id: int | None = None
    quantity: int = 1
    octets: int | None = None
    seconds: int | None = None
    price: Decimal | None = None
    validity_days: int | None = None
    method: str = "cash"
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PackContent:
    """What one pack gives and costs by the list."""

    name: str
    octets: int
    seconds: int
    price: Decimal
    validity_days: int | None


@operation("add-pack", permission="op.add_pack")
def add_pack(context: Context, command: AddPack) -> Booking:
    """Used after the plan's own quota. Raises PackNeedsQuotaPlan, AccountExpired, NothingToDo, or a state's refusal.

    A plan whose quota is used up goes on with a pack as long as its validity lasts.
    """
    account = context.account
    refuse_state(context, never=True, not_activated=True)
    check_method(context, command.method, ("cash", "balance", "arrears", "online"))
    content = _content(context, command)
    price = amount(content.price if command.price is None else command.price, field="amount")
    octets, seconds = content.octets, content.seconds
    _check(context, content)
    take_payment(context, command.method, price)
    expires_at = None
    if content.validity_days is not None:
        expires_at = add_days(context.now, content.validity_days, context.zone)
    scope = context.by_itself()
    forgive_excess(scope, quota_grant(account, "" if context.plan is None else context.plan.kind))
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
    scope.session.add(pack)
    scope.session.flush()  # its id is part of how the order is undone
    if expires_at is not None:
        set_due(scope.session, scope.tenant_id, PACK_END, pack.id, expires_at)
    facts: dict[str, Any] = {
        "plan": content.name,
        "quantity": command.quantity,
        "octets": octets,
        "seconds": seconds,
        "validity_days": content.validity_days,
    }
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


def _content(context: Context, command: AddPack) -> PackContent:
    check_quantity(command.quantity)
    if command.plan_id is None:
        octets, seconds = (command.octets or 0) * command.quantity, (command.seconds or 0) * command.quantity
        return PackContent("", octets, seconds, ZERO, command.validity_days)
    plan = plan_terms(offered_plan(context, command.plan_id))
    days = plan.validity_days if command.validity_days is None else command.validity_days
    return PackContent(
        plan.name,
        (plan.quota_octets or 0) * command.quantity,
        (plan.quota_seconds or 0) * command.quantity,
        plan.price * command.quantity,
        days,
    )


def _check(context: Context, content: PackContent) -> None:
    account, plan = context.account, context.plan
    if content.octets < 0 or content.seconds < 0 or content.octets + content.seconds == 0:
        raise NothingToDo(field="octets", what="a pack has traffic or hours greater than 0")
    if content.validity_days is not None and not 1 <= content.validity_days <= 3650:
        raise NothingToDo(field="validity_days", what="the validity of a pack is 1 to 3650 days")
    if plan is None:
        raise NoPlan()
    no_octets, no_seconds = account.quota_octets is None, account.quota_seconds is None
    if (content.octets and no_octets) or (content.seconds and no_seconds):
        what = "traffic" if content.octets and no_octets else "hours"
        raise PackNeedsQuotaPlan(field="octets" if what == "traffic" else "seconds", plan=plan.name, what=what)
    if is_expired(account.expires_at, context.now):
        raise AccountExpired(account=account.username)
