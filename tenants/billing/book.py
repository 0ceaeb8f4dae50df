"""Book operations: the account, its read model, order, money, log and key, all in one statement (book_sql.py)."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.exc import IntegrityError

from infra.db import TenantBase, ask
from infra.tenant_scope import TenantScope
from tenants.access.project import project_profiles, stays_in_place
from tenants.audit.record import entry_values
from tenants.billing.book_sql import Shape, book_sql
from tenants.billing.booking import Booking, ledger_lines, pocket_of
from tenants.billing.context import Context, changes, plain, snapshot_of
from tenants.billing.models import Hold, Order, Pack, Receivable
from tenants.billing.result import OperationResult, OrderLineView, OrderView, as_values
from tenants.billing.rules import PlanTerms
from tenants.kernel.ids import number_prefix
from tenants.kernel.money import ZERO, show
from tenants.ledger.chart import CUSTOMER, RECEIVABLE, Line
from tenants.ledger.errors import KeyReused
from tenants.ledger.numbers import ORDER, PREFIXES
from tenants.ledger.post import merged
from tenants.subscribers.models import Account
from tenants.usage.keep_count import count_of, nothing_counted

_BESIDE: dict[str, type[TenantBase]] = {"receivables": Receivable, "holds": Hold, "packs": Pack, "orders": Order}


@dataclass(frozen=True, slots=True)
class Key:
    """The idempotency key of a command and the digest of what it asks."""

    key: str
    content_hash: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """One operation, ready to be stored; its order has neither id nor number yet."""

    context: Context
    booking: Booking | None
    changed: dict[str, Any]
    result: OperationResult
    document: dict[str, Any]


def prepare(
    context: Context,
    operation: str,
    booking: Booking | None,
    *,
    reason: str = "",
    key: Key | None = None,
    logged_at: datetime | None = None,
) -> Prepared:
    """Everything that is stored; the account's changed fields become the order's ``undo``, its balances follow.

    ``logged_at``: the log entry's instant where it is not the operation's.
    """
    account, before = context.account, context.snapshot
    changed = changes(context)
    old = {name: context.before[name] for name in changed}
    new = changed
    document: dict[str, Any] = {"account_id": account.id}
    view = None
    if booking is not None:
        undo = {"account": old, "account_after": new, **_count_before(context, changed), **booking.undo}
        if context.used_before:
            undo["used_before"] = context.used_before
        view = _add_order(document, context, booking, undo)
    for table, rows in context.rows.items():
        document[table] = [{"id": row_id, **values} for row_id, values in rows.items()]
    if changed or booking is None or not _is_known(context, changed) or _renews_by_himself(context):
        document["account"] = {**changed, "balance": str(account.balance), "receivable": str(account.receivable)}
    result = OperationResult(operation, account.id, view, before, snapshot_of(context))
    after = new if view is None else {**new, "total": show(view.total), "method": view.method}
    document["audit"] = _audit(context, operation, old, after, reason, logged_at or context.now)
    if key is not None:
        document["command"] = {
            "key": key.key,
            "operation": operation,
            "content_hash": key.content_hash.hex(),
            "at": context.now,
        }
        document["result"] = as_values(result)
    return Prepared(context, booking, changed, result, document)


def _count_before(context: Context, changed: dict[str, Any]) -> dict[str, Any]:
    """What was used of a quota that another one follows: a reversal goes on with it."""
    before = context.before
    had_quota = before["quota_octets"] is not None or before["quota_seconds"] is not None
    if "quota_epoch" not in changed or not had_quota:
        return {}
    count = context.counted or count_of(context.scope, context.account.id)
    current = count is not None and count["epoch"] == before["quota_epoch"]  # else it is of a quota before this one
    return {"count": count if current else nothing_counted(before["quota_epoch"])}


def store(scope: TenantScope, prepared: Sequence[Prepared]) -> list[OperationResult]:
    """Store operations on different accounts, with orders of consecutive numbers, in one statement.

    Raises :class:`KeyReused` where another account's command took a key meanwhile.
    """
    session = scope.session
    if not prepared:
        return []
    session.flush()  # what the operations changed beside their accounts, before the number is taken
    documents = orjson.dumps([one.document for one in prepared], default=_as_text)
    shape, online = _shape(prepared), any(one.context.beside.online for one in prepared)
    try:
        rows = ask(session, book_sql(scope.tenant_id, shape, online), [documents])
    except IntegrityError as error:
        if "pk_commands" in str(error.orig):
            raise KeyReused(field="key", key=_key_in(str(error.orig))) from None
        raise
    new_groups = rows[0][2]
    if new_groups is not None:
        project_profiles(scope, orjson.loads(new_groups))
    for one in prepared:
        _forget(scope, one)
    return [_numbered(one.result, order_id, number) for one, (order_id, number, _) in zip(prepared, rows, strict=True)]


def _as_text(value: Any) -> str:
    # Instants orjson writes by itself; nothing else than amounts is expected besides.
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value)} has no form in a booking")


def _shape(prepared: Sequence[Prepared]) -> Shape:
    """The shortest statement that stores all of them."""
    if not all(_is_simple(one) for one in prepared):
        return Shape.WHOLE
    return Shape.MONEY if not any("account" in one.document for one in prepared) else Shape.IN_PLACE


def _is_simple(one: Prepared) -> bool:
    booking = one.booking
    if booking is None or booking.receivable is not None or booking.undoes_id is not None:
        return False
    return not booking.holds and not one.context.rows and _is_known(one.context, one.changed)


def _is_known(context: Context, changed: dict[str, Any]) -> bool:
    account = context.account
    return stays_in_place(
        state=account.state,
        activated=account.activated_at is not None,
        expires_at=account.expires_at,
        renamed="username" in changed,
    )


def _renews_by_himself(context: Context) -> bool:
    """Whether the read model must know if the balance suffices."""
    plan = context.plan
    return context.account.auto_renew or (plan is not None and plan.kind == "prepaid-month")


def _key_in(message: str) -> str:
    """The key that the database names: ``Key (key)=(abc) already exists.``"""
    return message.partition("(key)=(")[2].rpartition(") ")[0]


def _numbered(result: OperationResult, order_id: bytes | None, number: bytes | None) -> OperationResult:
    if result.order is None or order_id is None or number is None:
        return result
    return replace(result, order=result.order.numbered(int(order_id), number.decode()))


def _forget(scope: TenantScope, one: Prepared) -> None:
    """Rows that somebody else holds in this session are read again when he looks at them."""
    if not scope.session.identity_map:
        return
    stale: list[tuple[type[TenantBase], int]] = [(Account, one.context.account.id)]
    if one.booking is not None and one.booking.undoes_id is not None:
        stale.append((Order, one.booking.undoes_id))
    for table, rows in one.context.rows.items():
        stale += [(_BESIDE[table], row_id) for row_id in rows]
    for model, row_id in stale:
        row = scope.session.identity_map.get(model.__mapper__.identity_key_from_primary_key((row_id,)))
        if row is not None:
            scope.session.expire(row)


def _audit(
    context: Context, operation: str, old: dict[str, Any], new: dict[str, Any], reason: str, at: datetime
) -> dict[str, Any]:
    return entry_values(
        actor=context.actor,
        action=f"account.{operation}",
        object_kind="account",
        object_id=context.account.id,
        object_label=context.account.username,
        before=old,
        after=new,
        reason=reason,
        now=at,
    )


def _add_order(document: dict[str, Any], context: Context, booking: Booking, undo: dict[str, Any]) -> OrderView:
    pocket = pocket_of(
        booking.method, account_id=context.account.id, operator_id=context.operator_id, agent_id=booking.agent_id
    )
    postings = merged(ledger_lines(booking, pocket))
    order = _order(context, booking, undo)
    view = _view(context, booking, order)
    document["prefix"] = number_prefix(PREFIXES[ORDER], context.now.astimezone(context.zone).date())
    document["order"] = order
    document["lines"] = [
        {"position": i, "kind": line.kind, "amount": str(line.amount), "explanation": line.explanation}
        for i, line in enumerate(view.lines, start=1)
    ]
    document["fees"] = _fees(order, booking)
    document["entries"] = _entries(context, booking, len(postings))
    document["postings"] = [
        {
            "position": i,
            "kind": line.kind,
            "subject_id": line.subject_id,
            "debit": str(line.debit),
            "credit": str(line.credit),
        }
        for i, line in enumerate(postings, start=1)
    ]
    document["arrears"] = _arrears(context, booking)
    if booking.holds:
        document["hold"] = {"account_id": context.account.id, "held_at": plain(context.now)}
    if booking.undoes_id is not None:
        document["undoes_id"], document["undone_state"] = booking.undoes_id, booking.undone_state
    _follow(context, postings)
    return view


def _terms(plan: PlanTerms) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in PlanTerms.__dataclass_fields__}


def _facts(explanation: dict[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in explanation.items()}


def _order(context: Context, booking: Booking, undo: dict[str, Any]) -> dict[str, Any]:
    account, before = context.account, context.snapshot
    plan = context.terms if booking.plan is None else booking.plan
    return {
        "kind": booking.kind,
        "account_id": account.id,
        "username": account.username,
        "at": context.now,
        "method": booking.method,
        "quantity": booking.quantity,
        "total": str(booking.total),
        "plan_id": None if plan is None else plan.id,
        "plan_name": "" if plan is None else plan.name,
        "plan_terms": None if booking.plan is None else _terms(booking.plan),
        "plan_before_id": before.plan_id,
        "plan_before_name": before.plan_name,
        "expires_before": before.expires_at,
        "expires_after": account.expires_at,
        "base_expiry": booking.base_expiry,
        "computed_difference": booking.computed_difference,
        "charged_difference": booking.charged_difference,
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
            "at": context.now,
            "lines": lines,
            "reverses_id": booking.reverses_entry_id,
            "operator_id": context.operator_id,
            "actor": context.actor.name,
            "reason": booking.reason or booking.kind,
        }
    ]


def _arrears(context: Context, booking: Booking) -> list[dict[str, Any]]:
    new = booking.receivable
    if new is None:
        return []
    return [
        {
            "account_id": context.account.id,
            "amount": str(booking.total),
            "plan_part": str(new.plan_part),
            "opened_at": context.now,
            "base_expiry": new.base_expiry,
            "cut_off_at": new.cut_off_at,
        }
    ]


def _follow(context: Context, postings: list[Line]) -> None:
    """Let the account in memory follow what the ledger's trigger will do in the database."""
    account = context.account
    for line in postings:
        if line.subject_id == account.id and line.kind == CUSTOMER:
            account.balance += line.credit - line.debit
        elif line.subject_id == account.id and line.kind == RECEIVABLE:
            account.receivable += line.debit - line.credit


def _view(context: Context, booking: Booking, order: dict[str, Any]) -> OrderView:
    return OrderView(
        id=None,
        number=None,
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
