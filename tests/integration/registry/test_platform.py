"""The platform's own people, suspending tenants, and the directory (TEN-5, TEN-7)."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.tenant_scope import tenant_scope, unscoped
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Forbidden
from tenants.registry.describe import describe_tenants
from tenants.registry.directory import find_tenant, list_tenants
from tenants.registry.errors import AlreadySuspended, PlatformLoginRefused, ReasonNeeded, TenantNotFound, WeakPassword
from tenants.registry.keys import box_for, tenant_box
from tenants.registry.models import PlatformAuditEntry
from tenants.registry.platform_operators import ensure_first, platform_operator, try_log_in
from tenants.registry.suspend import resume_tenant, suspend_tenant
from tests.fixtures.tenants import MakeTenant

NOW = clock.now()
PLATFORM = Actor("platform", 1, "ops@broadloom.example", everything=True)


def test_the_first_platform_operator(fresh_database: Database) -> None:
    with pytest.raises(WeakPassword):
        ensure_first(fresh_database, "ops@broadloom.example", "12345678", now=NOW)
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda _: ensure_first(fresh_database, "Ops@Broadloom.example", "", now=NOW), range(4)))
    [password] = [one for one in made if one]
    entered = try_log_in(fresh_database, " OPS@broadloom.example", password, address="192.0.2.1", now=NOW)
    assert platform_operator(fresh_database, entered.id, entered.session_epoch) == entered
    assert platform_operator(fresh_database, entered.id, entered.session_epoch + 1) is None
    for email, wrong in (("ops@broadloom.example", "x"), ("nobody@x.example", password), ("a\x00b", "x")):
        with pytest.raises(PlatformLoginRefused):
            try_log_in(fresh_database, email, wrong, address="192.0.2.1", now=NOW)
    with unscoped(fresh_database, reason="test") as session:
        actions = session.scalars(select(PlatformAuditEntry.action).order_by(PlatformAuditEntry.id)).all()
    assert actions == ["platform.first_operator", "platform.log_in", *["platform.log_in_refused"] * 3]


def test_suspending(database: Database, make_tenant: MakeTenant) -> None:
    tenant = make_tenant()
    with pytest.raises(ReasonNeeded):
        suspend_tenant(database, tenant.id, " ", actor=PLATFORM, now=NOW)
    with pytest.raises(Forbidden):
        suspend_tenant(database, tenant.id, "unpaid", actor=Actor("operator", 1, "x", everything=True), now=NOW)
    suspend_tenant(database, tenant.id, "unpaid", actor=PLATFORM, now=NOW)
    assert find_tenant(database, tenant.slug).state == "suspended"
    assert describe_tenants(database, [tenant])[0]["suspended_reason"] == "unpaid"
    with pytest.raises(AlreadySuspended):
        suspend_tenant(database, tenant.id, "again", actor=PLATFORM, now=NOW)
    resume_tenant(database, tenant.id, actor=PLATFORM, now=NOW)
    assert find_tenant(database, tenant.slug).state == "active"
    with pytest.raises(TenantNotFound):
        resume_tenant(database, 10**8, actor=PLATFORM, now=NOW)


def test_the_directory(database: Database, make_tenant: MakeTenant) -> None:
    tenant = make_tenant()
    assert find_tenant(database, tenant.slug.upper()) == find_tenant(database, str(tenant.id)) == tenant
    assert tenant in list_tenants(database)
    for ref in ("", "nobody", "99999999", "9" * 40, "' OR 1=1 --", "１２"):
        with pytest.raises(TenantNotFound):
            find_tenant(database, ref)


def test_each_tenant_has_its_own_key(database: Database, make_tenant: MakeTenant) -> None:
    from infra.crypto import NAS_SECRET, DecryptionError
    from tenants.registry import keys
    from tests.fixtures.tenants import TEST_SECRET_KEY

    charlie, alice = make_tenant(), make_tenant()
    with tenant_scope(database, charlie) as scope:
        sealed = box_for(scope).seal(b"secret", NAS_SECRET)
    with tenant_scope(database, alice) as scope, pytest.raises(DecryptionError):
        box_for(scope).open(sealed, NAS_SECRET)
    keys.configure(TEST_SECRET_KEY)  # a new process: nothing cached
    assert tenant_box(database, charlie.id).open(sealed, NAS_SECRET) == b"secret"
    keys.configure("another installation's secret key, long enough")
    with pytest.raises(DecryptionError, match="BROADLOOM_SECRET_KEY"):
        tenant_box(database, charlie.id)
    keys.configure(TEST_SECRET_KEY)
