"""What an operation did (or, previewed, would do): for pages, the command line and the API. Frozen values."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from operator import attrgetter
from typing import Any

import orjson

from tenants.kernel.money import show


@dataclass(frozen=True, slots=True)
class OrderLineView:
    """One amount and how it came about; the lines of an order sum to its total."""

    kind: str
    amount: Decimal
    explanation: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class OrderView:
    """An order as people read it. ``number`` is None in a preview."""

    id: int | None
    number: str | None
    kind: str
    at: datetime
    total: Decimal
    method: str
    quantity: int
    lines: tuple[OrderLineView, ...]
    plan_before: str
    plan_after: str
    expires_before: datetime
    expires_after: datetime
    computed_difference: Decimal | None = None
    charged_difference: Decimal | None = None

    def numbered(self, order_id: int, number: str) -> "OrderView":
        """The same order as it was booked (``dataclasses.replace`` takes three times as long)."""
        return OrderView(order_id, number, *_after_number(self))


_after_number = attrgetter(*OrderView.__slots__[2:])


@dataclass(frozen=True, slots=True)
class AccountSnapshot:
    """The account at one moment, as far as money operations change it."""

    plan_id: int | None
    plan_name: str
    expires_at: datetime
    state: str
    activated: bool
    balance: Decimal
    receivable: Decimal


@dataclass(frozen=True, slots=True)
class OperationResult:
    """What was booked. ``order`` is None for operations without an order (disable, enable …)."""

    operation: str
    account_id: int
    order: OrderView | None
    before: AccountSnapshot
    after: AccountSnapshot
    dry_run: bool = False
    replayed: bool = False


def as_json(result: OperationResult) -> Any:
    """What :func:`from_json` reads back (kept with the idempotency key)."""
    return orjson.loads(orjson.dumps(as_values(result)))


def as_values(result: OperationResult) -> dict[str, Any]:
    """The same with instants as they are, which orjson writes as ISO 8601."""
    order = result.order
    return {
        "operation": result.operation,
        "account_id": result.account_id,
        "order": None if order is None else _order_json(order),
        "before": _snapshot_json(result.before),
        "after": _snapshot_json(result.after),
    }


def _order_json(order: OrderView) -> dict[str, Any]:
    return {
        "id": order.id,
        "number": order.number,
        "kind": order.kind,
        "at": order.at,
        "total": show(order.total),
        "method": order.method,
        "quantity": order.quantity,
        "lines": [[line.kind, show(line.amount), line.explanation] for line in order.lines],
        "plan_before": order.plan_before,
        "plan_after": order.plan_after,
        "expires_before": order.expires_before,
        "expires_after": order.expires_after,
        "computed_difference": None if order.computed_difference is None else show(order.computed_difference),
        "charged_difference": None if order.charged_difference is None else show(order.charged_difference),
    }


def _snapshot_json(snapshot: AccountSnapshot) -> dict[str, Any]:
    return {
        "plan_id": snapshot.plan_id,
        "plan_name": snapshot.plan_name,
        "expires_at": snapshot.expires_at,
        "state": snapshot.state,
        "activated": snapshot.activated,
        "balance": show(snapshot.balance),
        "receivable": show(snapshot.receivable),
    }


def from_json(stored: dict[str, Any]) -> OperationResult:
    """The result of a command that was done before."""
    order = stored["order"]
    return OperationResult(
        stored["operation"],
        stored["account_id"],
        None if order is None else _order(order),
        _snapshot(stored["before"]),
        _snapshot(stored["after"]),
        replayed=True,
    )


def _order(stored: dict[str, Any]) -> OrderView:
    def money(name: str) -> Decimal | None:
        return None if stored[name] is None else Decimal(stored[name])

    return OrderView(
        id=stored["id"],
        number=stored["number"],
        kind=stored["kind"],
        at=datetime.fromisoformat(stored["at"]),
        total=Decimal(stored["total"]),
        method=stored["method"],
        quantity=stored["quantity"],
        lines=tuple(OrderLineView(kind, Decimal(amount), facts) for kind, amount, facts in stored["lines"]),
        plan_before=stored["plan_before"],
        plan_after=stored["plan_after"],
        expires_before=datetime.fromisoformat(stored["expires_before"]),
        expires_after=datetime.fromisoformat(stored["expires_after"]),
        computed_difference=money("computed_difference"),
        charged_difference=money("charged_difference"),
    )


def _snapshot(stored: dict[str, Any]) -> AccountSnapshot:
    return AccountSnapshot(
        plan_id=stored["plan_id"],
        plan_name=stored["plan_name"],
        expires_at=datetime.fromisoformat(stored["expires_at"]),
        state=stored["state"],
        activated=stored["activated"],
        balance=Decimal(stored["balance"]),
        receivable=Decimal(stored["receivable"]),
    )


def as_preview(result: OperationResult) -> OperationResult:
    """The same result, marked as not booked: without id and number."""
    order = None if result.order is None else replace(result.order, id=None, number=None)
    return replace(result, order=order, dry_run=True)
