"""The operation log (STF-6): append-only by the database, and altered entries are found."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.audit.record import record
from tenants.audit.seal_chain import seal_chain
from tenants.audit.verify_chain import verify_chain
from tenants.kernel.actor import Actor

ANA = Actor("operator", 7, "Ana", address="192.0.2.1")


def write(scope: TenantScope, number: int, **more: object) -> None:
    values = {"action": "account.edit", "object_kind": "account", "object_id": number, "object_label": f"u{number}"}
    record(scope, actor=ANA, now=clock.now(), **{**values, **more})
    scope.session.flush()


def test_only_what_changed_is_kept_in_plain_values(scope: TenantScope) -> None:
    before = {"price": Decimal("1.10"), "name": "a", "at": datetime(2026, 1, 2, tzinfo=UTC), "tags": {"b", "a"}}
    write(scope, 1, before=before, after={**before, "name": "b"})
    write(scope, 2, after=before)
    write(scope, 3, before=[{"x": Decimal(1)}], after=[])
    rows = list(scope.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(3)))
    assert (rows[2].before, rows[2].after) == ({"name": "a"}, {"name": "b"})
    assert rows[1].after == {"price": "1.10", "name": "a", "at": "2026-01-02T00:00:00+00:00", "tags": ["a", "b"]}
    assert (rows[0].before, rows[0].after) == ([{"x": "1"}], [])
    assert rows[0].address == "192.0.2.1"
    with pytest.raises(TypeError):
        write(scope, 4, after={"secret": b"bytes"})


def test_sealed_in_slices_and_whole(database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope:
        for number in range(5):
            write(scope, number, after={"n": number, "money": Decimal("1.50")})
        waiting = verify_chain(scope).unsealed
        assert waiting > 5  # those of the provisioning
    with tenant_scope(database, tenant) as scope:
        assert seal_chain(scope, limit=3) == 3
    with tenant_scope(database, tenant) as scope:
        assert seal_chain(scope) == waiting - 3
        assert seal_chain(scope) == 0
    with tenant_scope(database, tenant) as scope:
        report = verify_chain(scope)
        assert (report.entries, report.unsealed, report.broken_at) == (waiting, 0, None)


def test_an_entry_cannot_be_changed_or_removed(database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope:
        seal_chain(scope)
    for statement in (
        "UPDATE t_{id}.audit_entries SET actor_name = 'Bob'",
        "UPDATE t_{id}.audit_entries SET hash = 'x'",
        "DELETE FROM t_{id}.audit_entries",
        "TRUNCATE t_{id}.audit_entries",
    ):
        sql = text(statement.format(id=tenant.id))
        session = database.session("main", "broadloom_app", tenant_id=tenant.id)
        with pytest.raises(DBAPIError):
            session.execute(sql)
        session.rollback()
        session.close()
        with pytest.raises(DBAPIError, match="append-only"), database.owner_connection() as connection:
            connection.execute(sql)


@pytest.mark.parametrize(
    "crime",
    [
        "UPDATE {t} SET actor_name = 'Bob' WHERE position = 4",
        "DELETE FROM {t} WHERE position = 4",
        "UPDATE {t} SET after = '{{\"n\": 99}}' WHERE position = 4",
        "UPDATE {t} SET hash = previous_hash WHERE position = 4",
    ],
)
def test_whoever_gets_past_the_triggers_is_found_out(database: Database, tenant: TenantRef, crime: str) -> None:
    with tenant_scope(database, tenant) as scope:
        seal_chain(scope)
    table = f"t_{tenant.id}.audit_entries"
    with database.owner_connection() as connection:
        fifth = (
            connection.execute(text(f"SELECT id FROM {table} WHERE position IN (4, 5) ORDER BY position"))
            .scalars()
            .all()
        )
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(crime.format(t=table)))
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    with tenant_scope(database, tenant) as scope:
        assert verify_chain(scope).broken_at in fifth
