"""Open an account: customer and account, the first purchase, the install fee (SUB-2, SUB-3, OPS-1)."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from decimal import Decimal

from infra.tenant_scope import TenantScope
from tenants.billing.book import prepare, store
from tenants.billing.booking import Booking, BookLine, revenue
from tenants.billing.buy import discount_facts
from tenants.billing.context import Context, open_context, sellable_plan
from tenants.billing.errors import BadExpiry, BadMethod, NoPlan
from tenants.billing.load import Wanted, load
from tenants.billing.online import follow_online
from tenants.billing.purchase import PURCHASE_METHODS, Purchase, apply_purchase, arrears_of, check_method, plan_purchase
from tenants.billing.result import OperationResult, as_json, from_json
from tenants.billing.rules import check_quantity
from tenants.billing.rules_promotion import DiscountRule
from tenants.billing.typed_expiry import typed_expiry
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO, amount
from tenants.ledger.chart import REVENUE_INSTALL
from tenants.ledger.idempotency import claim, content_hash, remember
from tenants.registry.settings import read as read_settings
from tenants.subscribers.create_account import CreateAccount, create_account

START_NOW, START_FIRST_LOGIN = "now", "first-login"


@dataclass(frozen=True, slots=True)
class OpenAccount:
    """A new account and what it buys first. ``install_fee`` None: the tenant's. ``expires_at`` overrides the period."""

    account: CreateAccount
    plan_id: int | None
    quantity: int = 1
    method: str = "cash"
    start: str = START_NOW
    install_fee: Decimal | None = None
    expires_at: datetime | None = None
    discounts: tuple[DiscountRule, ...] = ()
    agent_id: int | None = None


def open_account(
    scope: TenantScope, command: OpenAccount, *, actor: Actor, now: datetime, key: str | None = None
) -> OperationResult:
    """Create the account and book its first order.

    Raises what :func:`create_account` raises, NoPlan where the tenant does not open accounts without one, and the
    refusals of a purchase.
    """
    actor.require("accounts.open")
    now = now.astimezone(UTC)
    if key is not None:
        known = claim(scope, key, "open", content_hash("open", command), now=now, account_id=None)
        if known is not None:
            return from_json(known)
    check_quantity(command.quantity)
    settings = read_settings(scope)
    if command.plan_id is None and not settings.open_without_plan:
        raise NoPlan(field="plan")
    if command.start not in (START_NOW, START_FIRST_LOGIN):
        raise BadMethod(field="start", method=command.start[:20], choices=f"{START_NOW}, {START_FIRST_LOGIN}")
    waits = command.start == START_FIRST_LOGIN
    new = replace(
        command.account,
        plan_id=None,  # the purchase sets it
        expires_at=now,
        starts_at_first_login=waits,
    )
    account = create_account(scope, new, actor=actor, now=now)
    account.activated_at = None if waits else now
    loaded = load(scope, [Wanted(account.id, command.plan_id)])
    context = open_context(scope, loaded.get(account.id), account.id, actor=actor, now=now)
    prepared = prepare(context, "open", _open(context, command, waits=waits))
    follow_online(scope, [(context, prepared.changed)])
    [result] = store(scope, [prepared])
    if key is not None:
        remember(scope, key, as_json(result))
    return result


def _open(context: Context, command: OpenAccount, *, waits: bool) -> Booking | None:
    account = context.account
    check_method(context, command.method, PURCHASE_METHODS)
    fee_line = _install_fee(context, command)
    fee = ZERO if fee_line is None else fee_line.amount
    purchase: Purchase | None = None
    if command.plan_id is not None:
        plan = sellable_plan(context, command.plan_id, first=True)
        purchase = plan_purchase(context, plan, command.quantity, first=True, discounts=command.discounts)
        on_arrears = command.method == "arrears"
        apply_purchase(context, purchase, paid=ZERO if on_arrears else purchase.priced.total, waits=waits)
    if command.expires_at is not None:
        _set_expiry(context, command.expires_at, waits=waits)
    account.install_fee = fee
    lines = [*([] if purchase is None else purchase.lines), *([] if fee_line is None else [fee_line])]
    if not lines:
        return None
    booking = Booking(
        kind="open",
        method=command.method,
        lines=lines,
        quantity=command.quantity,
        plan=None if purchase is None else purchase.plan,
        base_expiry=context.now,
        discount_rule=None if purchase is None else discount_facts(purchase),
        agent_id=command.agent_id,
    )
    if command.method == "arrears" and booking.total > 0:
        booking.receivable = arrears_of(context, context.now, ZERO if purchase is None else purchase.priced.total)
    elif command.method == "balance" and booking.total > 0:
        raise BadMethod(field="method", method="balance", choices="cash, arrears")  # a new account has none
    return booking


def _install_fee(context: Context, command: OpenAccount) -> BookLine | None:
    proposed = context.settings.install_fee
    fee = proposed if command.install_fee is None else amount(command.install_fee, field="install_fee")
    if fee != proposed:
        context.actor.require("op.edit_install_fee")
    return revenue("install", fee, REVENUE_INSTALL, proposed=str(proposed)) if fee else None


def _set_expiry(context: Context, expires_at: datetime, *, waits: bool) -> None:
    context.actor.require("op.edit_expiry")
    if waits or expires_at <= context.now:
        reason = "the period begins with the first login" if waits else "it lies in the past"
        raise BadExpiry(
            field="expires_at", expiry=f"{expires_at.astimezone(context.zone):%Y-%m-%d %H:%M:%S}", reason=reason
        )
    context.account.expires_at = typed_expiry(context, expires_at.astimezone(UTC))
    context.account.activated_at = context.account.activated_at or context.now
