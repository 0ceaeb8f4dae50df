"""From the slug in an address to the tenant whose pages these are."""

from functools import lru_cache
from time import monotonic

from flask import g
from sqlalchemy.exc import SQLAlchemyError

from infra.errors import ServersError
from portals.shared.unit_of_work import Installation, installation, open_tenant
from tenants.registry import directory
from tenants.registry.errors import TenantNotFound

_KEEP_SECONDS = 10  # a domain that was just added or dropped is known to every process this soon


def enter_tenant(slug: str) -> bool:
    """Open the tenant's scope as ``g.scope`` (and ``g.tenant``); False when nobody has this slug."""
    try:
        tenant = directory.find_tenant(installation().database, slug)
    except TenantNotFound:
        return False
    open_tenant(tenant)
    return True


def slug_of_domain(installation: Installation, host: str) -> str:
    """Slug of the tenant whose own domain this is, "" when nobody registered it."""
    return _looked_up(installation, host, int(monotonic() / _KEEP_SECONDS))


@lru_cache(maxsize=1024)
def _looked_up(installation: Installation, host: str, _period: int) -> str:
    try:
        found = directory.tenant_by_hostname(installation.database, host)
    except (SQLAlchemyError, ServersError):
        return ""
    return found.slug if found is not None else ""


def tenant_language() -> str:
    """The tenant's own language, "" outside a tenant."""
    return str(getattr(g, "tenant_language", ""))
