"""Fill tenants with many made-up accounts, for measuring and for trying things out (``demo fill``).

The one writer of business rows that is no operation: the operations' work a million times over would take hours.
Rows are what the operations would leave, without orders: balances are 0, so the ledger agrees with them.
"""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, cast

from psycopg import Connection as PsycopgConnection
from sqlalchemy import select, text
from sqlalchemy.engine import Connection

from infra.crypto import NAS_SECRET, SUBSCRIBER_PASSWORD, SecretBox
from infra.db import Database, schema_name
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.access.project import EXPIRE, project_profiles
from tenants.catalog.models import Plan
from tenants.network.models import Region
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from tenants.registry.keys import tenant_box
from tenants.subscribers.search import searchable

DEMO_SECRET = "radius-secret"  # noqa: S105 - documented: filled tenants are for trying, not for real routers
SPREAD_DAYS = 30
_SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
_GIVEN = ("伟", "秀英", "建国", "丽萍", "志强", "小芳", "强", "敏", "文博", "玉兰", "振宇", "静", "海燕", "勇", "彤")
_PLACES = ("五和小区", "坂田新村", "龙华商圈", "民治花园", "大浪社区")


@dataclass(frozen=True, slots=True)
class Filled:
    """What a fill made, and how fast its accounts were written."""

    tenants: int
    accounts: int
    nas: int
    tenant_seconds: float
    account_seconds: float

    @property
    def accounts_per_second(self) -> float:
        """Accounts written a second, sealing of passwords and all indexes included."""
        return self.accounts / self.account_seconds if self.account_seconds else 0.0


def demo_slug(number: int) -> str:
    """``t0001`` …"""
    return f"t{number:04d}"


def ensure_demo_tenant(database: Database, number: int, *, now: datetime) -> TenantRef:
    """The tenant of this number, made when missing; its owner gets a password that nobody knows."""
    slug = demo_slug(number)
    try:
        return find_tenant(database, slug)
    except TenantNotFound:
        order = NewTenant(slug, f"Demo {number}", f"owner@{slug}.example", secrets.token_urlsafe(18))
        return create_tenant(database, order, now=now).tenant


def ensure_demo_nas(database: Database, tenant: TenantRef, count: int) -> int:
    """Routers ``<slug>-nas1`` … with the demo secret; gives how many were missing."""
    box = tenant_box(database, tenant.id)
    rows = [
        {
            "tenant": tenant.id,
            "identifier": f"{tenant.slug}-nas{k}",
            "name": f"Demo router {k}",
            "sealed": box.seal(DEMO_SECRET.encode(), NAS_SECRET),
        }
        for k in range(1, count + 1)
    ]
    with database.owner_connection() as connection:
        made = 0
        for row in rows:
            made += connection.execute(_ADD_NAS, row).rowcount
    return made


_ADD_NAS = text(
    "INSERT INTO registry.nas (tenant_id, identifier, name, vendor, secret_sealed, remark) "
    "VALUES (:tenant, :identifier, :name, 'mikrotik', :sealed, 'demo') "
    "ON CONFLICT (identifier) WHERE deleted_at IS NULL DO NOTHING"
)


def fill_accounts(database: Database, tenant: TenantRef, numbers: range, *, now: datetime) -> int:
    """Write the accounts of these numbers (``u000001`` password ``p000001`` …) into the tenant, in one transaction.

    Those whose user name is there already are left as they are. Gives how many were written.
    """
    box = tenant_box(database, tenant.id)
    plan_ids, region_id = _plans(database, tenant)
    if not plan_ids:
        return 0
    with database.owner_connection(tenant.cell) as connection:
        schema = schema_name(tenant.id)
        connection.execute(text("SET LOCAL synchronous_commit = off"))  # a lost slice is filled again by a second run
        connection.execute(_TRUST_REFERENCES)
        known = _known_usernames(connection, schema, numbers)
        connection.execute(text(_STAGE.replace("__schema__", schema)))
        driver = cast("PsycopgConnection[Any]", connection.connection.driver_connection)  # for COPY
        with driver.cursor().copy(f"COPY stage ({_STAGE_COLUMNS}) FROM STDIN (FORMAT BINARY)") as copy:
            copy.set_types(_STAGE_TYPES)
            written = 0
            for row in _rows(numbers, known, box, plan_ids, now):
                copy.write_row(row)
                written += 1
        values = {"tenant": tenant.id, "region": region_id, "now": now, "kind": EXPIRE}
        connection.execute(text("ANALYZE stage (customer_id)"))
        for statement in _INSERTS:
            connection.execute(text(statement.replace("__schema__", schema)), values)
        connection.execute(text("DROP TABLE stage"))
    return written


def _plans(database: Database, tenant: TenantRef) -> tuple[list[int], int]:
    """The plans that demo accounts have (buy-out of a month or longer) and the tenant's first region."""
    kinds = ("month", "quarter", "half-year", "year")
    with tenant_scope(database, tenant) as scope:
        plans = scope.session.execute(
            select(Plan.id, Plan.group_id).where(Plan.deleted_at.is_(None), Plan.kind.in_(kinds)).order_by(Plan.id)
        ).all()
        project_profiles(scope, sorted({plan.group_id for plan in plans}))
        region_id = scope.session.scalars(
            select(Region.id).where(Region.deleted_at.is_(None)).order_by(Region.id).limit(1)
        ).one()
    return [plan.id for plan in plans], region_id


# Every reference is to a row read or written by this very fill; looking each up again is a quarter of the work.
_TRUST_REFERENCES = text(
    "SELECT set_config('session_replication_role', 'replica', true) "
    "WHERE has_parameter_privilege('session_replication_role', 'SET')"
)
_FIRST = "SELECT 1 FROM __schema__.accounts LIMIT 1"
_KNOWN = "SELECT username FROM __schema__.accounts WHERE username = ANY(:names) AND name_released_at IS NULL"


def _known_usernames(connection: Connection, schema: str, numbers: range) -> set[str]:
    if connection.execute(text(_FIRST.replace("__schema__", schema))).first() is None:
        return set()
    found = connection.execute(
        text(_KNOWN.replace("__schema__", schema)),
        {"names": [f"u{number:06d}" for number in numbers]},
    )
    return set(found.scalars())


# Ids of customers are drawn while staging, so that customer and account pair up whoever else writes meanwhile.
_STAGE = """
CREATE TEMP TABLE stage (customer_id bigint DEFAULT nextval(pg_get_serial_sequence('__schema__.customers', 'id')),
  username text, sealed bytea, plan_id bigint, expires_at timestamptz, name text, phone text, address text,
  building text, room text, person_text text, account_text text) ON COMMIT DROP
"""
_STAGE_COLUMNS = (
    "username, sealed, plan_id, expires_at, name, phone, address, building, room, person_text, account_text"
)
_STAGE_TYPES = ["text", "bytea", "int8", "timestamptz", *["text"] * 7]


def _rows(
    numbers: range, known: set[str], box: SecretBox, plan_ids: list[int], now: datetime
) -> Iterator[tuple[Any, ...]]:
    step = timedelta(days=SPREAD_DAYS) / max(1, len(numbers))
    seal: Callable[[bytes, bytes], bytes] = box.seal
    for index, n in enumerate(numbers):
        username = f"u{n:06d}"
        if username in known:
            continue
        name, name_text = _NAMES[n % len(_NAMES)]
        phone = f"13{n % 10**9:09d}"
        address, building, place_text = _HOUSES[n // 1000 % len(_HOUSES)]
        room = str(n % 1000)
        person = f"{name_text} {phone}{place_text} {room}"
        yield (
            username,
            seal(f"p{n:06d}".encode(), SUBSCRIBER_PASSWORD),
            plan_ids[n % len(plan_ids)],
            now + step * (index + 1),
            name,
            phone,
            address,
            building,
            room,
            person,
            f" {username}{person}",
        )


# Searchable texts of the parts, made once: per row it would be the most expensive step.
_NAMES = [(s + g, searchable(s + g)) for g in _GIVEN for s in _SURNAMES]
_HOUSES = [(p, f"{b}栋", searchable(p, f"{b}栋")) for b in range(1, 61) for p in _PLACES]


# From the stage into the tenant's schema and the cluster's.
_INSERTS = (
    """INSERT INTO __schema__.customers (id, name, phone, address, building, room, search_text, created_at)
       SELECT customer_id, name, phone, address, building, room, person_text, :now FROM stage ORDER BY customer_id""",
    """INSERT INTO __schema__.accounts (customer_id, username, password_sealed, plan_id, region_id, opened_at,
              activated_at, expires_at, period_started_at, max_sessions, search_text)
       SELECT customer_id, username, sealed, plan_id, :region, :now, :now, expires_at, :now, 0, account_text
       FROM stage ORDER BY customer_id""",
    """INSERT INTO aaa.subscriber (tenant_id, username, account_id, password_sealed, state, activated, valid_until,
              max_sessions, profile_id, region_id)
       SELECT :tenant, s.username, a.id, s.sealed, 1, true, s.expires_at, 0, p.group_id, :region
       FROM stage s JOIN __schema__.accounts a ON a.customer_id = s.customer_id
       JOIN __schema__.plans p ON p.id = s.plan_id ORDER BY s.username COLLATE "C" """,
    """INSERT INTO work.due (tenant_id, kind, subject_id, run_at)
       SELECT :tenant, :kind, a.id, s.expires_at
       FROM stage s JOIN __schema__.accounts a ON a.customer_id = s.customer_id ORDER BY a.id""",
)


def analyse(database: Database, tenants: list[TenantRef]) -> None:
    """Give the planner statistics of what was just filled, instead of waiting for autovacuum."""
    for cell in {tenant.cell for tenant in tenants}:
        with database.owner_connection(cell) as connection:
            connection.execute(text("ANALYZE aaa.subscriber, aaa.profile, work.due"))
    for tenant in tenants:
        with database.owner_connection(tenant.cell) as connection:
            schema = schema_name(tenant.id)
            connection.execute(text(f"ANALYZE {schema}.accounts, {schema}.customers"))
