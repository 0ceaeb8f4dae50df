"""What one operation books: order, lines, money, receivable, and how it is undone. ``book.py`` stores it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tenants.billing.rules import PlanTerms
from tenants.kernel.money import ZERO
from tenants.ledger.chart import (
    CARD,
    COMMAND_LINE_DRAWER,
    CUSTOMER,
    DRAWER,
    GATEWAY,
    RECEIVABLE,
    WALLET,
    Line,
    credit,
    debit,
)


@dataclass(frozen=True, slots=True)
class BookLine:
    """One line of an order: its amount (what the customer pays) and the ledger lines that it credits in all."""

    kind: str
    amount: Decimal
    postings: tuple[Line, ...]
    explanation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewReceivable:
    """Arrears that an order opens."""

    base_expiry: datetime
    cut_off_at: datetime
    plan_part: Decimal  # of the total: what counts for a refund once it is paid


@dataclass(slots=True)
class Booking:
    """Everything of one order that is decided before it is stored."""

    kind: str
    method: str
    lines: Sequence[BookLine] = ()
    quantity: int = 1
    plan: PlanTerms | None = None
    base_expiry: datetime | None = None
    computed_difference: Decimal | None = None
    charged_difference: Decimal | None = None
    discount_rule: dict[str, Any] | None = None
    agent_id: int | None = None
    reason: str = ""
    receivable: NewReceivable | None = None
    transfers: Sequence[Line] = ()  # further ledger lines that sum to zero among themselves
    undoes_id: int | None = None
    undone_state: str = ""  # what the undone order becomes: reversed | cancelled | replaced
    undo: dict[str, Any] = field(default_factory=dict)  # rows besides the account that a reversal restores
    holds: bool = False  # whether it begins a hold
    pocket: tuple[str, int] | None = None  # where the money goes, if not where the method says
    mirrored: Sequence[Line] | None = None  # a reversal posts exactly these instead
    reverses_entry_id: int | None = None
    fee_operator_id: int | None = None  # with mirrored: whose takings it comes out of, the one who took it

    @property
    def total(self) -> Decimal:
        """What the customer pays: the sum of the lines."""
        return sum((line.amount for line in self.lines), ZERO)


def revenue(kind: str, amount: Decimal, account: str, subject_id: int = 0, **explanation: Any) -> BookLine:
    """A line that is earned: it credits one ledger account with its amount."""
    return BookLine(kind, amount, (credit(account, subject_id, amount),), explanation)


def pocket_of(method: str, *, account_id: int, operator_id: int | None, agent_id: int | None) -> tuple[str, int]:
    """The ledger account a method takes the money from (its debit side)."""
    if method == "cash":
        return DRAWER, operator_id or COMMAND_LINE_DRAWER
    if method == "balance":
        return CUSTOMER, account_id
    if method == "arrears":
        return RECEIVABLE, account_id
    if method == "wallet":
        return WALLET, agent_id or 0
    return (CARD, 0) if method == "card" else (GATEWAY, 0)


def ledger_lines(booking: Booking, pocket: tuple[str, int]) -> list[Line]:
    """All ledger lines of a booking: what the lines credit, the pocket that pays, and the transfers."""
    if booking.mirrored is not None:
        return list(booking.mirrored)
    lines = [posting for line in booking.lines for posting in line.postings]
    if booking.total:
        lines.append(debit(*(booking.pocket or pocket), booking.total))
    return [*lines, *booking.transfers]
