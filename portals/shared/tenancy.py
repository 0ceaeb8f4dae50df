"""From the slug in an address to the tenant whose pages these are."""

from functools import lru_cache
from time import monotonic
from typing import cast

import structlog
from flask import g
from sqlalchemy.exc import SQLAlchemyError

from infra.errors import ServersError
from portals.shared.accent import is_colour
from portals.shared.frame import Frame
from portals.shared.unit_of_work import Installation, installation, open_tenant
from tenants.registry import directory, settings
from tenants.registry.errors import TenantNotFound
from tenants.registry.settings import TenantSettings

_log = structlog.get_logger()
_KEEP_SECONDS = 10  # a domain that was just added or dropped is known to every process this soon


def enter_tenant(slug: str) -> bool:
    """Open the tenant's scope as ``g.scope`` (and ``g.tenant``); False when nobody has this slug."""
    try:
        tenant = directory.find_tenant(installation().database, slug)
    except TenantNotFound:
        return False
    structlog.contextvars.bind_contextvars(tenant=tenant.slug)
    scope = open_tenant(tenant)
    g.settings = settings.read(scope)
    g.tenant_language = g.settings.locale
    return True


def tenant_settings() -> TenantSettings:
    """The settings of the tenant whose page this is."""
    return cast(TenantSettings, g.settings)


def tenant_frame(home_url: str) -> Frame:
    """The frame of a tenant's page without menu: before the login, and for errors."""
    return Frame(brand=tenant_brand(), title=tenant_settings().page_title, home_url=home_url, accent=tenant_accent())


def tenant_brand() -> str:
    """What the tenant calls its system: the setting, else the company's name."""
    return tenant_settings().system_name or str(g.tenant.name)


def tenant_accent() -> str:
    """The tenant's colour, "" for ours."""
    colour = str(getattr(tenant_settings(), "accent_color", ""))
    return colour if is_colour(colour) else ""


def tenant_idle_seconds() -> int:
    """After how long without a click staff are signed out."""
    return tenant_settings().idle_minutes * 60


def slug_of_domain(installation: Installation, host: str) -> str | None:
    """Slug of the tenant whose own domain this is, "" when nobody registered it, None while nobody can say."""
    try:
        return _looked_up(installation, host, int(monotonic() / _KEEP_SECONDS))
    except (SQLAlchemyError, ServersError) as error:
        _log.error("a server is away", host=host, reason=str(getattr(error, "orig", error)).strip())
        return None


@lru_cache(maxsize=1024)
def _looked_up(installation: Installation, host: str, _period: int) -> str:
    found = directory.tenant_by_hostname(installation.database, host)
    return found.slug if found is not None else ""
