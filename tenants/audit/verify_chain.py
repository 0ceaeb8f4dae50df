"""Proves that the operation log is as it was written (STF-6)."""

from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.chain import GENESIS, entry_hash
from tenants.audit.models import AuditEntry


@dataclass(frozen=True, slots=True)
class ChainReport:
    """``broken_at`` is the id of the first entry that was altered or whose predecessor is missing; None = all right."""

    entries: int
    unsealed: int
    broken_at: int | None


def verify_chain(scope: TenantScope) -> ChainReport:
    """Recompute every hash from the first entry on."""
    unsealed = scope.session.scalar(select(func.count()).where(AuditEntry.hash.is_(None))) or 0
    rows = scope.session.scalars(
        select(AuditEntry)
        .where(AuditEntry.hash.is_not(None))
        .order_by(AuditEntry.position)
        .execution_options(yield_per=1000, populate_existing=True)
    )
    with closing(rows):
        count, broken_at = _walk(rows)
    return ChainReport(count, unsealed, broken_at)


def _walk(rows: Iterable[AuditEntry]) -> tuple[int, int | None]:
    previous, count = GENESIS, 0
    for entry in rows:
        count += 1
        expected = entry_hash(previous, entry)
        if entry.position != count or entry.previous_hash != previous or entry.hash != expected:
            return count, entry.id
        previous = expected
    return count, None
