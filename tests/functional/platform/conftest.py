"""Somebody who runs the cloud, at the platform console: ``ops`` is signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from infra import clock
from infra.crypto import hash_password
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.registry.models import PlatformAuditEntry, PlatformOperator
from tests.fixtures.web import Web

EMAIL, PASSWORD = "ops@cloud.example", "a platform password 42"
_HASH = hash_password(PASSWORD)


@dataclass
class Ops:
    """The operator's browser."""

    database: Database
    app: Flask
    web: Web

    def sign_in(self, password: str = PASSWORD, *, web: Web | None = None) -> Web:
        web = web or self.web
        web.submit("/platform/login", {"email": EMAIL, "password": password})
        return web

    def get(self, page: str = "") -> str:
        self.web.get(f"/platform/{page}")
        return self.web.text()

    def submit(self, page: str, fields: dict[str, Any] | None = None, *, to: str = "") -> str:
        self.web.submit(f"/platform/{page}", fields, to=f"/platform/{to}" if to else "")
        return self.web.text()

    @property
    def status(self) -> int:
        assert self.web.last is not None
        return self.web.last.status_code

    def log(self) -> list[str]:
        """What this operator did, oldest first."""
        with unscoped(self.database, reason="test reads the platform's log") as session:
            entries = session.scalars(
                select(PlatformAuditEntry).where(PlatformAuditEntry.actor == EMAIL).order_by(PlatformAuditEntry.id)
            )
            return [entry.action for entry in entries]


@pytest.fixture
def door(app: Flask, database: Database) -> Ops:
    """The operator exists and is not signed in; the password is as at the beginning."""
    with unscoped(database, reason="test makes a platform operator") as session:
        found = session.scalars(select(PlatformOperator).where(PlatformOperator.email == EMAIL)).first()
        if found is None:
            found = PlatformOperator(email=EMAIL, name="Ops", password_hash=_HASH, created_at=clock.now())
            session.add(found)
        found.password_hash = _HASH
    return Ops(database, app, Web(app))


@pytest.fixture
def ops(door: Ops) -> Ops:
    """Signed in."""
    door.sign_in()
    return door


MakeTenant = Callable[..., Any]
