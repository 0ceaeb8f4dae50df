"""Makes a tenant's row, data key and schema, and opens a scope in them before anybody else can see them (TEN-1).

In the main cell everything is one transaction. In another cell the registry row goes first, in state ``provisioning``,
then the cell's transaction, then the row becomes ``active``: whatever dies in between, a retry finishes it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, text, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from infra.db import APP_ROLE, MAIN_CELL, Database, schema_name
from infra.tenant_scope import TenantRef, TenantScope
from migrations.runner import note_version, provision_schema, schema_version
from tenants.registry.cells import accepting_cells, choose_cell
from tenants.registry.directory import tenant_ref
from tenants.registry.errors import EmailTaken, NoCellAccepts, SlugTaken
from tenants.registry.keys import new_wrapped_key
from tenants.registry.models import Owner, Tenant


@dataclass(frozen=True, slots=True)
class TenantOrder:
    """A checked wish for a tenant; the password only as its hash."""

    slug: str
    name: str
    email: str
    phone: str
    contact_name: str
    password_hash: str
    tier: str
    locale: str
    timezone: str
    currency: str


Furnish = Callable[[TenantScope, TenantOrder, datetime], None]


def place_tenant(connection: Connection, database: Database, wanted: str | None) -> str:
    """The cell for a new tenant. Raises :class:`NoCellAccepts`."""
    if wanted is not None:
        if wanted not in database.cells:
            raise NoCellAccepts()
        return wanted
    with Session(bind=connection) as session:
        return choose_cell(accepting_cells(session), database.cells)


def reserve_tenant(connection: Connection, order: TenantOrder, cell: str, now: datetime) -> TenantRef:
    """Write the rows of the registry in the caller's (owner) transaction. Raises :class:`SlugTaken`, EmailTaken."""
    try:
        with connection.begin_nested():
            tenant_id: int = connection.execute(
                insert(Tenant).returning(Tenant.id),
                {
                    "slug": order.slug,
                    "name": order.name,
                    "email": order.email,
                    "phone": order.phone,
                    "tier_code": order.tier,
                    "cell": cell,
                    "nas_prefix": order.slug,
                    "timezone": order.timezone,
                    "locale": order.locale,
                    "currency": order.currency,
                    "created_at": now,
                },
            ).scalar_one()
            connection.execute(
                insert(Owner),
                {"tenant_id": tenant_id, "email": order.email, "name": order.contact_name, "created_at": now},
            )
    except IntegrityError as error:
        if getattr(getattr(error.orig, "diag", None), "table_name", "") == "owners":
            raise EmailTaken(field="email", email=order.email) from None
        raise SlugTaken(field="slug", slug=order.slug) from None
    connection.execute(update(Tenant).where(Tenant.id == tenant_id).values(data_key_wrapped=new_wrapped_key(tenant_id)))
    return find_any_tenant(connection, tenant_id)


def find_any_tenant(connection: Connection, tenant_id: int) -> TenantRef:
    """A tenant in whatever state (owner transaction)."""
    with Session(bind=connection) as session:
        return tenant_ref(session.scalars(select(Tenant).where(Tenant.id == tenant_id)).one())


def build_tenant(
    connection: Connection, database: Database, tenant: TenantRef, order: TenantOrder, furnish: Furnish, now: datetime
) -> None:
    """Schema and first rows of a tenant of the main cell, in the same transaction as its registry rows."""
    version = provision_schema(connection, tenant.id)
    activate_tenant(connection, tenant.id, version)
    with _scope_within(connection, database, tenant) as scope:
        furnish(scope, order, now)


def build_tenant_in_cell(
    database: Database, tenant: TenantRef, order: TenantOrder, furnish: Furnish, now: datetime
) -> None:
    """Schema and first rows of a tenant of another cell, then its activation; every step may be repeated."""
    with database.owner_connection(tenant.cell) as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('broadloom.build'), :id)"), {"id": tenant.id})
        version = schema_version(connection, tenant.id)
        if not version:
            version = provision_schema(connection, tenant.id)
            with _scope_within(connection, database, tenant) as scope:
                furnish(scope, order, now)
    with database.owner_connection() as connection:
        activate_tenant(connection, tenant.id, version)


def activate_tenant(connection: Connection, tenant_id: int, version: str) -> None:
    """From now on the directory finds the tenant."""
    note_version(connection, tenant_id, version)
    waiting = update(Tenant).where(Tenant.id == tenant_id, Tenant.state == "provisioning")
    connection.execute(waiting.values(state="active", directory_version=Tenant.directory_version + 1))


@contextmanager
def _scope_within(connection: Connection, database: Database, tenant: TenantRef) -> Iterator[TenantScope]:
    """A tenant scope on a transaction that is under way: with the app role, thus under the same walls as always."""
    set_walls = text("SELECT set_config('role', :role, true), set_config('broadloom.tenant_id', :tenant, true)")
    connection.execute(set_walls, {"role": APP_ROLE, "tenant": str(tenant.id)})
    bound = connection.execution_options(schema_translate_map={"tenant": schema_name(tenant.id)})
    session = Session(bind=bound, join_transaction_mode="rollback_only", expire_on_commit=False)
    in_main = tenant.cell == MAIN_CELL
    registry = session if in_main else database.session(MAIN_CELL, APP_ROLE, tenant_id=tenant.id)
    try:
        yield TenantScope(tenant, session, registry, database)
        session.flush()  # the transaction is the connection's; nobody commits this session
        if not in_main:
            registry.commit()
    finally:
        session.close()
        if not in_main:
            registry.close()
    connection.execute(set_walls, {"role": "none", "tenant": ""})
