"""The one statement that stores bookings: see :func:`book_sql`. What it stores is decided in ``book.py``.

One round trip, because the number's row is locked from here to the commit: whatever stands between the two is what
keeps other operators of the same tenant waiting. Each document is one operation on one account that the caller has
locked, with an order or without. They go through an array, because of an
array the planner expects ten rows (of jsonb_array_elements a hundred) and finds accounts by their keys. Parts:

``present``    the accounts as they shall be: their rows with what the document changes, balances after the booking;
               without those of whom nothing changes that the cluster knows
``changed``    the accounts' rows; their balances are left to the ledger's trigger
``left_behind`` … ``new_groups``  the read model of the cluster (access/project.py)
``o`` … ``c``  order, lines, fee record, journal entry and lines, receivable; ``undone``: the order that is taken back
``held``, ``set_…``  a hold that begins, rows beside the accounts that change
``command``    the idempotency key with its result, ``audit`` the operation log
"""

from enum import Enum
from functools import lru_cache

from infra.db import schema_name
from tenants.access.project import projection_sql
from tenants.billing.load import WATCHED

_ORDER = (
    "kind", "account_id", "username", "at", "method", "quantity", "total", "plan_id", "plan_name", "plan_terms",
    "plan_before_id", "plan_before_name", "expires_before", "expires_after", "base_expiry", "computed_difference",
    "charged_difference", "discount_rule", "region_id", "agent_id", "operator_id", "actor_kind", "actor_name", "reason",
    "undoes_id", "undo", "state",
)  # fmt: skip
_AUDIT = (
    "at", "actor_kind", "actor_id", "actor_name", "address", "action", "object_kind", "object_id", "object_label",
    "before", "reason",
)  # fmt: skip

# The parts of the statement; which of them one needs is its :class:`Shape`.
_DOCUMENTS = """
WITH documents AS MATERIALIZED (
  SELECT d, i FROM unnest(ARRAY(SELECT jsonb_array_elements($1::jsonb))) WITH ORDINALITY AS given (d, i)),"""
_ACCOUNT = """
present AS MATERIALIZED (
  SELECT r.* FROM documents JOIN {schema}.accounts a ON a.id = (d ->> 'account_id')::bigint,
                  LATERAL jsonb_populate_record(a, d -> 'account') r
   WHERE d ? 'account'),
changed AS (
  UPDATE {schema}.accounts a SET ({watched}) = ROW({watched_now}) FROM present p WHERE a.id = p.id),
{projection},"""
_ORDER_AND_MONEY = """
n AS (
  INSERT INTO {schema}.number_series AS series (series, last)
  SELECT 'order', count(*) FROM documents WHERE d ? 'order' HAVING count(*) > 0
  ON CONFLICT (series) DO UPDATE SET last = series.last + excluded.last RETURNING last),
numbered AS MATERIALIZED (
  SELECT d, i, d ->> 'prefix' || lpad(k::text, greatest(6, length(k::text)), '0') AS number
    FROM n, (SELECT d, i, row_number() OVER (ORDER BY i) AS place, count(*) OVER () AS all_of_them
               FROM documents WHERE d ? 'order') ordered,
         LATERAL (SELECT n.last - all_of_them + place AS k) number),
o AS (
  INSERT INTO {schema}.orders (number, {order_columns})
  SELECT numbered.number, {order_values}
    FROM numbered, jsonb_populate_record(NULL::{schema}.orders, d -> 'order') r{with_holds} ORDER BY i
  RETURNING id, number),
s AS MATERIALIZED (SELECT o.id, o.number, numbered.d, numbered.i FROM o JOIN numbered USING (number)),
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
    FROM e JOIN s ON s.id = e.order_id, jsonb_populate_recordset(NULL::{schema}.journal_lines, d -> 'postings') r),"""
# A hold's id is part of how its order is undone, so it comes first.
_HOLDS = """
held AS (
  INSERT INTO {schema}.holds (account_id, held_at)
  SELECT r.account_id, r.held_at FROM documents, jsonb_populate_record(NULL::{schema}.holds, d -> 'hold') r
   WHERE d ? 'hold' RETURNING id, account_id),"""
_WITH_HOLDS = " LEFT JOIN held ON held.account_id = r.account_id"
_UNDO_WITH_HOLD = "CASE WHEN held.id IS NULL THEN r.undo ELSE r.undo || jsonb_build_object('hold', held.id) END"
_BESIDE = """
set_{table} AS (
  UPDATE {{schema}}.{table} t SET ({columns}) = ROW({values})
    FROM (SELECT r.* FROM unnest(ARRAY(SELECT jsonb_array_elements(d -> '{table}') FROM documents)) given
            JOIN {{schema}}.{table} old ON old.id = (given ->> 'id')::bigint,
                 LATERAL jsonb_populate_record(old, given) r) r
   WHERE t.id = r.id),"""
_ARREARS_AND_UNDOING = """
c AS (
  INSERT INTO {schema}.receivables (account_id, order_id, amount, paid, plan_part, state, opened_at, base_expiry,
                                    cut_off_at)
  SELECT r.account_id, s.id, r.amount, 0, r.plan_part, 'open', r.opened_at, r.base_expiry, r.cut_off_at
    FROM s, jsonb_populate_recordset(NULL::{schema}.receivables, d -> 'arrears') r),
undone AS (
  UPDATE {schema}.orders older SET state = d ->> 'undone_state', undone_by_id = s.id
    FROM s WHERE older.id = (d ->> 'undoes_id')::bigint),"""
_ALL_DONE = """
done AS MATERIALIZED (
  SELECT documents.d, documents.i, s.id, s.number FROM documents LEFT JOIN s USING (i)),"""
_KEY_AND_LOG = """
command AS (
  INSERT INTO {schema}.commands (key, operation, content_hash, at, account_id, result)
  SELECT d #>> '{{command,key}}', d #>> '{{command,operation}}', decode(d #>> '{{command,content_hash}}', 'hex'),
         (d #>> '{{command,at}}')::timestamptz, (d ->> 'account_id')::bigint,
         CASE WHEN id IS NULL THEN d -> 'result'
              ELSE jsonb_set(jsonb_set(d -> 'result', '{{order,id}}', to_jsonb(id)),
                             '{{order,number}}', to_jsonb(number)) END
    FROM {done} WHERE d ? 'command'),
audit AS (
  INSERT INTO {schema}.audit_entries ({audit_columns}, after)
  SELECT {audit_values},
         CASE WHEN number IS NULL THEN r.after ELSE r.after || jsonb_build_object('order', number) END
    FROM {done}, jsonb_populate_record(NULL::{schema}.audit_entries, d -> 'audit') r WHERE d ? 'audit' ORDER BY i)"""
_ANSWER_WITH_GROUPS = """
SELECT id, number, array_to_json(new_groups.ids) FROM {done}, new_groups ORDER BY i"""
_ANSWER = """
SELECT id, number, NULL FROM {done} ORDER BY i"""


class Shape(Enum):
    """What operations store; a shorter statement is up to a half cheaper."""

    WHOLE = "whole"  # anything
    IN_PLACE = "in place"  # an order that opens no arrears and undoes nothing; the account stays in the read model
    MONEY = "money"  # such an order that changes nothing of the account but its balance


# What an operation may change in rows beside the account (:meth:`Context.set_row`).
BESIDE = {
    "receivables": ("paid", "state", "base_expiry", "cut_off_at"),
    "holds": ("resumed_at", "undone_at"),
    "packs": ("expires_at", "ended_at"),
    "orders": ("state", "undone_by_id"),
}


def _beside() -> str:
    return "".join(
        _BESIDE.format(table=table, columns=", ".join(names), values=", ".join(f"r.{name}" for name in names))
        for table, names in BESIDE.items()
    )


_PARTS = {
    Shape.WHOLE: _DOCUMENTS + _ACCOUNT + _HOLDS + _ORDER_AND_MONEY + _ARREARS_AND_UNDOING + _beside() + _ALL_DONE
    + _KEY_AND_LOG + _ANSWER_WITH_GROUPS,
    Shape.IN_PLACE: _DOCUMENTS + _ACCOUNT + _ORDER_AND_MONEY + _KEY_AND_LOG + _ANSWER_WITH_GROUPS,
    Shape.MONEY: _DOCUMENTS + _ORDER_AND_MONEY + _KEY_AND_LOG + _ANSWER,
}  # fmt: skip


@lru_cache(maxsize=4096)
def book_sql(tenant_id: int, shape: Shape, online: bool = True) -> str:
    """The statement for one tenant; its only parameter is the documents, its rows are (order id, number, new groups).

    ``online``: whether any of the accounts may have open sessions. The schema's name is made of a number; everything
    else is constant.
    """
    whole = shape is Shape.WHOLE
    return _PARTS[shape].format(
        schema=schema_name(tenant_id),
        watched=", ".join(WATCHED),
        watched_now=", ".join(f"p.{name}" for name in WATCHED),
        projection=projection_sql(tenant_id, in_place=shape is Shape.IN_PLACE, online=online),
        done="done" if whole else "s",
        with_holds=_WITH_HOLDS if whole else "",
        order_columns=", ".join(_ORDER),
        order_values=", ".join(_UNDO_WITH_HOLD if whole and name == "undo" else f"r.{name}" for name in _ORDER),
        audit_columns=", ".join(_AUDIT),
        audit_values=", ".join(f"r.{name}" for name in _AUDIT),
    )
