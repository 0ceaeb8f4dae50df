"""Work that is due: expiry, monthly deduction, auto-renewal, arrears cut-off, ends of packs (issue 3, "Due work").

Each batch claims with SKIP LOCKED, books with the due instant however late it runs, and drops the due rows in the
same transaction: safe to run twice at once and to be killed anywhere. Locks are taken in the order of the operations,
account first, then its due row, then the order number; who is being worked on is skipped and keeps his due row.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, bindparam, delete, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY

from infra.outbox import DueRow
from infra.tenant_scope import TenantScope
from tenants.access.disconnect import disconnect_accounts
from tenants.access.project import EXPIRE
from tenants.billing.add_pack import PACK_END
from tenants.billing.end_pack import end_pack
from tenants.billing.renew_due import renew_from_balance
from tenants.catalog.models import Plan
from tenants.subscribers.models import Account

MOST_RENEWALS = 200  # in one transaction
MOST_MISSED_PERIODS = 60  # five years of months: more is a clock that went wrong


@dataclass(frozen=True, slots=True)
class DueReport:
    """What one batch did; ``more`` means that it stopped at a limit and more may be due."""

    handled: int = 0
    renewed: int = 0
    expired: int = 0
    disconnected: int = 0
    packs_ended: int = 0
    more: bool = False


def run_due(scope: TenantScope, *, now: datetime, limit: int = 2000) -> DueReport:
    """Handle up to ``limit`` due rows of this tenant."""
    # Packs first: they wait for nobody, and must not while this transaction holds the order number.
    packs = _claim_packs(scope, now, limit)
    ids = _claim_accounts(scope, now, limit)
    renewing = _renewing(scope, ids)
    # The order number's row is locked from the first renewal to the commit: clerks must not wait for thousands.
    later = set(renewing[MOST_RENEWALS:])
    renewed, behind = _renew(scope, renewing[:MOST_RENEWALS], now) if renewing else (0, [])
    later |= set(behind)
    more = bool(later) or len(ids) >= limit or len(packs) >= limit
    ids = [account_id for account_id in ids if account_id not in later]
    ended = _ended(scope, ids, now)
    disconnected = disconnect_accounts(scope, ended, "expired") if ended else 0
    _drop(scope, EXPIRE, ids, now)
    return DueReport(len(ids) + len(packs), renewed, len(ended), disconnected, len(packs), more)


def _claim_packs(scope: TenantScope, now: datetime, limit: int) -> list[int]:
    """End the packs that are due; those of accounts that are being worked on stay for next time."""
    due = select(DueRow.subject_id).where(*_due(scope, PACK_END, now)).order_by(DueRow.run_at).limit(limit)
    handled = [pack_id for pack_id in scope.session.scalars(due) if end_pack(scope, pack_id, now=now)]
    _drop(scope, PACK_END, handled, now)
    return handled


def _due(scope: TenantScope, kind: str, now: datetime) -> list[ColumnElement[bool]]:
    return [DueRow.tenant_id == scope.tenant_id, DueRow.kind == kind, DueRow.run_at <= now]


def _claim_accounts(scope: TenantScope, now: datetime, limit: int) -> list[int]:
    """Lock the accounts that are due, the first due first, then their due rows as they stand by then."""
    accounts = list(
        scope.session.scalars(
            select(Account.id)
            .join(DueRow, DueRow.subject_id == Account.id)
            .where(*_due(scope, EXPIRE, now))
            .order_by(DueRow.run_at)
            .limit(limit)
            .with_for_update(skip_locked=True, key_share=True, of=Account)
        )
    )
    if not accounts:
        return []
    still = select(DueRow.subject_id).where(*_due(scope, EXPIRE, now), DueRow.subject_id == func.any(_array(accounts)))
    return list(scope.session.scalars(still.with_for_update(skip_locked=True)))


def _drop(scope: TenantScope, kind: str, ids: Sequence[int], now: datetime) -> None:
    """Rows that a renewal moved into the future stay."""
    if ids:
        scope.session.flush()  # the renewals' new due rows
        scope.session.execute(
            delete(DueRow).where(
                DueRow.tenant_id == scope.tenant_id,
                DueRow.kind == kind,
                DueRow.subject_id == func.any(_array(ids)),
                DueRow.run_at <= now,
            )
        )


def _array(ids: Sequence[int]) -> object:
    return bindparam("ids", list(ids), type_=ARRAY(BigInteger))


def _renewing(scope: TenantScope, ids: Sequence[int]) -> list[int]:
    """Those that pay for their next period themselves, the first due first."""
    if not ids:
        return []
    return list(
        scope.session.scalars(
            select(Account.id)
            .join(Plan, Plan.id == Account.plan_id)
            .where(
                Account.id == func.any(_array(ids)),
                Account.state == "active",
                Account.activated_at.is_not(None),
                Account.never_expires.is_(False),
                or_(Account.balance > 0, Plan.price == 0),
                or_(Plan.kind == "prepaid-month", Account.auto_renew),
            )
            .order_by(Account.expires_at, Account.id)
        )
    )


def _renew(scope: TenantScope, account_ids: Sequence[int], now: datetime) -> tuple[int, list[int]]:
    """Renew until the accounts run again or their balance is short.

    Gives how many were renewed at least once, and who is so far behind that the next batch goes on.
    """
    first = renewed = renew_from_balance(scope, account_ids, now=now)
    for _ in range(MOST_MISSED_PERIODS):
        behind = [account.id for account in renewed if account.expires_at <= now]
        if not behind:
            break
        renewed = renew_from_balance(scope, behind, now=now)
    return len(first), [account.id for account in renewed if account.expires_at <= now]


def _ended(scope: TenantScope, ids: Sequence[int], now: datetime) -> list[int]:
    """Those that may no longer connect: expired, or beyond the allowed days of arrears."""
    if not ids:
        return []
    return list(
        scope.session.scalars(
            select(Account.id).where(
                Account.id == func.any(_array(ids)),
                Account.activated_at.is_not(None),
                func.least(Account.expires_at, func.coalesce(Account.cut_off_at, Account.expires_at)) <= now,
            )
        )
    )
