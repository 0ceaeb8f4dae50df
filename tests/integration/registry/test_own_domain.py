"""TEN-7: a tenant's own domain works once it points here."""

from datetime import timedelta

import pytest

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.kernel.actor import SYSTEM, Actor
from tenants.kernel.errors import Forbidden, NotFound
from tenants.registry.directory import tenant_by_hostname
from tenants.registry.errors import BadHostname, HostnameNotPointing, HostnameTaken
from tenants.registry.own_domain import add_domain, check_domain, list_domains, remove_domain, verify_domain

BASE = "broadloom.example"
OURS = frozenset({"203.0.113.10"})


def test_named_pointed_verified_removed(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = two_isps
    host = f"portal.{charlie.slug}.net"
    with tenant_scope(database, charlie) as scope:
        add_domain(scope, f" {host.upper()}. ", base_domain=BASE, actor=SYSTEM, now=clock.now())
    assert tenant_by_hostname(database, host) is None
    with tenant_scope(database, alice) as scope:
        with pytest.raises(HostnameTaken):
            add_domain(scope, host, base_domain=BASE, actor=SYSTEM, now=clock.now())
        with pytest.raises(NotFound):  # another's domain is as unknown as none
            remove_domain(scope, host, actor=SYSTEM, now=clock.now())
        assert list_domains(scope) == []
    with tenant_scope(database, charlie) as scope:
        elsewhere = {"own_addresses": OURS, "resolve": lambda _: frozenset({"198.51.100.1"})}
        with pytest.raises(HostnameNotPointing, match=r"203\.0\.113\.10"):
            verify_domain(scope, host, **elsewhere, actor=SYSTEM, now=clock.now())
        here = {"own_addresses": OURS, "resolve": lambda _: OURS}
        row = verify_domain(scope, host, **here, actor=SYSTEM, now=clock.now())
        again = verify_domain(scope, host, **elsewhere, actor=SYSTEM, now=clock.now() + timedelta(days=1))
        assert again.verified_at == row.verified_at
    assert tenant_by_hostname(database, host.upper()) == charlie
    with tenant_scope(database, charlie) as scope:
        remove_domain(scope, host, actor=SYSTEM, now=clock.now())
    assert tenant_by_hostname(database, host) is None


def test_a_right_is_needed(database: Database, tenant: TenantRef) -> None:
    with tenant_scope(database, tenant) as scope, pytest.raises(Forbidden):
        add_domain(scope, "a.example.net", base_domain=BASE, actor=Actor("operator", 1, "x"), now=clock.now())


@pytest.mark.parametrize("host", ["portal.example.net", "宽带.example.net", "a-b.example.com."])
def test_good_domains(host: str) -> None:
    assert check_domain(host, BASE).isascii()


@pytest.mark.parametrize(
    "host",
    [
        "", "localhost", "a.localhost", "example", "203.0.113.5", "-a.example.net", "a..b.net", f"x.{BASE}", BASE,
        "a_b.net", "x" * 300, "a b.net", "a\x00.net",
    ],
)  # fmt: skip
def test_bad_domains(host: str) -> None:
    with pytest.raises(BadHostname):
        check_domain(host, BASE)
