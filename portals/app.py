"""The web application: ``create_app`` puts the portals, their frame and everything that protects them together."""

import importlib
import secrets
import time
from pathlib import Path
from typing import Any

import structlog
from flask import Flask, Response, abort, current_app, g, jsonify, request, url_for
from redis import Redis, RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from infra import clock
from infra.errors import ServersError
from infra.servers import resolve
from infra.settings import Settings
from portals.shared import components_page, hand_over
from portals.shared.accent import accent_css
from portals.shared.access import public
from portals.shared.addresses import (
    BASE,
    SPACE_KEY,
    TENANT,
    UNASKED,
    UNKNOWN,
    SpacedFlask,
    TenantAddresses,
    language_url,
)
from portals.shared.addresses import SLUG_KEY as _SLUG_KEY
from portals.shared.assets import init_assets
from portals.shared.currency import currency_sign, with_sign
from portals.shared.error_pages import init_error_pages
from portals.shared.formats import init_formats
from portals.shared.fragments import is_fragment
from portals.shared.frame import Frame, Portal
from portals.shared.i18n import init_languages
from portals.shared.login import current_portal, guard, init_login, portal_of_path, visitor
from portals.shared.metrics import show_metrics, show_router_metrics
from portals.shared.security import init_security
from portals.shared.support import add_support_routes, support_notices
from portals.shared.tenancy import enter_tenant, slug_of_domain, tenant_frame
from portals.shared.toasts import toasts
from portals.shared.unit_of_work import Installation, init_unit_of_work, is_reachable
from tenants.registry import keys

PORTALS = ("portals.site.portal", "portals.platform.portal", "portals.admin.portal", "portals.selfcare.portal")
_QUIET = ("asset", "healthz", "readyz", "metrics", "router_metrics")  # no tenant, no login, no line in the log
_SLOW_MILLISECONDS = 500
_log = structlog.get_logger()


def create_app(settings: Settings | None = None) -> Flask:
    """The WSGI application of one installation; opens no connection until the first request needs one."""
    settings = settings or Settings.from_env()
    app = SpacedFlask(
        "portals", root_path=str(Path(__file__).parent), static_folder=None, template_folder="shared/templates"
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    keys.configure(settings.require_secret_key())
    init_unit_of_work(app, settings)
    init_security(app, settings)
    init_login(app, settings)
    init_languages(app)
    init_assets(app)
    init_formats(app)
    init_error_pages(app)
    app.jinja_env.globals.update(
        language_url=language_url,
        toasts=toasts,
        visitor=visitor,
        accent_css=accent_css,
        currency_sign=currency_sign,
        with_sign=with_sign,
        support_notices=support_notices,
        is_fragment=is_fragment,
        crashed=lambda: getattr(g, "crashed", False),
        may=lambda right: bool(visitor() and visitor().may(right)),  # type: ignore[union-attr]
    )
    app.context_processor(lambda: {"frame": _frame()})
    _register_portals(app, settings)
    app.add_url_rule("/healthz", "healthz", public(_healthz))
    app.add_url_rule("/readyz", "readyz", public(_readyz))
    app.add_url_rule("/metrics", "metrics", public(show_metrics))
    app.add_url_rule("/metrics/routers", "router_metrics", public(show_router_metrics))
    app.before_request(_begin)
    app.after_request(_finish)
    # CSRF and limits were installed before and would run first: the tenant and the login come before them.
    hooks = app.before_request_funcs[None]
    hooks.insert(0, hooks.pop())
    installation: Installation = app.extensions["broadloom"]
    spaced = TenantAddresses(app.wsgi_app, settings, lambda host: slug_of_domain(installation, host))
    app.wsgi_app = spaced  # type: ignore[method-assign]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(spaced, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def _register_portals(app: Flask, settings: Settings) -> None:
    app.extensions["broadloom_portals"] = {}
    for name in PORTALS:
        register_portal(app, importlib.import_module(name).PORTAL)
    app.register_blueprint(hand_over.blueprint, subdomain=TENANT)
    if app.debug or settings.demo:
        app.register_blueprint(components_page.blueprint, subdomain=BASE)


def register_portal(app: Flask, portal: Portal) -> None:
    """Put a portal into its space; before the first request only."""
    app.extensions["broadloom_portals"][portal.blueprint.name] = portal
    if portal.realm == "operator":
        add_support_routes(portal.blueprint)
    space = TENANT if portal.space == "tenant" else BASE
    if portal.realm == "operator":
        add_support_routes(portal.blueprint)
    app.register_blueprint(portal.blueprint, url_prefix=portal.url_prefix or None, subdomain=space)


def _begin() -> Any:
    g.request_id = f"{secrets.token_hex(2)}-{secrets.token_hex(2)}"
    g.began = time.monotonic()
    g.now = clock.now()
    g.is_background = request.headers.get("X-Broadloom-Poll") == "1"
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request=g.request_id)
    space = request.environ.get(SPACE_KEY, BASE)
    g.space = {BASE: "base", TENANT: "tenant"}.get(space, "unknown")
    if request.endpoint in _QUIET:
        return None
    if space == UNASKED:
        g.crashed = True
        abort(503)
    if space == UNKNOWN or (space == TENANT and not enter_tenant(request.environ[_SLUG_KEY])):
        g.space = "unknown"
        abort(404)
    if isinstance(request.routing_exception, HTTPException):
        return None
    return guard()


def _finish(response: Response) -> Response:
    request_id = getattr(g, "request_id", "")
    response.headers["X-Request-Id"] = request_id
    # What somebody signed in saw must not come back with the browser's back button after he left.
    kept = "no-store" if getattr(g, "actor", None) is not None else "private, no-cache"
    response.headers.setdefault("Cache-Control", kept)
    if request.endpoint not in _QUIET:
        milliseconds = round((time.monotonic() - g.began) * 1000) if request_id else 0
        line = _log.info if request.method != "GET" or milliseconds > _SLOW_MILLISECONDS else _log.debug
        line("request", method=request.method, path=request.path, status=response.status_code, ms=milliseconds)
    return response


def _frame() -> Frame | None:
    """What stands around the page, built once per request; None where the database may be what broke."""
    if getattr(g, "crashed", False):
        return None
    if not hasattr(g, "frame"):
        portal = current_portal() or portal_of_path()
        tenant = getattr(g, "tenant", None)
        home = (
            url_for(portal.home_endpoint) if portal is not None and portal.home_endpoint else f"{request.script_root}/"
        )
        if portal is not None and portal.frame is not None and (visitor() is not None or not portal.realm):
            g.frame = portal.frame()
        elif tenant is not None:
            g.frame = tenant_frame(home)
        else:
            g.frame = Frame(brand="Broadloom", home_url=home)
    return g.frame  # type: ignore[no-any-return]


def _healthz() -> Response:
    return jsonify(status="ok")


def _readyz() -> tuple[Response, int]:
    found = {"database": "ok", "redis": "ok"}
    try:
        is_reachable()
    except (SQLAlchemyError, ServersError):
        found["database"] = "away"
    try:
        installation: Installation = current_app.extensions["broadloom"]
        with Redis.from_url(resolve(installation.settings).redis_url, socket_timeout=2) as redis:
            redis.ping()
    except (RedisError, ServersError, OSError):
        found["redis"] = "away"
    ready = found["database"] == "ok"  # without Redis pages still answer
    return jsonify(status="ready" if ready else "not ready", **found), 200 if ready else 503
