"""What a tenant's routers must talk to (TEN-3): host, ports, where disconnects come from."""

from dataclasses import dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from portals.shared.unit_of_work import installation
from tenants.usage.queries_routers import Engine, live_engines


@dataclass(frozen=True, slots=True)
class CloudAddresses:
    """The cloud as a router sees it; ``engines`` are the RADIUS processes that are alive now."""

    host: str
    auth_port: int
    acct_port: int
    radsec_port: int
    coa_sources: tuple[str, ...]
    prefix: str
    engines: tuple[Engine, ...]


def cloud_addresses(scope: TenantScope, now: datetime) -> CloudAddresses:
    """From the settings of the installation; engines announce themselves by their heartbeat."""
    settings = installation().settings
    engines = live_engines(scope, now)
    # Disconnects leave from the machines of the cluster: the address routers talk to, unless a node says another.
    sources = sorted({engine.address for engine in engines if engine.address} | {settings.radius_address})
    return CloudAddresses(
        host=settings.radius_address,
        auth_port=settings.radius_auth_port,
        acct_port=settings.radius_acct_port,
        radsec_port=settings.radsec_port,
        coa_sources=tuple(source for source in sources if source not in ("0.0.0.0", "::")),  # noqa: S104
        prefix=f"{scope.tenant.nas_prefix}-",
        engines=engines,
    )
