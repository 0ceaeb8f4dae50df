"""A subscriber of a small ISP at the door of self-service: ``sub`` knows the account and does what a person does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.billing.top_up import TopUp, top_up
from tenants.registry import settings
from tenants.subscribers.find import find_account
from tenants.subscribers.show_account import show_account
from tests.fixtures.accounts import OWNER, open_one, sell, set_expiry
from tests.fixtures.web import Web

PASSWORD = "pass-0001"


@dataclass
class Subscriber:
    """One account and the browser of whoever owns it."""

    database: Database
    tenant: TenantRef
    app: Flask
    web: Web
    username: str
    account_id: int
    plans: dict[str, int]

    @property
    def path(self) -> str:
        return f"/t/{self.tenant.slug}/"

    def sign_in(self, password: str = PASSWORD, *, web: Web | None = None) -> Web:
        web = web or self.web
        web.submit(f"{self.path}login", {"username": self.username, "password": password})
        return web

    def other_browser(self) -> Web:
        return Web(self.app)

    def get(self, page: str = "") -> str:
        self.web.get(self.path + page)
        return self.web.text()

    def submit(self, page: str, fields: dict[str, Any] | None = None, *, to: str = "") -> str:
        self.web.submit(self.path + page, fields, to=self.path + to if to else "")
        return self.web.text()

    @property
    def status(self) -> int:
        assert self.web.last is not None
        return self.web.last.status_code

    def pay_in(self, amount: str) -> None:
        with tenant_scope(self.database, self.tenant) as scope:
            top_up(scope, TopUp(self.account_id, Decimal(amount)), actor=OWNER, now=clock.now())

    def expires(self, at: datetime) -> None:
        with tenant_scope(self.database, self.tenant) as scope:
            set_expiry(scope, self.account_id, at)

    def set(self, **values: str) -> None:
        with tenant_scope(self.database, self.tenant) as scope:
            settings.write_many(scope, values, actor=OWNER, now=clock.now())

    def run(self, operation: Any, command: Any) -> Any:
        with tenant_scope(self.database, self.tenant) as scope:
            return operation(scope, command, actor=OWNER, now=clock.now())

    def account(self) -> dict[str, Any]:
        with tenant_scope(self.database, self.tenant) as scope:
            return show_account(scope, self.account_id, clock.now())

    def read(self, what: Callable[[Any], Any]) -> Any:
        with tenant_scope(self.database, self.tenant) as scope:
            return what(scope)

    def expiry(self) -> datetime:
        return self.read(lambda scope: find_account(scope, self.account_id).expires_at)


MakeSubscriber = Callable[..., Subscriber]


@pytest.fixture
def make_sub(app: Flask, database: Database, make_tenant: Callable[..., TenantRef]) -> MakeSubscriber:
    """Make a subscriber in a new tenant, or in ``tenant=`` another one; ``username=``, ``opened_days_ago=``."""

    def make(
        *, tenant: TenantRef | None = None, username: str = "chen", opened_days_ago: float = 10, **fields: Any
    ) -> Subscriber:
        tenant = tenant or make_tenant()
        with tenant_scope(database, tenant) as scope:
            month = sell(scope, "100M month", price="50", group="100M")
            quarter = sell(scope, "100M quarter", kind="quarter", price="140", group="100M")
            fast = sell(scope, "300M month", price="90", group="300M")
            plans = {"month": month.id, "quarter": quarter.id, "fast": fast.id}
            opened = clock.now() - timedelta(days=opened_days_ago)
            account_id = open_one(scope, username, month, password=PASSWORD, now=opened, **fields)
        return Subscriber(database, tenant, app, Web(app), username, account_id, plans)

    return make


@pytest.fixture
def sub(make_sub: MakeSubscriber) -> Subscriber:
    """A subscriber with a running monthly plan and nothing on the balance, signed in."""
    found = make_sub()
    found.sign_in()
    return found
