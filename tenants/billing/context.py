"""The locked account with everything an operation decides on. Lock order: account → agent → card (style.md rule 15)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm.attributes import set_committed_value

from infra.tenant_scope import TenantScope
from tenants.billing.errors import (
    AccountClosed,
    AccountDisabled,
    AccountHeld,
    AccountNeverExpires,
    AccountNotActivated,
    BalanceTooShort,
    InArrears,
    NowBeforeAccount,
    PlanNotForOperator,
    PlanNotForRegion,
    PlanNotForSale,
    PlanNotForUse,
)
from tenants.billing.result import AccountSnapshot
from tenants.billing.rules import PlanTerms
from tenants.catalog.models import Plan
from tenants.catalog.queries import is_sold_in
from tenants.catalog.rules import KINDS
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.kernel.money import show
from tenants.registry.settings import TenantSettings
from tenants.registry.settings import read as read_settings
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import may_see
from tenants.usage.quota_left import QuotaGrant, QuotaLeft, quota_left

# What an order may change on an account, and a reversal puts back. Money is not here: it comes back by counter-entry.
WATCHED = (
    "plan_id", "region_id", "username", "state", "activated_at", "starts_at_first_login", "expires_at", "never_expires",
    "period_started_at", "period_quantity", "period_price", "period_gift_seconds", "first_due_at", "cut_off_at",
    "held_at", "auto_renew", "quota_octets", "quota_seconds", "quota_epoch", "pack_octets", "pack_seconds",
    "install_fee", "closed_at",
)  # fmt: skip


@dataclass(slots=True)
class Context:
    """One operation on one account whose row is locked until the end of the transaction."""

    scope: TenantScope
    account: Account
    plan: Plan | None
    actor: Actor
    now: datetime
    settings: TenantSettings
    before: dict[str, Any] = field(default_factory=dict)
    snapshot: AccountSnapshot | None = None

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's zone."""
        return self.scope.zone

    @property
    def terms(self) -> PlanTerms | None:
        """The account's present plan as values."""
        return None if self.plan is None else plan_terms(self.plan)

    @property
    def operator_id(self) -> int | None:
        """The operator who acts, if it is one."""
        return self.actor.id if self.actor.kind == "operator" else None


def plan_terms(plan: Plan) -> PlanTerms:
    """The plan as it stands now."""
    return PlanTerms(
        id=plan.id,
        name=plan.name,
        group_id=plan.group_id,
        kind=plan.kind,
        price=plan.price,
        quota_octets=plan.quota_octets,
        quota_seconds=plan.quota_seconds,
        validity_days=plan.validity_days,
    )


def open_context(scope: TenantScope, account_id: int, *, actor: Actor, now: datetime) -> Context:
    """Lock the account (first of all locks) and read what the operation needs.

    Raises :class:`NotFound` for an account that does not exist or that the actor may not see.
    """
    scope.session.flush()  # what the caller changed before must be in the row that is read again
    account = scope.session.execute(
        select(Account)
        .where(Account.id == account_id, Account.deleted_at.is_(None))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).scalar_one_or_none()
    if account is None or not may_see(actor, region_id=account.region_id, created_by=account.created_by):
        raise NotFound(what="account", ref=account_id)
    return context_of(scope, account, actor=actor, now=now)


def context_of(scope: TenantScope, account: Account, *, actor: Actor, now: datetime) -> Context:
    """A context over an account whose row the caller has locked or has just inserted."""
    plan = None if account.plan_id is None else scope.session.get(Plan, account.plan_id)
    context = Context(scope, account, plan, actor, now.astimezone(UTC), read_settings(scope))
    context.before = {name: getattr(account, name) for name in WATCHED}
    context.snapshot = snapshot_of(context)
    return context


def snapshot_of(context: Context) -> AccountSnapshot:
    """The account as it stands now."""
    account = context.account
    return AccountSnapshot(
        plan_id=account.plan_id,
        plan_name="" if context.plan is None else context.plan.name,
        expires_at=account.expires_at,
        state=account.state,
        activated=account.activated_at is not None,
        balance=account.balance,
        receivable=account.receivable,
    )


def changes(context: Context) -> dict[str, Any]:
    """The watched fields that the operation changed: name → new value."""
    account = context.account
    return {name: getattr(account, name) for name, old in context.before.items() if getattr(account, name) != old}


def move_cached(context: Context, *, balance: Decimal, receivable: Decimal) -> None:
    """Let the row in memory follow what the ledger's trigger did in the database."""
    account = context.account
    set_committed_value(account, "balance", account.balance + balance)
    set_committed_value(account, "receivable", account.receivable + receivable)


def check_instant(context: Context) -> None:
    """Raises :class:`NowBeforeAccount` for an instant before the account existed."""
    if context.now < context.account.opened_at:
        raise NowBeforeAccount(
            field="now",
            now=context.now.astimezone(context.zone).isoformat(),
            opened=context.account.opened_at.astimezone(context.zone).isoformat(),
        )


def refuse_state(
    context: Context,
    *,
    held: bool = True,
    disabled: bool = True,
    never: bool = False,
    not_activated: bool = False,
    arrears: bool = False,
) -> None:
    """Refuse an account in one of the named states; a closed one always."""
    account = context.account
    name = account.username
    if account.state == "closed":
        raise AccountClosed(account=name)
    if held and account.state == "held":
        raise AccountHeld(account=name)
    if disabled and account.state == "disabled":
        raise AccountDisabled(account=name)
    if never and account.never_expires:
        raise AccountNeverExpires(account=name)
    if not_activated and is_waiting(account):
        raise AccountNotActivated(account=name)
    if arrears and account.receivable > 0:
        raise InArrears(account=name, amount=show(account.receivable))


def is_waiting(account: Account) -> bool:
    """Whether a bought period waits for the first login."""
    return account.activated_at is None and account.plan_id is not None


def sellable_plan(context: Context, plan_id: int, *, first: bool, region_id: int | None = None) -> Plan:
    """The plan, if this actor may sell it to this account now.

    Raises :class:`NotFound`, PlanNotForSale (deleted, hidden), PlanNotForRegion, PlanNotForUse.
    """
    plan = context.scope.session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(field="plan", what="plan", ref=plan_id)
    if plan.deleted_at is not None:
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it was deleted")
    if not plan.visible and not context.actor.may("op.sell_hidden"):
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it is hidden")
    if not is_sold_in(context.scope, plan, region_id or context.account.region_id):
        raise PlanNotForRegion(field="plan", plan=plan.name)
    if plan.usage != "both" and (plan.usage == "new") != first:
        raise PlanNotForUse(field="plan", plan=plan.name, usage="new" if plan.usage == "new" else "existing")
    allowed = getattr(context.actor, "plan_ids", None)
    if allowed is not None and plan.id not in allowed:
        raise PlanNotForOperator(field="plan", plan=plan.name)
    return plan


def offered_plan(context: Context, plan_id: int, *, region_id: int | None = None) -> Plan:
    """A plan that staff may give by hand: whatever its usage, but neither deleted nor of another region."""
    plan = context.scope.session.get(Plan, plan_id)
    if plan is None:
        raise NotFound(field="plan", what="plan", ref=plan_id)
    if plan.deleted_at is not None:
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it was deleted")
    if not is_sold_in(context.scope, plan, region_id or context.account.region_id):
        raise PlanNotForRegion(field="plan", plan=plan.name)
    return plan


def need_balance(context: Context, amount: Decimal) -> None:
    """Raises :class:`BalanceTooShort` where the balance does not cover the amount."""
    balance = context.account.balance
    if amount > balance:
        raise BalanceTooShort(
            field="method", balance=show(balance), needed=show(amount), missing=show(amount - balance)
        )


def grant_of(account: Account, plan: PlanTerms | None) -> QuotaGrant:
    """The account's quota as it was sold."""
    kind = 0 if plan is None else KINDS[plan.kind].quota_scope
    return QuotaGrant(
        account.id,
        kind,
        account.quota_epoch,
        account.quota_octets,
        account.quota_seconds,
        account.pack_octets,
        account.pack_seconds,
    )


def left_of_total_quota(context: Context) -> tuple[int, int] | None:
    """(granted, used) of a plan with one quota over its whole period; None for other plans."""
    terms, account = context.terms, context.account
    if terms is None or not terms.has_total_quota or account.activated_at is None:
        return None
    rest: QuotaLeft = quota_left(context.scope, grant_of(account, terms), context.now)
    for granted, packs, unused in (
        (account.quota_octets, account.pack_octets, rest.octets),
        (account.quota_seconds, account.pack_seconds, rest.seconds),
    ):
        if granted is not None and unused is not None:
            return granted, granted + packs - unused
    return None
