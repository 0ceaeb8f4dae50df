"""Lock accounts and read everything that operations on them decide on, in one round trip (OPS-1 … OPS-13)."""

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

import orjson

from infra.db import array, ask, schema_name
from infra.driver import Row
from infra.tenant_scope import TenantScope
from tenants.billing.load_beside import (
    HELD,
    OWED,
    SOLD,
    OpenHold,
    OpenReceivable,
    Sold,
    instant,
    parse_hold,
    parse_owed,
    parse_sold,
)
from tenants.catalog.facts import PlanFacts, facts_sql, parse_plans
from tenants.registry.settings import TenantSettings, parse_stored


@dataclass(slots=True)
class LockedAccount:
    """The row of an account that this transaction has locked. Operations change it; the booking stores what changed."""

    id: int
    customer_id: int
    created_by: int | None
    opened_at: datetime
    balance: Decimal
    receivable: Decimal
    plan_id: int | None
    region_id: int
    username: str
    state: str
    activated_at: datetime | None
    starts_at_first_login: bool
    expires_at: datetime
    never_expires: bool
    period_started_at: datetime | None
    period_quantity: int
    period_price: Decimal
    period_gift_seconds: int
    first_due_at: datetime | None
    cut_off_at: datetime | None
    held_at: datetime | None
    auto_renew: bool
    quota_octets: int | None
    quota_seconds: int | None
    quota_epoch: int
    pack_octets: int
    pack_seconds: int
    install_fee: Decimal
    closed_at: datetime | None


_NAMES = tuple(column.name for column in fields(LockedAccount))
# What an order may change on an account, and a reversal puts back. Money is not here: it comes back by counter-entry.
WATCHED = _NAMES[_NAMES.index("plan_id") :]
MONEY = frozenset(column.name for column in fields(LockedAccount) if column.type is Decimal)
INSTANTS = frozenset(name for name in _NAMES if name.endswith("_at"))


@dataclass(frozen=True, slots=True)
class DoneCommand:
    """What is kept of a command that was done before with the same key."""

    content_hash: bytes
    result: Any


@dataclass(frozen=True, slots=True)
class Wanted:
    """An account that an operation is about, and what it reads beside it: a plan, its key, the account's sale."""

    account_id: int
    plan_id: int | None = None
    key: str | None = None
    sold: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """The locked account with what stands beside it, all of one instant after the lock was had."""

    account: LockedAccount
    plans: dict[int, PlanFacts]  # the account's own, and the one asked for; those of its neighbours, too
    settings: TenantSettings
    done: DoneCommand | None = None
    owed: list[OpenReceivable] = field(default_factory=list)
    hold: OpenHold | None = None
    sold: Sold | None = None
    online: bool = True  # whether it may have open sessions


def _columns() -> str:
    return ", ".join(f"a.{name}::text" if name in MONEY else f"a.{name}" for name in _NAMES)


# Locked in the order of their ids, in a part of its own: whoever works on several accounts does it in the same order.
# Plans and settings are the same for all, so they stand in the first row only. (Deleted ones are left out afterwards:
# otherwise an index of those that are not deleted may be walked through, where statistics are old.) What is wanted
# comes as one JSON text: of an array's length the planner would make a new plan each time, where it is short.
_LOAD = """
WITH wanted AS MATERIALIZED (
  SELECT (w -> 0)::bigint AS account_id, (w ->> 1)::bigint AS plan_id, w ->> 2 AS key, (w -> 3)::boolean AS sold
    FROM unnest(ARRAY(SELECT jsonb_array_elements($1::jsonb))) w),
locked AS MATERIALIZED (
  SELECT {names}, a.deleted_at, a.xmin AS version FROM {schema}.accounts a
   WHERE a.id = ANY(ARRAY(SELECT account_id FROM wanted)) ORDER BY a.id FOR UPDATE{skip_locked})
SELECT json_build_array({columns}),
       a.version = (SELECT seen.xmin FROM {schema}.accounts seen WHERE seen.id = a.id),
       CASE WHEN a.id = (SELECT min(id) FROM locked WHERE deleted_at IS NULL) THEN (
         SELECT {plans} FROM {schema}.plans p
          WHERE p.id IN (SELECT plan_id FROM locked UNION ALL SELECT plan_id FROM wanted)) END,
       CASE WHEN a.id = (SELECT min(id) FROM locked WHERE deleted_at IS NULL) THEN (
         SELECT json_object_agg(key, value ORDER BY key)::text FROM {schema}.settings) END,
       CASE WHEN w.key IS NOT NULL THEN (
         SELECT json_build_array(encode(content_hash, 'hex'), result) FROM {schema}.commands WHERE key = w.key) END,
       {owed},
       {held},
       {sold},
       EXISTS (SELECT FROM aaa.session WHERE tenant_id = {tenant} AND account_id = a.id)
  FROM locked a JOIN wanted w ON w.account_id = a.id WHERE a.deleted_at IS NULL ORDER BY a.id"""

_READ = """
SELECT json_build_array({columns}) FROM {schema}.accounts a
 WHERE a.id = ANY($1::bigint[]) AND a.deleted_at IS NULL ORDER BY a.expires_at, a.id"""


@lru_cache(maxsize=2048)
def _load_sql(tenant_id: int, skip_locked: bool) -> str:
    # The schema's name is made of a number; everything else is constant.
    schema = schema_name(tenant_id)
    return _LOAD.format(
        schema=schema,
        tenant=int(tenant_id),
        skip_locked=" SKIP LOCKED" if skip_locked else "",
        names=", ".join(f"a.{name}" for name in _NAMES),
        columns=_columns(),
        plans=facts_sql(schema),
        owed=OWED.format(schema=schema),
        held=HELD.format(schema=schema),
        sold=SOLD.format(schema=schema),
    )


@lru_cache(maxsize=2048)
def _read_sql(schema: str) -> str:
    return _READ.format(schema=schema, columns=_columns())


def load(scope: TenantScope, wanted: Sequence[Wanted], *, skip_locked: bool = False) -> dict[int, Loaded]:
    """Lock different accounts (first of all locks) and read them, by id; those that do not exist are left out.

    ``skip_locked``: those on which somebody else works just now are left out, too.
    """
    scope.session.flush()  # what the caller changed before must be in the rows that are read
    values = (orjson.dumps([(one.account_id, one.plan_id, one.key, one.sold) for one in wanted]),)
    while True:
        rows = ask(scope.session, _load_sql(scope.tenant_id, skip_locked), values)
        if all(row[1] == b"t" for row in rows):
            break
        # Somebody changed one while we waited for its lock: the row is as he left it, but what was read beside it is
        # older. Now that the rows are ours, a second reading sees all.
    if not rows:
        return {}
    plans, settings = parse_plans(rows[0][2]), parse_stored(rows[0][3])
    return {one.account.id: one for one in (_loaded(row, plans, settings) for row in rows)}


def _loaded(row: Row, plans: dict[int, PlanFacts], settings: TenantSettings) -> Loaded:
    account, _, _, _, done, owed, hold, sold, online = row
    return Loaded(
        _account(account),
        plans,
        settings,
        None if done is None else _done(done),
        parse_owed(owed),
        parse_hold(hold),
        parse_sold(sold),
        online == b"t",
    )


def read_locked(scope: TenantScope, account_ids: Sequence[int]) -> list[LockedAccount]:
    """Accounts that the caller has locked already, the first that expires first."""
    scope.session.flush()  # read by SQL
    rows = ask(scope.session, _read_sql(schema_name(scope.tenant_id)), [array(account_ids)])
    return [_account(row) for (row,) in rows]


def _done(stored: bytes) -> DoneCommand:
    content_hash, result = orjson.loads(stored)
    return DoneCommand(bytes.fromhex(content_hash), result)


def _account(row: bytes | None) -> LockedAccount:
    assert row is not None
    values = orjson.loads(row)
    for index, parse in _PARSED:
        if values[index] is not None:
            values[index] = parse(values[index])
    return LockedAccount(*values)


_PARSED: list[tuple[int, Any]] = [
    (index, Decimal if name in MONEY else instant)
    for index, name in enumerate(_NAMES)
    if name in MONEY or name in INSTANTS
]
