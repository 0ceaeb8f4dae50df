"""Names of our keys in Redis, so that none can be made without saying whose it is (style.md rule 9).

Only what may be lost lives there: leases, queues, counters. What must not be lost is in PostgreSQL.
"""

_ROOT = "broadloom"


def tenant_key(tenant_id: int, *parts: str | int) -> str:
    """A key of one tenant: ``broadloom:t:7:<parts>``. Tenant 0 is nobody (sign-ups)."""
    if not isinstance(tenant_id, int) or isinstance(tenant_id, bool) or tenant_id < 0:
        raise TypeError("a tenant's key needs the tenant's id")
    return ":".join((_ROOT, "t", str(tenant_id), *(str(part) for part in parts)))


def due_lease(tenant_id: int, family: str) -> str:
    """Held while somebody works on the tenant's due rows of a family, so that they are not enqueued twice."""
    return tenant_key(tenant_id, "due", family)
