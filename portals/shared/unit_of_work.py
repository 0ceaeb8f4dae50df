"""One unit of work per request: opened with the request, committed after the view succeeded and before the answer is
sent, undone on an error and on any answer from 400 up (style.md rule 4). Nothing else commits, save operations on
accounts, whose units of work are their own (``operate.py``): they may be shared with those of other requests.
"""

import threading
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import cast

from flask import Flask, Response, current_app, g
from sqlalchemy import text
from sqlalchemy.orm import Session

from infra.db import Database
from infra.servers import resolve
from infra.settings import Settings
from infra.tenant_scope import TenantRef, TenantScope, open_scope, unscoped
from tenants.billing.share import Sharing

_EXTENSION = "broadloom"


class _Undone(Exception):
    """Thrown into an open ``unscoped`` block so that it undoes its work."""


@dataclass(slots=True, eq=False)  # one object is one installation
class Installation:
    """What the application was made with."""

    settings: Settings
    _database: Database | None = None
    _sharing: Sharing | None = None
    _making: threading.RLock = field(default_factory=threading.RLock)  # first requests come in several threads

    @property
    def database(self) -> Database:
        """The engines, made at first use: the servers may start after the application."""
        if self._database is None:
            with self._making:
                if self._database is None:
                    servers = resolve(self.settings)
                    url = servers.database_socket_url or servers.database_url
                    self._database = Database(url, self.settings.cells(), watched=True)
        return self._database

    @property
    def sharing(self) -> Sharing:
        """Where this process's operations on accounts meet."""
        if self._sharing is None:
            with self._making:
                if self._sharing is None:
                    self._sharing = Sharing(self.database)
        return self._sharing

    def dispose(self) -> None:
        """Close the pooled connections."""
        if self._database is not None:
            self._database.dispose()


def installation() -> Installation:
    """The settings and databases of this application."""
    return cast(Installation, current_app.extensions[_EXTENSION])


def open_tenant(tenant: TenantRef) -> TenantScope:
    """Open the request's scope of ``tenant`` as ``g.scope``."""
    g.tenant = tenant
    g.scope = open_scope(installation().database, tenant)
    return cast(TenantScope, g.scope)


def end_reading() -> None:
    """End what the request did so far, and give its connection back; what it does from now on is a unit of its own."""
    cast(TenantScope, g.scope).commit()


def platform_session(reason: str) -> Session:
    """The request's session across tenants (site and platform console only); ends with the unit of work."""
    found = getattr(g, "platform_session", None)
    if found is None:
        g.stack = getattr(g, "stack", None) or ExitStack()
        found = g.stack.enter_context(unscoped(installation().database, reason=reason))
        g.platform_session = found
    return cast(Session, found)


def keep_changes() -> None:
    """Commit although the answer is a refusal: failed logins are counted, a used-up link stays used up."""
    g.keep_changes = True


def is_reachable() -> bool:
    """Whether the database answers (``/readyz``)."""
    with installation().database.engine().connect() as connection:
        return bool(connection.execute(text("SELECT 1")).scalar_one() == 1)


def _end(response: Response) -> Response:
    good = response.status_code < 400 or getattr(g, "keep_changes", False)
    scope: TenantScope | None = g.pop("scope", None)
    stack: ExitStack | None = g.pop("stack", None)
    g.pop("platform_session", None)
    try:
        if scope is not None:
            scope.commit() if good else scope.rollback()
    finally:
        if scope is not None:
            scope.close()
        if stack is not None:
            _close_stack(stack, undo=not good)
    return response


def _close_stack(stack: ExitStack, *, undo: bool) -> None:
    if not undo:
        stack.close()
        return
    undone = _Undone()
    try:
        stack.__exit__(_Undone, undone, None)
    except _Undone:
        return


def _abandon(_error: BaseException | None) -> None:
    """What is still open when a request ends did not reach its answer."""
    scope: TenantScope | None = g.pop("scope", None)
    stack: ExitStack | None = g.pop("stack", None)
    if scope is not None:
        scope.rollback()
        scope.close()
    if stack is not None:
        _close_stack(stack, undo=True)


def init_unit_of_work(app: Flask, settings: Settings) -> None:
    """Install the unit of work; must come first, so that it ends before anything else touches the answer."""
    app.extensions[_EXTENSION] = Installation(settings)
    app.after_request(_end)
    app.teardown_request(_abandon)
