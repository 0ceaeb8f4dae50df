"""Settings hold at once, are logged, and those that the cluster needs reach the registry (TEN-9)."""

import pytest
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.kernel.actor import SYSTEM, Actor
from tenants.kernel.errors import Forbidden, InvalidInputs
from tenants.registry.directory import find_tenant
from tenants.registry.models import Tenant, TenantSetting
from tenants.registry.settings import list_settings, read, reset, write, write_many

NOW = clock.now()


def test_written_read_reset(scope: TenantScope) -> None:
    assert read(scope).arrears_days == 3
    assert write(scope, "arrears_days", "5", actor=SYSTEM, now=NOW) == 5
    assert read(scope).arrears_days == 5
    assert [row.key for row in list_settings(scope) if not row.is_default] == ["locale", "arrears_days"]
    assert reset(scope, "arrears_days", actor=SYSTEM, now=NOW) == 3
    assert "arrears_days" not in scope.session.scalars(select(TenantSetting.key)).all()
    changes = scope.session.scalars(
        select(AuditEntry).where(AuditEntry.action == "settings.edit").order_by(AuditEntry.id.desc())
    ).all()
    assert [(c.before, c.after) for c in changes[:2]] == [
        ({"arrears_days": 5}, {"arrears_days": 3}),
        ({"arrears_days": 3}, {"arrears_days": 5}),
    ]


def test_all_or_nothing(scope: TenantScope) -> None:
    with pytest.raises(InvalidInputs) as caught:
        write_many(
            scope,
            {"arrears_days": "5", "timezone": "Mars", "install_fee": "-1", "nonsense": "1"},
            actor=SYSTEM,
            now=NOW,
        )
    assert [error.field for error in caught.value.errors] == ["timezone", "install_fee", "nonsense"]
    assert read(scope).arrears_days == 3
    with pytest.raises(Forbidden):
        write(scope, "arrears_days", "5", actor=Actor("operator", 1, "x"), now=NOW)


def test_what_the_cluster_needs_is_copied(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = two_isps

    def facts(tenant: TenantRef) -> tuple[object, ...]:
        with tenant_scope(database, tenant) as scope:
            row = scope.registry.scalars(select(Tenant)).one()
            return row.interim_seconds, row.max_session_seconds, row.timezone, row.directory_version

    before, others = facts(charlie), facts(alice)
    with tenant_scope(database, charlie) as scope:
        wanted = {"interim_seconds": "600", "max_session_seconds": "0", "timezone": "Europe/Paris"}
        write_many(scope, wanted, actor=SYSTEM, now=NOW)
    after = facts(charlie)
    assert after[:3] == (600, 0, "Europe/Paris")
    assert after[3] > before[3]  # type: ignore[operator]
    assert facts(alice) == others
    assert find_tenant(database, charlie.slug).timezone == "Europe/Paris"
