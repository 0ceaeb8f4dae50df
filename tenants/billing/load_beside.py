"""What stands beside an account and operations decide on: what it owes, its open hold with its packs, how it was sold.

Values, not rows: an operation that changes one says so with :meth:`Context.set_row`, and the booking stores it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import orjson

# Over the locked account ``a`` and what is ``wanted`` w of it; each costs nothing for an account that has none.
OWED = """CASE WHEN a.receivable > 0 THEN (
         SELECT json_agg(json_build_array(r.id, r.amount::text, r.paid::text, r.state, r.plan_part::text, r.base_expiry,
                                          r.cut_off_at, o.id, o.number, o.kind, o.at, o.base_expiry, o.undo)
                         ORDER BY r.opened_at, r.id)
           FROM {schema}.receivables r JOIN {schema}.orders o ON o.id = r.order_id
          WHERE r.account_id = a.id AND r.state = 'open') END"""
HELD = """CASE WHEN a.state = 'held' THEN (
         SELECT json_build_array(h.id, (
                  SELECT json_agg(json_build_array(id, expires_at) ORDER BY id) FROM {schema}.packs
                   WHERE account_id = a.id AND ended_at IS NULL AND expires_at IS NOT NULL))
           FROM {schema}.holds h
          WHERE h.account_id = a.id AND h.resumed_at IS NULL AND h.undone_at IS NULL) END"""
SOLD = """CASE WHEN w.sold THEN (
         SELECT json_build_array(plan_id, plan_terms) FROM {schema}.orders
          WHERE account_id = a.id AND state = 'booked' AND (undoes_id IS NULL OR kind = 'pay-by-change')
            AND (plan_terms IS NOT NULL OR plan_id IS DISTINCT FROM plan_before_id)
          ORDER BY id DESC LIMIT 1) END"""


@dataclass(frozen=True, slots=True)
class OwedOrder:
    """The order that opened a receivable."""

    id: int
    number: str
    kind: str
    at: datetime
    base_expiry: datetime | None
    undo: dict[str, Any]


@dataclass(slots=True)
class OpenReceivable:
    """An open receivable with its order; ``paid`` and ``state`` follow the operation."""

    id: int
    amount: Decimal
    paid: Decimal
    state: str
    plan_part: Decimal
    base_expiry: datetime
    cut_off_at: datetime
    order: OwedOrder

    @property
    def unpaid(self) -> Decimal:
        """What is still owed."""
        return self.amount - self.paid


@dataclass(frozen=True, slots=True)
class OpenHold:
    """The hold of a held account, and its running packs that end at an instant: (id, instant)."""

    id: int
    packs: tuple[tuple[int, datetime], ...]


@dataclass(frozen=True, slots=True)
class Sold:
    """The newest order that sold a plan or changed it: the plan, and its terms where it was a sale."""

    plan_id: int | None
    terms: dict[str, Any] | None


def instant(text: str) -> datetime:
    """An instant as PostgreSQL writes it into JSON."""
    return datetime.fromisoformat(text).astimezone(UTC)


def parse_owed(stored: bytes | None) -> list[OpenReceivable]:
    """The account's open receivables, the oldest first."""
    return [] if stored is None else [_owed(*row) for row in orjson.loads(stored) or ()]


def _owed(
    id: int, amount: str, paid: str, state: str, plan_part: str, base_expiry: str, cut_off_at: str, *order: Any
) -> OpenReceivable:
    order_id, number, kind, at, order_base, undo = order
    base = None if order_base is None else instant(order_base)
    return OpenReceivable(
        id,
        Decimal(amount),
        Decimal(paid),
        state,
        Decimal(plan_part),
        instant(base_expiry),
        instant(cut_off_at),
        OwedOrder(order_id, number, kind, instant(at), base, undo),
    )


def parse_hold(stored: bytes | None) -> OpenHold | None:
    """The open hold, None for an account that is not held."""
    if stored is None:
        return None
    hold_id, packs = orjson.loads(stored)
    return OpenHold(hold_id, tuple((pack_id, instant(expires_at)) for pack_id, expires_at in packs or ()))


def parse_sold(stored: bytes | None) -> Sold | None:
    """The newest sale, None where there is none or nobody asked."""
    return None if stored is None else Sold(*orjson.loads(stored))
