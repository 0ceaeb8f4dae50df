"""The demonstration: two tenants with subscribers in all states, made once, through the public operations."""

from dataclasses import replace

from sqlalchemy import func, select

from infra import clock
from infra.db import Database
from infra.settings import Settings
from infra.tenant_scope import tenant_scope
from portals.commands.demo import ensure_demo
from tenants.billing.check import check_ledger
from tenants.network.queries import list_nas
from tenants.registry.directory import find_tenant
from tenants.registry.settings import read
from tenants.staff.log_in import LogIn, try_log_in
from tenants.subscribers.models import Account
from tenants.subscribers.rules import shown_state


def test_all_states_are_there_and_the_books_agree(
    fresh_database: Database, fresh_database_url: str, settings: Settings
) -> None:
    settings = replace(settings, database_url=fresh_database_url)
    facts = ensure_demo(settings)
    again = ensure_demo(settings)
    assert again == facts

    qingteng = find_tenant(fresh_database, "qingteng")
    now = clock.now()
    with tenant_scope(fresh_database, qingteng) as scope:
        accounts = list(scope.session.scalars(select(Account)))
        expiring_days = read(scope).expiring_days
        states = {shown_state(account, now, expiring_days) for account in accounts}
        assert states == {
            "normal", "expiring", "expired", "held", "disabled", "arrears", "not_activated", "closed",
        }  # fmt: skip
        assert len(accounts) == 60
        assert {row.vendor for row in list_nas(scope)} == {"mikrotik", "huawei", "h3c"}
        assert list(check_ledger(scope).findings) == []
        radius = next(account for account in accounts if account.username == facts.radius_user)
        assert shown_state(radius, now, expiring_days) == "normal"
    lakeside = find_tenant(fresh_database, "lakeside")
    with tenant_scope(fresh_database, lakeside) as scope:
        assert scope.session.scalar(select(func.count(Account.id))) == 24
    for login in facts.logins:
        if "/admin/" in login.address:
            tenant = qingteng if "qingteng" in login.address else lakeside
            try_log_in(fresh_database, tenant, LogIn(login.user, login.password, "192.0.2.1"), now=now)
