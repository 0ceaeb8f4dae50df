"""Prove that orders, entries, fee records and receivables agree (FIN-7; ``ledger check``)."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import case, func, literal, select

from infra.tenant_scope import TenantScope
from tenants.billing.models import FeeRecord, Hold, Order, OrderLine, Receivable
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import DRAWER
from tenants.ledger.check import MAX_FINDINGS, Finding, LedgerTotals, check_balances, check_entries, totals
from tenants.ledger.models import JournalEntry, JournalLine
from tenants.subscribers.models import Account


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What was compared and every disagreement that was found (the first hundred of each kind)."""

    totals: LedgerTotals
    orders: int
    findings: list[Finding]

    @property
    def ok(self) -> bool:
        """Whether everything agrees."""
        return not self.findings


def check_ledger(scope: TenantScope) -> CheckReport:
    """Recompute every balance and prove orders ↔ entries ↔ fee records ↔ receivables."""
    findings = [
        *check_entries(scope),
        *check_balances(scope),
        *_orders_and_lines(scope),
        *_orders_and_fees(scope),
        *_orders_and_entries(scope),
        *_receivables(scope),
        *_drawers(scope),
        *_holds(scope),
    ]
    orders = scope.session.execute(select(func.count()).select_from(Order)).scalar_one()
    return CheckReport(totals(scope), orders, findings)


def _orders_and_lines(scope: TenantScope) -> list[Finding]:
    sums = (
        select(OrderLine.order_id, func.sum(OrderLine.amount).label("amount")).group_by(OrderLine.order_id).subquery()
    )
    amount = func.coalesce(sums.c.amount, 0)
    return _findings(
        scope,
        "order_lines_differ",
        "order",
        select(Order.number, Order.total, amount)
        .outerjoin(sums, sums.c.order_id == Order.id)
        .where(Order.total != amount),
    )


def _orders_and_fees(scope: TenantScope) -> list[Finding]:
    signed = case((FeeRecord.direction == "income", FeeRecord.amount), else_=-FeeRecord.amount)
    amount = func.coalesce(signed, 0)
    return _findings(
        scope,
        "fee_record_differs",
        "order",
        select(Order.number, Order.total, amount)
        .outerjoin(FeeRecord, FeeRecord.order_id == Order.id)
        .where((Order.total != amount) | (FeeRecord.method != Order.method)),
    )


def _orders_and_entries(scope: TenantScope) -> list[Finding]:
    """An order that moved money has exactly one entry, and every entry its order."""
    entries = select(JournalEntry.order_id, func.count().label("entries")).group_by(JournalEntry.order_id).subquery()
    found = func.coalesce(entries.c.entries, 0)
    missing = _findings(
        scope,
        "entry_missing",
        "order",
        select(Order.number, literal(1), found)
        .outerjoin(entries, entries.c.order_id == Order.id)
        .where((found > 1) | ((found == 0) & (Order.total != 0))),
    )
    orphans = _findings(
        scope,
        "entry_without_order",
        "entry",
        select(JournalEntry.id, func.coalesce(JournalEntry.order_id, 0), literal(0))
        .outerjoin(Order, Order.id == JournalEntry.order_id)
        .where(Order.id.is_(None)),
    )
    return [*missing, *orphans]


def _receivables(scope: TenantScope) -> list[Finding]:
    sums = (
        select(Receivable.account_id, func.sum(Receivable.amount - Receivable.paid).label("owed"))
        .where(Receivable.state == "open")
        .group_by(Receivable.account_id)
        .subquery()
    )
    owed = func.coalesce(sums.c.owed, 0)
    return _findings(
        scope,
        "open_receivables_differ",
        "account",
        select(Account.username, Account.receivable, owed)
        .outerjoin(sums, sums.c.account_id == Account.id)
        .where(Account.receivable != owed),
    )


def _drawers(scope: TenantScope) -> list[Finding]:
    """Each operator's drawer in the ledger holds what his cash fee records add up to."""
    in_ledger = _sums(
        scope,
        select(JournalLine.subject_id, func.sum(JournalLine.debit - JournalLine.credit))
        .where(JournalLine.kind == DRAWER)
        .group_by(JournalLine.subject_id),
    )
    signed = case((FeeRecord.direction == "income", FeeRecord.amount), else_=-FeeRecord.amount)
    operator = func.coalesce(FeeRecord.operator_id, 0)
    in_records = _sums(scope, select(operator, func.sum(signed)).where(FeeRecord.method == "cash").group_by(operator))
    return [
        Finding("drawer_differs", f"operator {who}", show(in_records.get(who, ZERO)), show(in_ledger.get(who, ZERO)))
        for who in sorted(in_ledger.keys() | in_records.keys())
        if in_ledger.get(who, ZERO) != in_records.get(who, ZERO)
    ]


def _holds(scope: TenantScope) -> list[Finding]:
    """A held account has its open hold, and no other has one."""
    open_holds = select(Hold.account_id).where(Hold.resumed_at.is_(None), Hold.undone_at.is_(None)).subquery()
    return _findings(
        scope,
        "hold_differs",
        "account",
        select(Account.username, Account.state, func.coalesce(open_holds.c.account_id, 0))
        .outerjoin(open_holds, open_holds.c.account_id == Account.id)
        .where((Account.state == "held") != open_holds.c.account_id.is_not(None)),
    )


def _findings(scope: TenantScope, what: str, thing: str, statement: Any) -> list[Finding]:
    return [
        Finding(what, f"{thing} {subject}", str(stored), str(recomputed))
        for subject, stored, recomputed in scope.session.execute(statement.limit(MAX_FINDINGS))
    ]


def _sums(scope: TenantScope, statement: Any) -> dict[int, Decimal]:
    return {int(key): value for key, value in scope.session.execute(statement)}
