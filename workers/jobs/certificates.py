"""Keeps tenants' EAP certificates from running out (RAD-2)."""

import structlog

from infra import clock
from infra.tenant_scope import tenant_scope
from tenants.kernel.actor import SYSTEM
from tenants.network.certificates import renew_if_due, tenants_to_renew
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from workers.context import Context
from workers.job import platform_job

LOG = structlog.get_logger(__name__)


@platform_job
def renew_certificates(known: Context) -> int:
    """Renew those of the tenants' own authorities that end within 60 days; gives how many.

    An uploaded one can only be replaced by its owner: the log says so every day.
    """
    now, renewed = clock.now(), 0
    for tenant_id in list(tenants_to_renew(known.database, now=now)):
        try:
            tenant = find_tenant(known.database, tenant_id)
        except TenantNotFound:
            continue  # deleted
        with tenant_scope(known.database, tenant) as scope:
            outcome = renew_if_due(scope, known.settings.base_domain, actor=SYSTEM, now=now)
        if outcome == "uploaded":
            LOG.warning("uploaded_certificate_ends_soon", tenant=tenant.slug)
        renewed += outcome == "renewed"
    return renewed
