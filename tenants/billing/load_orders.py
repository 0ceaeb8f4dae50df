"""Read the orders that reversals undo, with everything they decide on, in one round trip (OPS-11)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from infra.db import ask, schema_name
from infra.tenant_scope import TenantScope
from tenants.billing.load_beside import instant
from tenants.ledger.chart import Line


@dataclass(frozen=True, slots=True)
class BookedOrder:
    """An order as it was booked, and what became of it since."""

    id: int
    number: str
    kind: str
    state: str
    at: datetime
    method: str
    quantity: int
    agent_id: int | None
    operator_id: int | None
    undo: dict[str, Any]
    lines: tuple[tuple[str, Decimal], ...]  # kind and amount
    entry_id: int | None  # its journal entry, None where no money moved
    postings: tuple[Line, ...]  # the entry's lines
    later: tuple[str, ...]  # numbers of the account's booked orders after it, reversals aside, the oldest first
    settled: bool
    owed_id: int | None  # the receivable that it opened and that is still open


# A settlement that is being made holds the fee record's row: whoever comes second sees what the first one did, because
# a row that was waited for is read as it is then. All else is kept still by the locks of the accounts.
_READ = """
WITH asked AS MATERIALIZED (
  SELECT (q -> 0)::bigint AS account_id, q ->> 1 AS number
    FROM unnest(ARRAY(SELECT jsonb_array_elements($1::jsonb))) q),
wanted AS MATERIALIZED (
  SELECT newest.* FROM asked q, LATERAL (
    SELECT * FROM {schema}.orders
     WHERE account_id = q.account_id
       AND (number = q.number OR q.number IS NULL AND state = 'booked' AND kind <> 'reverse')
     ORDER BY id DESC LIMIT 1) newest),
fee AS MATERIALIZED (
  SELECT order_id, settlement_id FROM {schema}.fee_records WHERE order_id = ANY(ARRAY(SELECT id FROM wanted))
   ORDER BY order_id FOR UPDATE)
SELECT o.account_id, json_build_object(
         'id', o.id, 'number', o.number, 'kind', o.kind, 'state', o.state, 'at', o.at, 'method', o.method,
         'quantity', o.quantity, 'agent_id', o.agent_id, 'operator_id', o.operator_id, 'undo', o.undo,
         'entry_id', entry.id,
         'lines', (SELECT json_agg(json_build_array(kind, amount::text) ORDER BY position)
                     FROM {schema}.order_lines WHERE order_id = o.id),
         'postings', (SELECT json_agg(json_build_array(kind, subject_id, debit::text, credit::text) ORDER BY position)
                        FROM {schema}.journal_lines WHERE entry_id = entry.id),
         'later', (SELECT json_agg(number ORDER BY id) FROM {schema}.orders
                    WHERE account_id = o.account_id AND id > o.id AND state = 'booked' AND kind <> 'reverse'),
         'settled', EXISTS (SELECT FROM fee WHERE order_id = o.id AND settlement_id IS NOT NULL),
         'owed_id', (SELECT id FROM {schema}.receivables WHERE order_id = o.id AND state = 'open'))
  FROM wanted o LEFT JOIN LATERAL (
    SELECT id FROM {schema}.journal_entries WHERE order_id = o.id ORDER BY id LIMIT 1) entry ON true"""


@lru_cache(maxsize=2048)
def _read_sql(schema: str) -> str:
    return _READ.format(schema=schema)  # the schema's name is made of a number


def load_orders(scope: TenantScope, asked: Mapping[int, str | None]) -> dict[int, BookedOrder]:
    """Of each account (id) its order with this number, or its latest one that may be undone; none is left out.

    The caller holds the locks of the accounts. The fee records are locked, too.
    """
    if not asked:
        return {}
    scope.session.flush()  # read by SQL
    # No text in the database holds the zero character, so no number with it is found without it either.
    wanted = [(account_id, number and number.replace("\0", " ")) for account_id, number in asked.items()]
    rows = ask(scope.session, _read_sql(schema_name(scope.tenant_id)), (orjson.dumps(wanted),))
    return {int(account_id or 0): _order(facts) for account_id, facts in rows}


def _order(stored: bytes | None) -> BookedOrder:
    assert stored is not None
    facts = orjson.loads(stored)
    lines, postings = facts.pop("lines") or (), facts.pop("postings") or ()
    return BookedOrder(
        **{**facts, "at": instant(facts["at"]), "later": tuple(facts["later"] or ())},
        lines=tuple((kind, Decimal(amount)) for kind, amount in lines),
        postings=tuple(
            Line(kind, subject, Decimal(debit), Decimal(credit)) for kind, subject, debit, credit in postings
        ),
    )
