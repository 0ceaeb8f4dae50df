"""Tables of the ledger: entries that are never changed (triggers), number series, and the commands that were done.

A ledger account is (kind, subject) of ``chart.py``; its balance is the sum of its lines. ``accounts.balance`` and
``accounts.receivable`` are caches that the trigger on ``journal_lines`` keeps; nothing else may write them.
"""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Text, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from infra.db import TenantBase
from tenants.ledger.chart import KINDS


class JournalEntry(TenantBase):
    """One movement of money; balanced (trigger) and final (trigger)."""

    __tablename__ = "journal_entries"
    __table_args__ = (
        CheckConstraint("lines >= 2", name="lines"),
        Index("ix_journal_entries_order_id", "order_id"),
        Index("ix_journal_entries_at", "at"),
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime]  # the operation's instant
    order_id: Mapped[int | None] = mapped_column(BigInteger)  # orders.id; the table lies in a higher package
    lines: Mapped[int] = mapped_column(SmallInteger)  # how many lines it has: none can be added later
    reverses_id: Mapped[int | None] = mapped_column(ForeignKey("tenant.journal_entries.id"), unique=True)
    operator_id: Mapped[int | None] = mapped_column(BigInteger)
    actor: Mapped[str]
    reason: Mapped[str]  # order kind, or what moved the money


class JournalLine(TenantBase):
    """One side of an entry."""

    __tablename__ = "journal_lines"
    __table_args__ = (
        CheckConstraint(
            "debit >= 0 AND credit >= 0 AND (debit > 0) <> (credit > 0) AND debit < 1000000000000", name="side"
        ),
        CheckConstraint(f"kind IN {KINDS!r}", name="kind"),
        Index("ix_journal_lines_kind", "kind", "subject_id", "entry_id"),
    )
    entry_id: Mapped[int] = mapped_column(ForeignKey("tenant.journal_entries.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)  # 1, 2, …
    kind: Mapped[str]
    subject_id: Mapped[int] = mapped_column(BigInteger)
    debit: Mapped[Decimal] = mapped_column(server_default="0")
    credit: Mapped[Decimal] = mapped_column(server_default="0")


class NumberSeries(TenantBase):
    """A gapless counter: the row lock is held until commit, so take the number as late as possible."""

    __tablename__ = "number_series"
    series: Mapped[str] = mapped_column(primary_key=True)  # order | receipt | settlement
    last: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class CommandRecord(TenantBase):
    """A command that was done: the same key with the same content returns this result (idempotency)."""

    __tablename__ = "commands"
    __table_args__ = (Index("ix_commands_at", "at"),)
    key: Mapped[str] = mapped_column(Text(collation="C"), primary_key=True)
    operation: Mapped[str]
    content_hash: Mapped[bytes] = mapped_column(LargeBinary)
    at: Mapped[datetime]
    account_id: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[Any | None] = mapped_column(JSONB)  # null only inside the transaction that does it
