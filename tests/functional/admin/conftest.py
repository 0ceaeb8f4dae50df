"""A desk: somebody signed in to the staff's portal of a fresh tenant, and a few words for what stands in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from werkzeug.test import TestResponse

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.edit_role import RoleForm, add_role
from tests.fixtures.accounts import OWNER, go_online, open_one, sell
from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web


class Desk:
    """A browser without JavaScript, signed in; paths are those beneath ``/admin``."""

    def __init__(self, web: Web, tenant: TenantRef, database: Database) -> None:
        self.web, self.tenant, self.database = web, tenant, database
        self.at = f"/t/{tenant.slug}/admin"

    def sign_in(self, username: str = "admin", password: str = OWNER_PASSWORD) -> "Desk":
        self.web.submit(f"{self.at}/login", {"username": username, "password": password})
        return self

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.web.get(f"{self.at}{path}", **more)

    def submit(self, path: str, fields: dict[str, Any] | None = None, *, to: str = "") -> TestResponse:
        return self.web.submit(f"{self.at}{path}", fields, to=f"{self.at}{to}" if to else "")

    def text(self) -> str:
        return self.web.text()

    @contextmanager
    def scope(self) -> Iterator[TenantScope]:
        """One unit of work beside the pages, committed at its end."""
        with tenant_scope(self.database, self.tenant) as opened:
            yield opened

    def hire(self, username: str, *rights: str, **more: Any) -> None:
        """An operator with exactly these rights."""
        with self.scope() as scope:
            role_id = add_role(scope, RoleForm(f"role of {username}", frozenset(rights)), actor=OWNER, now=clock.now())
            command = AddOperator(username, OWNER_PASSWORD, role_id, name=username, must_change_password=False, **more)
            add_operator(scope, command, actor=OWNER, now=clock.now())


@pytest.fixture
def desk(web: Web, tenant: TenantRef, database: Database) -> Desk:
    """The owner at the desk of a fresh tenant."""
    return Desk(web, tenant, database).sign_in()


@pytest.fixture
def online(desk: Desk) -> list[int]:
    """Three accounts, each with an open session."""
    with desk.scope() as scope:
        plan = sell(scope)
        ids = [open_one(scope, f"u{number}", plan, name=f"Person {number}") for number in range(3)]
        for number, account_id in enumerate(ids):
            session = f"81:{number}:x"  # colons must not confuse the form's value
            go_online(scope, account_id, session, framed_ip=f"10.0.0.{number + 1}", octets_out=5 * 1024**3)
    return ids
