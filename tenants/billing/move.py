"""Move to another region, with a fee, another plan or another user name (办理迁移, OPS-5)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy.exc import IntegrityError

from tenants.billing.booking import Booking, revenue
from tenants.billing.context import Context, offered_plan, refuse_state
from tenants.billing.errors import NothingToDo
from tenants.billing.operation import operation
from tenants.billing.purchase import carried_value, check_method, grant_plan, take_payment
from tenants.kernel.money import ZERO, amount
from tenants.ledger.chart import REVENUE_FEE
from tenants.subscribers.errors import UsernameTaken
from tenants.subscribers.fields import refresh_search
from tenants.subscribers.find import find_account, find_customer, find_region
from tenants.subscribers.rules import check_username


@dataclass(frozen=True, slots=True)
class Move:
    """What changes; None leaves it."""

    account_id: int
    region_id: int | None = None
    plan_id: int | None = None
    fee: Decimal = ZERO
    new_username: str | None = None
    method: str = "cash"
    reason: str = ""


@operation("move", permission="op.move")
def move(context: Context, command: Move) -> Booking:
    """The expiry stays. Raises NothingToDo, RegionNotFound, PlanNotForRegion (the present plan is not sold there:
    choose one), UsernameTaken, BadUsername, BalanceTooShort, or a state's refusal.
    """
    account = context.account
    refuse_state(context, not_activated=command.plan_id is not None)
    check_method(context, command.method, ("cash", "balance"))
    fee = amount(command.fee, field="fee")
    old_name, old_region, old_plan = account.username, account.region_id, account.plan_id
    if command.region_id is not None:
        account.region_id = find_region(context.scope, command.region_id, actor=context.actor).id
    plan_id = command.plan_id if command.plan_id is not None else old_plan
    if plan_id is not None and (plan_id != old_plan or account.region_id != old_region):
        plan = offered_plan(context, plan_id, region_id=account.region_id)
        if plan_id != old_plan:
            context.actor.require("op.move_plan")
            carried, gifts = carried_value(context)
            grant_plan(context, plan)
            account.period_started_at, account.period_price = context.now, carried
            account.period_gift_seconds = gifts
    if command.new_username is not None and command.new_username != old_name:
        _rename(context, command.new_username)
    if (account.username, account.region_id, account.plan_id) == (old_name, old_region, old_plan) and fee == 0:
        raise NothingToDo(what="neither region, plan, user name nor a fee was given")
    take_payment(context, command.method, fee)
    if account.username != old_name:
        context.disconnect = "renamed"  # sessions carry the old name
    elif account.plan_id != old_plan:
        context.change_rate = True
    facts: dict[str, Any] = {"old_username": old_name} if account.username != old_name else {}
    return Booking(
        kind="move",
        method=command.method if fee else "none",
        lines=[revenue("fee", fee, REVENUE_FEE, **facts)] if fee else [],
        reason=command.reason,
    )


def _rename(context: Context, name: str) -> None:
    context.actor.require("op.rename")
    account, scope = context.account, context.by_itself()
    customer = find_customer(scope, account.customer_id)
    try:
        with scope.session.begin_nested():
            row = find_account(scope, account.id)
            account.username = row.username = check_username(name, field="new_username")
            refresh_search(row, customer)
            scope.session.flush()  # the unique index's verdict on the name
    except IntegrityError as error:
        if "uq_accounts_username" in str(error.orig):
            raise UsernameTaken(field="new_username", username=name) from None
        raise
