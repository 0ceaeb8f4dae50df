"""Lock an account and read everything that an operation on it decides on, in one round trip (OPS-1 … OPS-13)."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any

from infra.db import ask, schema_name
from infra.tenant_scope import TenantScope
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


_NAMES = tuple(field.name for field in fields(LockedAccount))
# What an order may change on an account, and a reversal puts back. Money is not here: it comes back by counter-entry.
WATCHED = _NAMES[_NAMES.index("plan_id") :]
MONEY = frozenset(field.name for field in fields(LockedAccount) if field.type is Decimal)
INSTANTS = frozenset(name for name in _NAMES if name.endswith("_at"))


@dataclass(frozen=True, slots=True)
class DoneCommand:
    """What is kept of a command that was done before with the same key."""

    content_hash: bytes
    result: Any


@dataclass(frozen=True, slots=True)
class Loaded:
    """The locked account with what stands beside it, all of one instant after the lock was had."""

    account: LockedAccount
    plans: dict[int, PlanFacts]  # the account's own, and the one asked for
    settings: TenantSettings
    done: DoneCommand | None


def _columns() -> str:
    return ", ".join(f"a.{name}::text" if name in MONEY else f"a.{name}" for name in _NAMES)


_LOAD = """
SELECT json_build_array({columns}),
       a.xmin = (SELECT seen.xmin FROM {schema}.accounts seen WHERE seen.id = a.id),
       (SELECT {plans} FROM {schema}.plans p WHERE p.id IN (a.plan_id, $2::bigint)),
       (SELECT json_object_agg(key, value ORDER BY key)::text FROM {schema}.settings),
       (SELECT json_build_array(encode(content_hash, 'hex'), result) FROM {schema}.commands WHERE key = $3)
  FROM {schema}.accounts a WHERE a.id = $1::bigint AND a.deleted_at IS NULL FOR UPDATE OF a"""

_READ = """
SELECT json_build_array({columns}) FROM {schema}.accounts a
 WHERE a.id = ANY($1::bigint[]) AND a.deleted_at IS NULL ORDER BY a.expires_at, a.id"""


@lru_cache(maxsize=2048)
def _load_sql(schema: str) -> str:
    # The schema's name is made of a number; everything else is constant.
    return _LOAD.format(schema=schema, columns=_columns(), plans=facts_sql(schema))


@lru_cache(maxsize=2048)
def _read_sql(schema: str) -> str:
    return _READ.format(schema=schema, columns=_columns())


def load(scope: TenantScope, account_id: int, *, plan_id: int | None = None, key: str | None = None) -> Loaded | None:
    """Lock the account (first of all locks) and read it; None where there is none. ``key``: that of the command."""
    scope.session.flush()  # what the caller changed before must be in the row that is read
    values = (str(account_id), None if plan_id is None else str(plan_id), key)
    while True:
        rows = ask(scope.session, _load_sql(schema_name(scope.tenant_id)), values)
        if not rows:
            return None
        account, unchanged, plans, settings, done = rows[0]
        if unchanged == b"t":
            break
        # Somebody changed it while we waited for the lock: the row is as he left it, but what was read beside it is
        # older. Now that the row is ours, a second reading sees all.
    return Loaded(_account(account), parse_plans(plans), parse_stored(settings), None if done is None else _done(done))


def read_locked(scope: TenantScope, account_ids: Sequence[int]) -> list[LockedAccount]:
    """Accounts that the caller has locked already, the first that expires first."""
    scope.session.flush()  # read by SQL
    ids = "{" + ",".join(map(str, account_ids)) + "}"
    return [_account(row) for (row,) in ask(scope.session, _read_sql(schema_name(scope.tenant_id)), [ids])]


def _done(stored: bytes) -> DoneCommand:
    content_hash, result = json.loads(stored)
    return DoneCommand(bytes.fromhex(content_hash), result)


def _account(row: bytes | None) -> LockedAccount:
    assert row is not None
    values = json.loads(row)
    for index, parse in _PARSED:
        if values[index] is not None:
            values[index] = parse(values[index])
    return LockedAccount(*values)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_PARSED: list[tuple[int, Any]] = [
    (index, Decimal if name in MONEY else _instant)
    for index, name in enumerate(_NAMES)
    if name in MONEY or name in INSTANTS
]
