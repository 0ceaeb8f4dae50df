"""Cells: a second database takes tenants, and a tenant that was half made there is finished by the next try."""

from collections.abc import Callable

import pytest
from sqlalchemy import select, text

from infra import clock
from infra.db import Database
from infra.tenant_scope import tenant_scope, unscoped
from tenants.access.models import Profile
from tenants.kernel.actor import SYSTEM
from tenants.network.add_nas import AddNas, add_nas
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.onboarding.sign_up import SignUpForm, sign_up
from tenants.onboarding.verify import verify
from tenants.registry import keys
from tenants.registry.cells import choose_cell
from tenants.registry.directory import find_tenant
from tenants.registry.errors import NoCellAccepts, TenantNotFound, TokenUsed
from tenants.registry.models import Nas, Tenant
from tenants.registry.prepare import prepare_database
from tenants.registry.settings import read, write
from tenants.staff.log_in import LogIn, try_log_in
from tests.fixtures.tenants import OWNER_PASSWORD, TEST_SECRET_KEY


@pytest.fixture
def cloud(make_database: Callable[..., str], make_engines: Callable[..., Database]) -> Database:
    """An installation whose second cell, "east", is another database, prepared by the runner."""
    keys.configure(TEST_SECRET_KEY)
    database = make_engines(make_database(migrated=False), {"east": make_database(migrated=False)})
    prepare_database(database)
    return database


def create(cloud: Database, slug: str, cell: str | None = None):
    new = NewTenant(slug, slug.title(), f"owner@{slug}.example", OWNER_PASSWORD, locale="en", cell=cell)
    return create_tenant(cloud, new, now=clock.now()).tenant


def schemas(cloud: Database, cell: str) -> set[str]:
    with cloud.owner_connection(cell) as connection:
        names = connection.execute(
            text("SELECT nspname FROM pg_namespace WHERE nspname !~ '^(pg_|information_schema)'")
        )
        return set(names.scalars())


def test_each_cell_has_what_belongs_to_it(cloud: Database) -> None:
    assert schemas(cloud, "main") == {"public", "broadloom_meta", "aaa", "work", "registry"}
    assert schemas(cloud, "east") == {"public", "broadloom_meta", "aaa", "work"}


def test_tenants_go_to_the_least_full_cell_that_accepts(cloud: Database) -> None:
    cells = [create(cloud, slug).cell for slug in ("first", "second", "third")]
    assert cells == ["main", "east", "main"]
    with unscoped(cloud, reason="test") as session:
        session.execute(text("UPDATE registry.cells SET accepts_tenants = false WHERE name = 'east'"))
    assert create(cloud, "fourth").cell == "main"
    with unscoped(cloud, reason="test") as session:
        session.execute(text("UPDATE registry.cells SET accepts_tenants = false"))
    with pytest.raises(NoCellAccepts):
        create(cloud, "fifth")


def test_work_in_another_cell(cloud: Database) -> None:
    """Business rows lie in the cell, routers and identity in the registry; both commit or neither."""
    tenant = create(cloud, "harbour", "east")
    assert f"t_{tenant.id}" in schemas(cloud, "east")
    assert f"t_{tenant.id}" not in schemas(cloud, "main")
    with tenant_scope(cloud, tenant) as scope:
        assert scope.registry is not scope.session
        assert len(list(scope.session.scalars(select(Profile)))) == 4
        nas = add_nas(scope, AddNas("mikrotik", name="quay"), actor=SYSTEM, now=clock.now())
        write(scope, "interim_seconds", "600", actor=SYSTEM, now=clock.now())
    try_log_in(cloud, tenant, LogIn("admin", OWNER_PASSWORD, "192.0.2.1"), now=clock.now())
    with tenant_scope(cloud, tenant) as scope:
        assert read(scope).interim_seconds == 600
        assert scope.registry.get(Nas, nas.nas_id) is not None
        assert scope.registry.scalars(select(Tenant.interim_seconds)).all() == [600]

    def fail_later() -> None:
        with tenant_scope(cloud, tenant) as scope:
            add_nas(scope, AddNas("mikrotik", name="lost"), actor=SYSTEM, now=clock.now())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_later()
    with tenant_scope(cloud, tenant) as scope:
        assert scope.registry.scalars(select(Nas.name)).all() == ["quay"]


@pytest.mark.parametrize("dies_at", ["furnish", "activate_tenant"])
def test_a_run_killed_half_way_is_finished_by_the_next(
    cloud: Database, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    place = {
        "furnish": "tenants.onboarding.create_tenant.furnish",
        "activate_tenant": "tenants.registry.provision.activate_tenant",
    }

    def die(*_: object) -> None:
        raise KeyboardInterrupt  # nothing after this line runs, as after kill -9

    with monkeypatch.context() as patch:
        patch.setattr(place[dies_at], die)
        with pytest.raises(KeyboardInterrupt):
            create(cloud, "harbour", "east")
    with pytest.raises(TenantNotFound):  # nobody sees a half-made tenant
        find_tenant(cloud, "harbour")
    tenant = create(cloud, "harbour", "east")
    assert tenant.state == "active"
    try_log_in(cloud, tenant, LogIn("admin", OWNER_PASSWORD, "192.0.2.1"), now=clock.now())


def test_the_link_finishes_what_it_began(cloud: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    create(cloud, "first")  # so that the next one goes east
    form = SignUpForm("harbour", "Harbour", "Ana", "ana@harbour.example", "13800138000", OWNER_PASSWORD)
    receipt = sign_up(cloud, form, now=clock.now(), site_url="https://broadloom.example")

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("tenants.onboarding.verify.furnish", die)
        with pytest.raises(KeyboardInterrupt):
            verify(cloud, receipt.token, now=clock.now())
    made = verify(cloud, receipt.token, now=clock.now())
    assert made.tenant.cell == "east"
    with pytest.raises(TokenUsed):
        verify(cloud, receipt.token, now=clock.now())


def test_migrating_reaches_tenants_of_all_cells(cloud: Database) -> None:
    tenants = [create(cloud, "first", "main"), create(cloud, "second", "east")]
    with cloud.owner_connection() as connection:
        connection.execute(text("UPDATE registry.tenant_migrations SET version = 'older'"))
    report = prepare_database(cloud)
    assert sorted(report.migrated) == sorted(tenant.slug for tenant in tenants)
    assert report.failed == {}


def test_choosing_is_pure() -> None:
    assert choose_cell({"main": 3, "east": 2}, ["main", "east"]) == "east"
    assert choose_cell({"main": 2, "east": 2}, ["main", "east"]) == "main"
    assert choose_cell({"main": 9, "gone": 0}, ["main"]) == "main"
