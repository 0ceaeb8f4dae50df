"""Store bookings: order with number, lines, fee record, journal entry, receivable, in one statement.

One round trip, because the number's row is locked from here to the commit: whatever stands between the two is what
keeps other operators of the same tenant waiting.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from sqlalchemy import TextClause, text, update

from infra.db import schema_name
from infra.tenant_scope import TenantScope
from tenants.billing.booking import Booking, ledger_lines, pocket_of
from tenants.billing.context import Context, changes, move_cached
from tenants.billing.models import Order
from tenants.billing.result import OrderLineView, OrderView
from tenants.kernel.ids import order_number
from tenants.kernel.money import ZERO
from tenants.ledger.chart import CUSTOMER, RECEIVABLE, Line
from tenants.ledger.numbers import ORDER, PREFIXES
from tenants.ledger.post import merged

_ORDER = (
    "kind", "account_id", "username", "at", "method", "quantity", "total", "plan_id", "plan_name", "plan_terms",
    "plan_before_id", "plan_before_name", "expires_before", "expires_after", "base_expiry", "computed_difference",
    "charged_difference", "discount_rule", "region_id", "agent_id", "operator_id", "actor_kind", "actor_name", "reason",
    "undoes_id", "undo", "state",
)  # fmt: skip

# Several orders at once: each document becomes one order, numbered in their order; the number leads back to it.
_SQL = """
WITH documents AS (
  SELECT value AS d, ordinality AS i FROM jsonb_array_elements(CAST(:documents AS jsonb)) WITH ORDINALITY),
n AS (
  INSERT INTO {schema}.number_series AS series (series, last) VALUES ('order', CAST(:count AS bigint))
  ON CONFLICT (series) DO UPDATE SET last = series.last + excluded.last RETURNING last),
numbered AS (
  SELECT d, i, d ->> 'prefix' || lpad(k::text, greatest(6, length(k::text)), '0') AS number
    FROM documents, n, LATERAL (SELECT n.last - CAST(:count AS bigint) + i AS k) number),
o AS (
  INSERT INTO {schema}.orders (number, {columns})
  SELECT numbered.number, {values}
    FROM numbered, jsonb_populate_record(NULL::{schema}.orders, d -> 'order') r ORDER BY i
  RETURNING id, number),
s AS (SELECT o.id, numbered.d FROM o JOIN numbered USING (number)),
l AS (
  INSERT INTO {schema}.order_lines (order_id, position, kind, amount, explanation)
  SELECT s.id, r.position, r.kind, r.amount, r.explanation
    FROM s, jsonb_populate_recordset(NULL::{schema}.order_lines, d -> 'lines') r),
f AS (
  INSERT INTO {schema}.fee_records (order_id, account_id, at, direction, method, amount, region_id, plan_id,
                                    operator_id, actor_name, remark, review_note)
  SELECT s.id, r.account_id, r.at, r.direction, r.method, r.amount, r.region_id, r.plan_id, r.operator_id,
         r.actor_name, r.remark, ''
    FROM s, jsonb_populate_recordset(NULL::{schema}.fee_records, d -> 'fees') r),
e AS (
  INSERT INTO {schema}.journal_entries (at, order_id, lines, reverses_id, operator_id, actor, reason)
  SELECT r.at, s.id, r.lines, r.reverses_id, r.operator_id, r.actor, r.reason
    FROM s, jsonb_populate_recordset(NULL::{schema}.journal_entries, d -> 'entries') r
  RETURNING id, order_id),
j AS (
  INSERT INTO {schema}.journal_lines (entry_id, position, kind, subject_id, debit, credit)
  SELECT e.id, r.position, r.kind, r.subject_id, r.debit, r.credit
    FROM e JOIN s ON s.id = e.order_id, jsonb_populate_recordset(NULL::{schema}.journal_lines, d -> 'postings') r),
c AS (
  INSERT INTO {schema}.receivables (account_id, order_id, amount, paid, plan_part, state, opened_at, base_expiry,
                                    cut_off_at)
  SELECT r.account_id, s.id, r.amount, 0, r.plan_part, 'open', r.opened_at, r.base_expiry, r.cut_off_at
    FROM s, jsonb_populate_recordset(NULL::{schema}.receivables, d -> 'receivables') r)
SELECT o.id, o.number FROM o JOIN numbered USING (number) ORDER BY numbered.i
"""


@dataclass(frozen=True, slots=True)
class Prepared:
    """One booking, ready to be stored."""

    context: Context
    booking: Booking
    order: dict[str, Any]
    postings: list[Line]
    document: dict[str, Any]


@lru_cache(maxsize=2048)
def _statement(schema: str) -> TextClause:
    columns = ", ".join(_ORDER)
    # The schema's name is made of a number; everything else is constant.
    return text(_SQL.format(schema=schema, columns=columns, values=", ".join(f"r.{name}" for name in _ORDER)))


def plain(value: Any) -> Any:
    """A value of a row as JSON holds it and PostgreSQL reads it back."""
    if isinstance(value, Decimal):
        return str(value)
    return value.isoformat() if isinstance(value, datetime) else value


def book(context: Context, booking: Booking) -> OrderView:
    """Store one booking and move the cached balances."""
    context.scope.session.flush()  # the account's new plan and expiry, before the number is taken
    return store(context.scope, [prepare(context, booking)])[0]


def prepare(context: Context, booking: Booking) -> Prepared:
    """Everything that is stored; the account's changed fields become the order's ``undo``."""
    account = context.account
    pocket = pocket_of(
        booking.method, account_id=account.id, operator_id=context.operator_id, agent_id=booking.agent_id
    )
    postings = merged(ledger_lines(booking, pocket))
    changed = changes(context)
    undo = {
        "account": {name: plain(context.before[name]) for name in changed},
        "account_after": {name: plain(value) for name, value in changed.items()},
        **booking.undo,
    }
    order = _order(context, booking, undo)
    document = {
        "prefix": order_number(PREFIXES[ORDER], context.now.astimezone(context.zone).date(), 0)[:-6],
        "order": order,
        "lines": [
            {"position": i, "kind": line.kind, "amount": str(line.amount), "explanation": _facts(line.explanation)}
            for i, line in enumerate(booking.lines, start=1)
        ],
        "fees": _fees(order, booking),
        "entries": _entries(context, booking, len(postings)),
        "postings": [
            {
                "position": i,
                "kind": line.kind,
                "subject_id": line.subject_id,
                "debit": str(line.debit),
                "credit": str(line.credit),
            }
            for i, line in enumerate(postings, start=1)
        ],
        "receivables": _receivables(context, booking),
    }
    return Prepared(context, booking, order, postings, document)


def store(scope: TenantScope, prepared: Sequence[Prepared]) -> list[OrderView]:
    """Store bookings of different accounts with consecutive numbers, in one statement."""
    documents = json.dumps([one.document for one in prepared], ensure_ascii=False)
    rows = scope.session.execute(
        _statement(schema_name(scope.tenant_id)), {"documents": documents, "count": len(prepared)}
    ).all()
    views = []
    for one, row in zip(prepared, rows, strict=True):
        if one.booking.undoes_id is not None:
            scope.session.execute(
                update(Order)
                .where(Order.id == one.booking.undoes_id)
                .values(state=one.booking.undone_state, undone_by_id=row.id)
            )
        _follow(one.context, one.postings)
        views.append(_view(one.context, one.booking, one.order, row.id, row.number))
    return views


def _facts(explanation: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in explanation.items()}


def _order(context: Context, booking: Booking, undo: dict[str, Any]) -> dict[str, Any]:
    account, before = context.account, context.snapshot
    assert before is not None
    plan = context.terms if booking.plan is None else booking.plan
    return {
        "kind": booking.kind,
        "account_id": account.id,
        "username": account.username,
        "at": plain(context.now),
        "method": booking.method,
        "quantity": booking.quantity,
        "total": str(booking.total),
        "plan_id": None if plan is None else plan.id,
        "plan_name": "" if plan is None else plan.name,
        "plan_terms": None if booking.plan is None else {k: plain(v) for k, v in asdict(booking.plan).items()},
        "plan_before_id": before.plan_id,
        "plan_before_name": before.plan_name,
        "expires_before": plain(before.expires_at),
        "expires_after": plain(account.expires_at),
        "base_expiry": plain(booking.base_expiry),
        "computed_difference": plain(booking.computed_difference),
        "charged_difference": plain(booking.charged_difference),
        "discount_rule": booking.discount_rule,
        "region_id": account.region_id,
        "agent_id": booking.agent_id,
        "operator_id": context.operator_id,
        "actor_kind": context.actor.kind,
        "actor_name": context.actor.name,
        "reason": booking.reason,
        "undoes_id": booking.undoes_id,
        "undo": undo,
        "state": "booked",
    }


def _fees(order: dict[str, Any], booking: Booking) -> list[dict[str, Any]]:
    if booking.total == ZERO:
        return []
    remark = {
        name: order[name]
        for name in ("kind", "quantity", "plan_name", "plan_before_name", "expires_before", "expires_after", "reason")
        if order[name]
    }
    kept = ("account_id", "at", "method", "region_id", "plan_id", "operator_id", "actor_name")
    direction = "income" if booking.total > 0 else "expense"
    fee = {name: order[name] for name in kept}
    if booking.mirrored is not None:
        fee["operator_id"] = booking.fee_operator_id
    return [{**fee, "direction": direction, "amount": str(abs(booking.total)), "remark": remark}]


def _entries(context: Context, booking: Booking, lines: int) -> list[dict[str, Any]]:
    if lines == 0:
        return []
    return [
        {
            "at": plain(context.now),
            "lines": lines,
            "reverses_id": booking.reverses_entry_id,
            "operator_id": context.operator_id,
            "actor": context.actor.name,
            "reason": booking.reason or booking.kind,
        }
    ]


def _receivables(context: Context, booking: Booking) -> list[dict[str, Any]]:
    new = booking.receivable
    if new is None:
        return []
    return [
        {
            "account_id": context.account.id,
            "amount": str(booking.total),
            "plan_part": str(new.plan_part),
            "opened_at": plain(context.now),
            "base_expiry": plain(new.base_expiry),
            "cut_off_at": plain(new.cut_off_at),
        }
    ]


def _follow(context: Context, postings: list[Line]) -> None:
    mine = [line for line in postings if line.subject_id == context.account.id]
    move_cached(
        context,
        balance=sum((line.credit - line.debit for line in mine if line.kind == CUSTOMER), ZERO),
        receivable=sum((line.debit - line.credit for line in mine if line.kind == RECEIVABLE), ZERO),
    )


def _view(context: Context, booking: Booking, order: dict[str, Any], order_id: int, number: str) -> OrderView:
    assert context.snapshot is not None
    return OrderView(
        id=order_id,
        number=number,
        kind=booking.kind,
        at=context.now,
        total=booking.total,
        method=booking.method,
        quantity=booking.quantity,
        lines=tuple(OrderLineView(line.kind, line.amount, _facts(line.explanation)) for line in booking.lines),
        plan_before=order["plan_before_name"],
        plan_after=order["plan_name"],
        expires_before=context.snapshot.expires_at,
        expires_after=context.account.expires_at,
        computed_difference=booking.computed_difference,
        charged_difference=booking.charged_difference,
    )
