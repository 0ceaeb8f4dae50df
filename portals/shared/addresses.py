"""Which tenant an address belongs to (TEN-7): ``<slug>.<base domain>``, ``/t/<slug>/…``, or the tenant's own domain.

One WSGI layer turns all three into the same thing: the "space" (the installation's own pages, or a tenant's) and the
slug stand in the WSGI environment, and what belongs to the address but not to the page moves into SCRIPT_NAME. Rules of
the application carry the space as Werkzeug's "subdomain", so that the site's ``/`` and self-service's ``/`` are two
rules and ``url_for`` gives right addresses in every form.
"""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import quote, urlsplit
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Request, request
from werkzeug.routing import MapAdapter

from infra.settings import Settings

TENANT = "tenant"  # the "subdomain" of rules that live beneath a tenant's address
BASE = ""
UNKNOWN = "-"
UNASKED = "?"  # the database, which knows whose domain it is, is away
SPACE_KEY = "broadloom.space"
SLUG_KEY = "broadloom.slug"
_SLUG = re.compile(r"[a-z][a-z0-9-]{0,62}")  # a number would be read as an id
_SHARED = ("/static/", "/healthz", "/readyz", "/metrics")


class TenantAddresses:
    """WSGI layer; ``slug_of_domain`` looks up a tenant's own domain: "" for one nobody registered, None for unknown."""

    def __init__(self, app: WSGIApplication, settings: Settings, slug_of_domain: Callable[[str], str | None]) -> None:
        self._app = app
        self._base = settings.base_domain.lower().rstrip(".")
        self._own_hosts = {self._base, f"www.{self._base}", (urlsplit(settings.site_url).hostname or "").lower()}
        self._slug_of_domain = slug_of_domain

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "") or "/"
        space, slug = (BASE, "") if path.startswith(_SHARED) else self._place(host_of(environ))
        if space == BASE and path.startswith("/t/"):
            slug, slash, rest = path[3:].partition("/")
            if not slash:
                start_response("308 Permanent Redirect", [("Location", f"{quote(path)}/"), ("Content-Length", "0")])
                return [b""]
            space = TENANT if _SLUG.fullmatch(slug) else UNKNOWN
            environ["SCRIPT_NAME"] = f"{environ.get('SCRIPT_NAME', '')}/t/{slug}"
            environ["PATH_INFO"] = f"/{rest}"
        environ[SPACE_KEY], environ[SLUG_KEY] = space, slug
        return self._app(environ, start_response)

    def _place(self, host: str) -> tuple[str, str]:
        if host in self._own_hosts or _is_address(host):
            return BASE, ""
        if host.endswith(f".{self._base}"):
            slug = host.removesuffix(f".{self._base}")
            return (TENANT, slug) if _SLUG.fullmatch(slug) else (UNKNOWN, slug)
        found = self._slug_of_domain(host)
        if found is None:
            return UNASKED, host
        if found:
            return TENANT, found
        # Without a base domain of its own an installation answers to whatever name the machine has.
        return (BASE, "") if self._base == "localhost" else (UNKNOWN, host)


def host_of(environ: WSGIEnvironment) -> str:
    """Host name of the request in lower case, without port."""
    host = str(environ.get("HTTP_HOST") or environ.get("SERVER_NAME") or "").lower()
    return host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0].rstrip(".")


def _is_address(host: str) -> bool:
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


class _SpaceAdapter(MapAdapter):
    """Builds addresses on the host that was asked, whatever the space is called inside."""

    real_host = ""

    def get_host(self, domain_part: str | None) -> str:
        return self.real_host


class SpacedFlask(Flask):
    """Flask whose rules are matched within the space of the address."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """The adapter of a request, bound to its space; outside a request as Flask does it."""
        if request is None:
            return super().create_url_adapter(None)
        space = request.environ.get(SPACE_KEY, BASE)
        bound = self.url_map.bind_to_environ(request.environ, server_name=None, subdomain=space)
        adapter = _SpaceAdapter(
            bound.map,
            bound.server_name,
            bound.script_name,
            bound.subdomain,
            bound.url_scheme,
            bound.path_info,
            bound.default_method,
            bound.query_args,
        )
        adapter.real_host = request.host
        return adapter


def tenant_url(settings: Settings, slug: str, path: str = "/") -> str:
    """Full address of a page of a tenant, never taken from what a browser claims: ``path`` such as ``/admin/``.

    With a base domain of its own the tenant's host, else the path form.
    """
    site = urlsplit(settings.site_url)
    if settings.base_domain != "localhost" and not _is_address(settings.base_domain):
        port = f":{site.port}" if site.port and not settings.public_url else ""
        return f"{site.scheme}://{slug}.{settings.base_domain}{port}{path}"
    return f"{settings.site_url}/t/{slug}{path}"


def language_url(code: str) -> str:
    """The present page in another language."""
    kept = [(key, value) for key, value in request.args.items(multi=True) if key != "lang"]
    pairs = "&".join(f"{quote(key)}={quote(value)}" for key, value in [*kept, ("lang", code)])
    # A page that was the answer to a form cannot be asked for again: go to where such forms are opened.
    return f"{request.script_root}{quote(request.path)}?{pairs}"


def is_local_path(target: str) -> bool:
    """Whether ``target`` is a path on this very entrance: what may follow a login (no open redirect)."""
    parts: Any = urlsplit(target)
    return (
        target.startswith(f"{request.script_root}/")
        and not target.startswith("//")
        and "\\" not in target
        and not parts.scheme
        and not parts.netloc
    )
