"""Settle an operator's takings (结算, FIN-2): his fee records until an instant are handed in and frozen."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.billing.errors import AlreadySettled
from tenants.billing.models import FeeRecord, Settlement
from tenants.kernel.actor import Actor
from tenants.kernel.money import ZERO, show
from tenants.ledger.numbers import SETTLEMENT, take_number
from tenants.staff.models import Operator


@dataclass(frozen=True, slots=True)
class Settle:
    """Whose takings (None or 0: the command line), until when (included)."""

    operator_id: int | None
    until: datetime
    note: str = ""


@dataclass(frozen=True, slots=True)
class Takings:
    """What is to be handed in: per method, and the cash that the drawer must hold."""

    records: int
    cash: Decimal
    totals: dict[str, dict[str, Decimal]]  # method → {"income", "expense"}


def takings(scope: TenantScope, chosen: ColumnElement[bool]) -> Takings:
    """The sums of some fee records."""
    rows = scope.session.execute(
        select(FeeRecord.method, FeeRecord.direction, func.count(), func.sum(FeeRecord.amount))
        .where(chosen)
        .group_by(FeeRecord.method, FeeRecord.direction)
    ).all()
    totals: dict[str, dict[str, Decimal]] = {}
    for method, direction, _, amount in rows:
        totals.setdefault(method, {"income": ZERO, "expense": ZERO})[direction] = amount
    cash = totals.get("cash", {"income": ZERO, "expense": ZERO})
    return Takings(sum(row[2] for row in rows), cash["income"] - cash["expense"], totals)


def _unsettled(operator_id: int | None, until: datetime) -> list[Any]:
    return [
        func.coalesce(FeeRecord.operator_id, 0) == (operator_id or 0),
        FeeRecord.at <= until,
        FeeRecord.settlement_id.is_(None),
    ]


def settle(scope: TenantScope, command: Settle, *, actor: Actor, now: datetime) -> Settlement:
    """Freeze the records; from then on nobody reverses their orders. Raises AlreadySettled where there is none."""
    actor.require("money.settle")
    until = min(command.until.astimezone(UTC), now.astimezone(UTC))
    # The rows first: two people settling at once take turns, and the second finds nothing left.
    ids = list(
        scope.session.scalars(select(FeeRecord.id).where(*_unsettled(command.operator_id, until)).with_for_update())
    )
    if not ids:
        shown = until.astimezone(scope.zone).isoformat(sep=" ", timespec="seconds")
        raise AlreadySettled(operator=_name(scope, command.operator_id), until=shown)
    # These and no others: what is booked meanwhile is neither counted nor frozen, but handed in the next time.
    chosen = FeeRecord.id == func.any(bindparam("ids", ids, type_=ARRAY(BigInteger)))
    found = takings(scope, chosen)
    settlement = Settlement(
        number=take_number(scope, SETTLEMENT, now),
        operator_id=command.operator_id or 0,
        until=until,
        records=found.records,
        cash=found.cash,
        totals={m: {d: show(v) for d, v in sums.items()} for m, sums in found.totals.items()},
        settled_at=now,
        settled_by=actor.name,
        note=command.note,
    )
    scope.session.add(settlement)
    scope.session.flush()  # its id goes onto the records
    scope.session.execute(update(FeeRecord).where(chosen).values(settlement_id=settlement.id))
    record(
        scope,
        actor=actor,
        action="money.settle",
        object_kind="settlement",
        object_id=settlement.id,
        object_label=settlement.number,
        after={"operator_id": command.operator_id or 0, "records": found.records, "cash": show(found.cash)},
        now=now,
    )
    return settlement


def _name(scope: TenantScope, operator_id: int | None) -> str:
    operator = None if not operator_id else scope.session.get(Operator, operator_id)
    return "the command line" if operator is None else operator.username
