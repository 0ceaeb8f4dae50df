"""The website while its database hangs, or only reads: a page that says so within seconds, and nothing booked twice."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from infra import clock
from infra.db import Database
from infra.tenant_scope import tenant_scope
from portals.app import create_app
from portals.shared.security import limiter
from tenants.billing import share
from tenants.billing.models import Order
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.registry import keys
from tenants.subscribers.models import Account
from tests.fixtures.accounts import open_one, sell
from tests.fixtures.busy_machine import limit
from tests.fixtures.own_installation import own_installation
from tests.fixtures.radius import wait_for
from tests.fixtures.tenants import OWNER_PASSWORD, TEST_SECRET_KEY
from tests.fixtures.web import Web

NOT_READY = {"zh": "服务还没准备好", "en": "The service is not ready"}
UNKNOWN = {"zh": "无法确定这笔业务是否已记账", "en": "Whether this was booked is not known."}


@pytest.fixture(scope="module")
def place(compiled_templates) -> Iterator[SimpleNamespace]:
    """An installation of its own, its website (on the Unix socket, as `make run` has it), a tenant, an account."""
    with own_installation() as installation:
        keys.configure(TEST_SECRET_KEY)
        database = Database(installation.settings.database_url)
        owner = NewTenant("Alfa", "alfa", "owner@alfa.example", OWNER_PASSWORD, locale="en")
        tenant = create_tenant(database, owner, now=clock.now()).tenant
        with tenant_scope(database, tenant) as scope:
            account_id = open_one(scope, "alice", sell(scope))
        app = create_app(replace(installation.settings, database_url=installation.socket_url))
        app.jinja_env.bytecode_cache = compiled_templates
        limiter.enabled = False
        yield SimpleNamespace(installation=installation, database=database, tenant=tenant, account=account_id, app=app)
        limiter.enabled = True
        app.extensions["broadloom"].dispose()
        database.dispose()


def desk(place: Any, language: str = "en") -> Web:
    web = Web(place.app, language)
    web.submit("/t/alfa/admin/login", {"username": "admin", "password": OWNER_PASSWORD})
    assert web.get("/t/alfa/admin/online/").status_code == 200
    return web


def timed(ask: Any) -> tuple[TestResponse, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def seen(place: Any) -> tuple[Decimal, int]:
    """(balance, orders) of the account."""
    with tenant_scope(place.database, place.tenant) as scope:
        balance = scope.session.scalars(select(Account).where(Account.id == place.account)).one().balance
        return balance, scope.session.scalar(select(func.count()).select_from(Order)) or 0


@contextmanager
def frozen_at_the_commit(place: Any) -> Iterator[list[int]]:
    """The database hangs from the moment at which the next operation is about to commit; gives who was stopped."""
    stopped: list[int] = []
    commit = share._commit

    def freeze_and_commit(scope: Any) -> None:
        if not stopped:
            stopped.extend(place.installation.freeze_database())
        commit(scope)

    try:
        with mock.patch.object(share, "_commit", freeze_and_commit):
            yield stopped
    finally:
        place.installation.thaw_database(stopped)


def test_a_hanging_database_is_said_within_seconds_and_books_once(place):
    staff, reader, second = desk(place), desk(place, "zh"), desk(place)
    form = f"/t/alfa/admin/accounts/{place.account}/op/top-up"
    fields = {"amount": "60.50", "reason": "counter", "key": "k" * 24}
    before = seen(place)
    with frozen_at_the_commit(place) as stopped, ThreadPoolExecutor(2) as pool:
        booking = pool.submit(timed, lambda: staff.submit(form, fields))
        wait_for(lambda: stopped)
        reading = pool.submit(timed, lambda: reader.get("/t/alfa/admin/online/"))
        for pending, sentence in ((booking, UNKNOWN["en"]), (reading, NOT_READY["zh"])):
            answer, seconds = pending.result(60)
            assert (answer.status_code, seconds < limit(8)) == (503, True), seconds
            assert sentence in answer.get_data(as_text=True)
        for path, host in (("/t/alfa/admin/online/", "localhost"), ("/?lang=en", "a-domain-of-its-own.example")):
            answer, seconds = timed(lambda path=path, host=host: second.get(path, headers={"Host": host}))
            # It is known by now: nobody waits, no thread is taken.
            assert (answer.status_code, seconds < limit(1)) == (503, True), seconds
            assert NOT_READY["en"] in answer.get_data(as_text=True)
        assert 'name="key" value="' + "k" * 24 in staff.last.get_data(as_text=True)  # to be sent again
        again = staff.client.post(form, data=sent(staff), follow_redirects=True)
        assert UNKNOWN["en"] in again.get_data(as_text=True)
    wait_for(lambda: reader.get("/t/alfa/admin/online/").status_code == 200)  # by itself
    staff.last = staff.client.post(form, data=sent(staff), follow_redirects=True)
    assert "Booked ¥60.50 to the balance." in staff.text()
    after = seen(place)
    assert (after[0] - before[0], after[1]) == (Decimal("60.50"), before[1] + 1)


def sent(web: Web) -> dict[str, str]:
    """The hidden fields of the form that the last page offers to send again."""
    page = web.last.get_data(as_text=True)
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page))


def test_a_slow_statement_is_left_in_peace(place):
    database = place.app.extensions["broadloom"].database
    with database.engine().connect() as connection:
        assert connection.execute(text("SELECT 'done', pg_sleep(3)")).first()[0] == "done"


def test_a_read_only_database_shows_pages_and_says_why_it_stores_nothing(place):
    staff = desk(place)
    before = seen(place)
    form = f"/t/alfa/admin/accounts/{place.account}/op/top-up"
    with place.database.engine().connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET default_transaction_read_only = on"))
        connection.execute(text("SELECT pg_reload_conf()"))
        try:
            wait_for(lambda: is_read_only(place))
            assert staff.get("/t/alfa/admin/online/").status_code == 200
            answer = staff.submit(form, {"amount": "5", "reason": "counter"})
            assert answer.status_code == 503, staff.text()
            assert "The database can only be read." in staff.text()
        finally:
            connection.execute(text("SET default_transaction_read_only = off"))
            connection.execute(text("ALTER SYSTEM RESET default_transaction_read_only"))
            connection.execute(text("SELECT pg_reload_conf()"))
    wait_for(lambda: not is_read_only(place))
    assert staff.submit(form, {"amount": "5", "reason": "counter"}).status_code == 200
    assert seen(place)[0] == before[0] + 5


def is_read_only(place: Any) -> Any:
    """As the website's own connection sees it."""
    with place.app.extensions["broadloom"].database.engine().connect() as connection:
        return connection.execute(text("SHOW transaction_read_only")).scalar_one() == "on"
