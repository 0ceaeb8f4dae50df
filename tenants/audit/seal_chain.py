"""Chains new entries of the operation log (STF-6), afterwards and in one go.

A chain built while entries are written would make all staff of a tenant wait for each other; so a job seals what has
been committed since. Entries are taken in the order in which they are found, which need not be that of their ids.
"""

from sqlalchemy import func, select, text, update

from infra.tenant_scope import TenantScope
from tenants.audit.chain import GENESIS, entry_hash
from tenants.audit.models import AuditEntry


def seal_chain(scope: TenantScope, *, limit: int = 5000) -> int:
    """Seal up to ``limit`` entries; returns how many. Two at once: the second waits and finds the rest."""
    session = scope.session
    session.execute(
        text("SELECT pg_advisory_xact_lock(hashtext('broadloom.seal_chain'), :tenant)"), {"tenant": scope.tenant_id}
    )
    position = session.scalar(select(func.max(AuditEntry.position))) or 0
    previous = GENESIS
    if position:
        previous = session.scalars(select(AuditEntry.hash).where(AuditEntry.position == position)).one() or GENESIS
    waiting = session.scalars(select(AuditEntry).where(AuditEntry.hash.is_(None)).order_by(AuditEntry.id).limit(limit))
    sealed = []
    for entry in waiting:
        position += 1
        current = entry_hash(previous, entry)
        sealed.append({"id": entry.id, "position": position, "previous_hash": previous, "hash": current})
        previous = current
    if sealed:
        session.execute(update(AuditEntry), sealed)
    return len(sealed)
