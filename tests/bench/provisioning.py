"""How long a tenant takes to be made (TEN-1; target under two seconds): schema, key, roles, region, ten plans."""

import statistics
import time
from dataclasses import dataclass

from infra import clock
from infra.db import Database
from tenants.onboarding.create_tenant import NewTenant, create_tenant


@dataclass(frozen=True, slots=True)
class Provisioning:
    """Seconds per tenant."""

    tenants: int
    median_seconds: float
    slowest_seconds: float

    def line(self) -> str:
        """One line for the bench's report."""
        return (
            f"provisioning a tenant: median {self.median_seconds:.2f} s, slowest {self.slowest_seconds:.2f} s "
            f"({self.tenants} tenants; target < 2 s)"
        )


def measure_provisioning(database: Database, *, tenants: int = 20) -> Provisioning:
    """Make tenants one after the other; ``tenants.registry.keys.configure`` was called before."""
    seconds = []
    for number in range(tenants):
        slug = f"bench-{number}"
        new = NewTenant(slug, slug, f"owner@{slug}.example", "bench-works-26", locale="en")
        began = time.perf_counter()
        create_tenant(database, new, now=clock.now())
        seconds.append(time.perf_counter() - began)
    return Provisioning(tenants, statistics.median(seconds), max(seconds))
