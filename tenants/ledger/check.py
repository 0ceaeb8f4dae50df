"""Recompute everything from the entries and say what does not agree (FIN-7; the nightly job and ``ledger check``)."""

from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Numeric, cast, func, select

from infra.tenant_scope import TenantScope
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import CUSTOMER, RECEIVABLE
from tenants.ledger.models import JournalEntry, JournalLine
from tenants.subscribers.models import Account

MAX_FINDINGS = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement: ``what`` is a stable code, ``subject`` names the thing, then the two values compared."""

    what: str
    subject: str
    stored: str
    recomputed: str


@dataclass(frozen=True, slots=True)
class LedgerTotals:
    """What the ledger holds in all."""

    entries: int
    debits: Decimal
    credits: Decimal


def totals(scope: TenantScope) -> LedgerTotals:
    """Number of entries and the sums of both sides."""
    entries = scope.session.execute(select(func.count()).select_from(JournalEntry)).scalar_one()
    debits, credits = scope.session.execute(select(func.sum(JournalLine.debit), func.sum(JournalLine.credit))).one()
    return LedgerTotals(entries, debits or ZERO, credits or ZERO)


def check_entries(scope: TenantScope) -> list[Finding]:
    """Entries whose sides differ, or whose lines are not all there."""
    sums = (
        select(
            JournalLine.entry_id,
            func.sum(JournalLine.debit).label("debits"),
            func.sum(JournalLine.credit).label("credits"),
            func.count().label("lines"),
        )
        .group_by(JournalLine.entry_id)
        .subquery()
    )
    rows = scope.session.execute(
        select(JournalEntry.id, JournalEntry.lines, sums.c.debits, sums.c.credits, sums.c.lines)
        .outerjoin(sums, sums.c.entry_id == JournalEntry.id)
        .where((sums.c.entry_id.is_(None)) | (sums.c.debits != sums.c.credits) | (sums.c.lines != JournalEntry.lines))
        .order_by(JournalEntry.id)
        .limit(MAX_FINDINGS)
    ).all()
    return [
        Finding(
            "entry_not_balanced", f"entry {entry_id}", f"{lines} lines", f"{debits} / {credits} in {found or 0} lines"
        )
        for entry_id, lines, debits, credits, found in rows
    ]


def check_balances(scope: TenantScope) -> list[Finding]:
    """Accounts whose cached balance or receivable differs from the sum of their lines."""
    money = Numeric(14, 2)
    sums = (
        select(
            JournalLine.subject_id,
            func.sum(JournalLine.credit - JournalLine.debit).filter(JournalLine.kind == CUSTOMER).label("balance"),
            func.sum(JournalLine.debit - JournalLine.credit).filter(JournalLine.kind == RECEIVABLE).label("receivable"),
        )
        .where(JournalLine.kind.in_((CUSTOMER, RECEIVABLE)))
        .group_by(JournalLine.subject_id)
        .subquery()
    )
    balance = func.coalesce(cast(sums.c.balance, money), 0)
    receivable = func.coalesce(cast(sums.c.receivable, money), 0)
    rows = scope.session.execute(
        select(Account.id, Account.username, Account.balance, Account.receivable, balance, receivable)
        .outerjoin(sums, sums.c.subject_id == Account.id)
        .where((Account.balance != balance) | (Account.receivable != receivable))
        .order_by(Account.id)
        .limit(MAX_FINDINGS)
    ).all()
    findings = []
    for account_id, username, stored_balance, stored_receivable, real_balance, real_receivable in rows:
        subject = f"account {username} ({account_id})"
        if stored_balance != real_balance:
            findings.append(Finding("balance_differs", subject, show(stored_balance), show(Decimal(real_balance))))
        if stored_receivable != real_receivable:
            findings.append(
                Finding("receivable_differs", subject, show(stored_receivable), show(Decimal(real_receivable)))
            )
    return findings
