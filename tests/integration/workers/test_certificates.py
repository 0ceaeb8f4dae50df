"""Certificates are renewed in time, and only then."""

from datetime import timedelta

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.network.certificates import ensure_certificates
from workers.context import Context
from workers.jobs.certificates import renew_certificates


def test_a_certificate_that_ends_soon_is_renewed_once(
    job_context: Context, database: Database, two_isps: tuple[TenantRef, TenantRef]
) -> None:
    charlie, alice = two_isps
    now = clock.now()
    for isp, days in ((charlie, 59), (alice, 61)):
        with tenant_scope(database, isp) as scope:
            ensure_certificates(scope, "localhost", now=now).expires_at = now + timedelta(days=days)
    assert renew_certificates() == 1
    assert renew_certificates() == 0
    versions = []
    for isp in two_isps:
        with tenant_scope(database, isp) as scope:
            versions.append(ensure_certificates(scope, "localhost", now=now).version)
    assert versions == [2, 1]
