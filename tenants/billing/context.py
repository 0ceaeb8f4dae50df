"""The locked account with everything an operation decides on. Lock order: account → agent → card (style.md rule 15)."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import or_, select

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
from tenants.billing.load import WATCHED, Loaded, LockedAccount
from tenants.billing.load_orders import BookedOrder
from tenants.billing.models import Order
from tenants.billing.result import AccountSnapshot
from tenants.billing.rules import PlanTerms
from tenants.catalog.facts import PlanFacts, plan_facts
from tenants.catalog.rules import KINDS
from tenants.kernel.actor import Actor
from tenants.kernel.errors import NotFound
from tenants.kernel.money import show
from tenants.registry.settings import TenantSettings
from tenants.subscribers.models import Account
from tenants.subscribers.visibility import may_see
from tenants.usage.quota_left import QuotaGrant, QuotaLeft, quota_left

_watched = attrgetter(*WATCHED)


_AS_THEY_ARE = frozenset({str, int, bool})


class NotShareable(Exception):
    """The operation must have a unit of work of its own; it has changed nothing so far."""


class LockedElsewhere(NotShareable):
    """Somebody else works on the account just now; it may be free for the next unit of work."""


def plain(value: Any) -> Any:
    """A value of a row as JSON holds it and PostgreSQL reads it back."""
    if value is None or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


@dataclass(slots=True)
class Context:
    """One operation on one account whose row is locked until the end of the transaction.

    ``before`` and ``snapshot``: the account as it was; ``plans``: what was read of the catalogue so far; ``order``: the
    one that a reversal is about; ``beside``: what else was read. An operation changes ``account`` and says in ``rows``,
    ``disconnect`` and ``change_rate`` what else follows; the booking carries it out. What it must write itself it does
    through :meth:`by_itself`.
    """

    scope: TenantScope
    beside: Loaded
    actor: Actor
    now: datetime
    shared: bool = (
        False  # whether others are decided on in the same unit of work, of whom a refusal must leave no trace
    )
    order: BookedOrder | None = None
    called: str = ""  # what result and log call it, where it is not the operation's name
    plans: dict[int, PlanFacts] = field(init=False)
    rows: dict[str, dict[int, dict[str, Any]]] = field(default_factory=dict)
    disconnect: str = ""  # why the account's open sessions end
    used_before: int = 0  # of a total quota that goes on: what had been used when the present period began
    counted: dict[str, Any] | None = None  # what was used of the quota, where the operation itself changes the count
    change_rate: bool = False  # whether they get another rate, where the booking's own changes do not say so
    before: dict[str, Any] = field(init=False)
    snapshot: AccountSnapshot = field(init=False)

    def __post_init__(self) -> None:
        """Remember the account as it is before the operation."""
        self.plans = self.beside.plans
        self.before = dict(zip(WATCHED, _watched(self.account), strict=True))
        self.snapshot = snapshot_of(self)

    @property
    def account(self) -> LockedAccount:
        """The account's row, as the operation has it so far."""
        return self.beside.account

    @property
    def settings(self) -> TenantSettings:
        """The tenant's settings."""
        return self.beside.settings

    def set_row(self, table: str, row_id: int, **values: Any) -> None:
        """Change a row beside the account with the booking: receivables, holds, packs or orders (``BESIDE``)."""
        plain_values = {name: plain(value) for name, value in values.items()}
        self.rows.setdefault(table, {}).setdefault(row_id, {}).update(plain_values)

    def by_itself(self) -> TenantScope:
        """The unit of work, for an operation that writes to it. Raises :class:`NotShareable` where others share it."""
        if self.shared:
            raise NotShareable
        return self.scope

    @property
    def zone(self) -> ZoneInfo:
        """The tenant's zone."""
        return self.scope.zone

    @property
    def plan(self) -> PlanFacts | None:
        """The account's plan as the operation has it so far."""
        plan_id = self.account.plan_id
        return None if plan_id is None else self.find_plan(plan_id)

    @property
    def terms(self) -> PlanTerms | None:
        """The same as values of a sale."""
        plan = self.plan
        return None if plan is None else plan_terms(plan)

    @property
    def operator_id(self) -> int | None:
        """The operator who acts, if it is one."""
        return self.actor.id if self.actor.kind == "operator" else None

    def find_plan(self, plan_id: int) -> PlanFacts | None:
        """A plan of the catalogue, deleted or not; None where there is none."""
        if plan_id not in self.plans:
            self.plans = {**self.plans, **plan_facts(self.scope, [plan_id])}
        return self.plans.get(plan_id)


def plan_terms(plan: PlanFacts) -> PlanTerms:
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


def open_context(
    scope: TenantScope,
    loaded: Loaded | None,
    account_id: int,
    *,
    actor: Actor,
    now: datetime,
    shared: bool = False,
    order: BookedOrder | None = None,
) -> Context:
    """What an operation of ``actor`` gets of an account that was loaded for it.

    Raises :class:`NotFound` for an account that does not exist or that the actor may not see.
    """
    if loaded is None or not may_see(actor, region_id=loaded.account.region_id, created_by=loaded.account.created_by):
        raise NotFound(what="account", ref=account_id)
    return Context(scope, loaded, actor, now.astimezone(UTC), shared, order)


def snapshot_of(context: Context) -> AccountSnapshot:
    """The account as it stands now."""
    account, plan = context.account, context.plan
    return AccountSnapshot(
        plan_id=account.plan_id,
        plan_name="" if plan is None else plan.name,
        expires_at=account.expires_at,
        state=account.state,
        activated=account.activated_at is not None,
        balance=account.balance,
        receivable=account.receivable,
    )


def changes(context: Context) -> dict[str, Any]:
    """The watched fields that the operation changed: name → new value."""
    now = zip(context.before.items(), _watched(context.account), strict=True)
    return {name: value for (name, old), value in now if value != old}


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


def is_waiting(account: LockedAccount) -> bool:
    """Whether a bought period waits for the first login."""
    return account.activated_at is None and account.plan_id is not None


def sellable_plan(context: Context, plan_id: int, *, first: bool, region_id: int | None = None) -> PlanFacts:
    """The plan, if this actor may sell it to this account now.

    Raises :class:`NotFound`, PlanNotForSale (deleted, hidden), PlanNotForRegion, PlanNotForUse.
    """
    plan = context.find_plan(plan_id)
    if plan is None:
        raise NotFound(field="plan", what="plan", ref=plan_id)
    if plan.deleted:
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it was deleted")
    if not plan.visible and not context.actor.may("op.sell_hidden"):
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it is hidden")
    if not plan.is_sold_in(region_id or context.account.region_id):
        raise PlanNotForRegion(field="plan", plan=plan.name)
    if plan.usage != "both" and (plan.usage == "new") != first:
        raise PlanNotForUse(field="plan", plan=plan.name, usage="new" if plan.usage == "new" else "existing")
    allowed = getattr(context.actor, "plan_ids", None)
    if allowed is not None and plan.id not in allowed:
        raise PlanNotForOperator(field="plan", plan=plan.name)
    return plan


def offered_plan(context: Context, plan_id: int, *, region_id: int | None = None) -> PlanFacts:
    """A plan that staff may give by hand: whatever its usage, but neither deleted nor of another region."""
    plan = context.find_plan(plan_id)
    if plan is None:
        raise NotFound(field="plan", what="plan", ref=plan_id)
    if plan.deleted:
        raise PlanNotForSale(field="plan", plan=plan.name, reason="it was deleted")
    if not plan.is_sold_in(region_id or context.account.region_id):
        raise PlanNotForRegion(field="plan", plan=plan.name)
    return plan


def need_balance(context: Context, amount: Decimal) -> None:
    """Raises :class:`BalanceTooShort` where the balance does not cover the amount."""
    balance = context.account.balance
    if amount > balance:
        raise BalanceTooShort(
            field="method", balance=show(balance), needed=show(amount), missing=show(amount - balance)
        )


def quota_grant(account: LockedAccount | Account, kind: str) -> QuotaGrant:
    """The account's quota as it was sold; ``kind`` is its plan's, '' without one."""
    return QuotaGrant(
        account.id,
        KINDS[kind].quota_scope if kind else 0,
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
    rest: QuotaLeft = quota_left(context.scope, quota_grant(account, terms.kind), context.now)
    for granted, packs, unused in (
        (account.quota_octets, account.pack_octets, rest.octets),
        (account.quota_seconds, account.pack_seconds, rest.seconds),
    ):
        if granted is not None and unused is not None:
            return granted, granted + packs - unused
    return None


def quota_of_period(context: Context) -> tuple[int, int] | None:
    """(granted, used) of a total quota since the present period began: extending it carried over what was left then.

    ``used_before`` of the order that began the period says how much had been used of the quota by then.
    """
    total = left_of_total_quota(context)
    if total is None or total[1] == 0:
        return total
    began = (
        select(Order.undo["used_before"].astext)
        .where(
            Order.account_id == context.account.id,
            Order.state == "booked",
            or_(Order.undo.has_key("used_before"), Order.plan_terms.is_not(None)),
        )
        .order_by(Order.id.desc())
        .limit(1)
    )
    before = int(context.scope.session.scalar(began) or 0)
    return total[0] - before, total[1] - before
