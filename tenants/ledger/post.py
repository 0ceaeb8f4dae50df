"""The one way money moves: a balanced entry, posted whole (FIN-7). The database checks it again, and keeps caches."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from sqlalchemy import insert, select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO
from tenants.ledger.chart import Line
from tenants.ledger.errors import Unbalanced
from tenants.ledger.models import JournalEntry, JournalLine


def merged(lines: Sequence[Line]) -> list[Line]:
    """Lines of the same ledger account and side as one, empty ones gone. Raises :class:`Unbalanced`."""
    sums: dict[tuple[str, int, bool], Decimal] = {}
    for line in lines:
        for is_debit, value in ((True, line.debit), (False, line.credit)):
            if value:
                key = (line.kind, line.subject_id, is_debit)
                sums[key] = sums.get(key, ZERO) + value
    if sum((v for (_, _, d), v in sums.items() if d), ZERO) != sum((v for (_, _, d), v in sums.items() if not d), ZERO):
        raise Unbalanced(f"debits and credits differ: {lines!r}")
    return [
        Line(kind, subject, debit=value) if is_debit else Line(kind, subject, credit=value)
        for (kind, subject, is_debit), value in sums.items()
    ]


def post(
    scope: TenantScope,
    lines: Sequence[Line],
    *,
    actor: Actor,
    now: datetime,
    reason: str,
    order_id: int | None = None,
    reverses_id: int | None = None,
) -> int | None:
    """Post one entry; returns its id, or None where no money moved.

    The caller holds the row locks of the accounts whose balance moves. A balance below its limit is refused by the
    database (:class:`sqlalchemy.exc.IntegrityError`); operations check before and refuse with a sentence.
    """
    final = merged(lines)
    if not final:
        return None
    entry_id = scope.session.execute(
        insert(JournalEntry)
        .values(
            at=now,
            order_id=order_id,
            lines=len(final),
            reverses_id=reverses_id,
            operator_id=actor.id if actor.kind == "operator" else None,
            actor=actor.name,
            reason=reason,
        )
        .returning(JournalEntry.id)
    ).scalar_one()
    scope.session.execute(
        insert(JournalLine).values(
            [
                {
                    "entry_id": entry_id,
                    "position": position,
                    "kind": line.kind,
                    "subject_id": line.subject_id,
                    "debit": line.debit,
                    "credit": line.credit,
                }
                for position, line in enumerate(final, start=1)
            ]
        )
    )
    return entry_id


def lines_of_order(scope: TenantScope, order_id: int) -> list[tuple[int, list[Line]]]:
    """The entries of an order with their lines, oldest first."""
    rows = scope.session.execute(
        select(JournalLine.entry_id, JournalLine.kind, JournalLine.subject_id, JournalLine.debit, JournalLine.credit)
        .join(JournalEntry, JournalEntry.id == JournalLine.entry_id)
        .where(JournalEntry.order_id == order_id)
        .order_by(JournalLine.entry_id, JournalLine.position)
    ).all()
    entries: dict[int, list[Line]] = {}
    for entry_id, kind, subject_id, debit, credit in rows:
        entries.setdefault(entry_id, []).append(Line(kind, subject_id, debit, credit))
    return list(entries.items())
