"""Refund: money back, balance 0, the account expires now (用户退费, OPS-6)."""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from tenants.billing.booking import Booking, BookLine
from tenants.billing.context import Context, is_waiting, quota_of_period, refuse_state
from tenants.billing.errors import NoPlan
from tenants.billing.operation import operation
from tenants.billing.rules_refund import proposed_refund, unused_share, unused_value
from tenants.kernel.money import ZERO, amount, cents, show
from tenants.ledger.chart import CUSTOMER, REFUND, REVENUE_OTHER, Line, credit, debit


@dataclass(frozen=True, slots=True)
class Refund:
    """``amount`` None pays out the proposal."""

    account_id: int
    amount: Decimal | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a refund is computed from."""

    balance: Decimal
    price_paid: Decimal
    share: Fraction
    amount: Decimal


@operation("refund", permission="op.refund")
def refund(context: Context, command: Refund) -> Booking:
    """Paid out in cash. Raises InArrears, Forbidden (another amount than proposed), BadAmount, or a state's refusal."""
    refuse_state(context, arrears=True)
    if context.account.plan_id is None and context.account.balance == 0:
        raise NoPlan()
    return pay_out(context, "refund", command.amount, command.reason)


def propose(context: Context) -> Proposal:
    """Balance + price paid × unused share of the period − gifts (gifted time is worth nothing)."""
    account = context.account
    share = Fraction(0)
    if is_waiting(account):
        share = Fraction(1)  # bought and never begun
    elif not account.never_expires:
        total = quota_of_period(context)
        share = unused_share(
            started_at=account.period_started_at,
            expires_at=account.expires_at,
            now=context.now,
            gift_seconds=account.period_gift_seconds,
            quota=None if total is None else total[0],
            used=0 if total is None else total[1],
        )
    return Proposal(
        account.balance, account.period_price, share, proposed_refund(account.balance, account.period_price, share)
    )


def pay_out(context: Context, kind: str, wanted: Decimal | None, reason: str) -> Booking:
    """Pay out, empty the balance, end the period now: what refund and close have in common."""
    account, proposal = context.account, propose(context)
    money = proposal.amount if wanted is None else amount(wanted)
    if money != proposal.amount:
        context.actor.require("op.edit_refund")
    account.expires_at = min(account.expires_at, context.now)
    account.never_expires = False
    account.activated_at = account.activated_at or context.now
    account.period_price = ZERO
    account.period_gift_seconds = 0
    account.first_due_at = None
    account.auto_renew = False
    context.disconnect = kind
    facts = {
        "balance": show(proposal.balance),
        "price_paid": show(cents(proposal.price_paid)),
        "unused_percent": show(cents(unused_value(Decimal(100), proposal.share))),
        "unused_value": show(cents(unused_value(proposal.price_paid, proposal.share))),
        "proposed": show(proposal.amount),
    }
    lines = [BookLine("refund", ZERO - money, tuple(_postings(context, money)), facts)] if money else []
    # A balance that is given up without being paid out becomes other income.
    left_over = account.balance if not money else ZERO
    transfers = [debit(CUSTOMER, account.id, left_over), credit(REVENUE_OTHER, 0, left_over)] if left_over else []
    return Booking(kind=kind, method="cash" if money else "none", lines=lines, transfers=transfers, reason=reason)


def _postings(context: Context, money: Decimal) -> list[Line]:
    balance = context.account.balance
    lines = [debit(CUSTOMER, context.account.id, balance)] if balance else []
    beyond = money - balance
    if beyond > 0:
        lines.append(debit(REFUND, context.account.plan_id or 0, beyond))
    elif beyond < 0:
        lines.append(credit(REVENUE_OTHER, 0, -beyond))
    return lines
