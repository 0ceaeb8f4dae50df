"""What the cluster counts, over all tenants: for the console's engines page and for Prometheus (RAD-7, TEN-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.registry.models import Nas, Tenant
from tenants.usage.models import PacketCount

_REASON = "the platform console shows all tenants"


@dataclass(frozen=True, slots=True)
class PacketRow:
    """Packets of one tenant (and router, where asked for) by port and outcome; "" for nobody's."""

    tenant: str
    router: str
    kind: str
    outcome: str
    packets: int


def count_cloud_packets(database: Database, since: datetime, *, by_router: bool = False) -> tuple[PacketRow, ...]:
    """Since then, by tenant; with ``by_router`` by router as well."""
    with unscoped(database, reason=_REASON) as session:
        tenants: dict[int, str] = dict(session.execute(select(Tenant.id, Tenant.slug)).all())
        routers: dict[int, str] = dict(session.execute(select(Nas.id, Nas.identifier)).all()) if by_router else {}
    found: list[PacketRow] = []
    keys: list[Any] = [PacketCount.tenant_id, PacketCount.kind, PacketCount.outcome]
    if by_router:
        keys.append(PacketCount.nas_id)
    for cell in database.cells:
        with unscoped(database, reason=_REASON, cell=cell) as session:
            statement = select(*keys, func.sum(PacketCount.packets)).where(PacketCount.hour >= since).group_by(*keys)
            for tenant_id, kind, outcome, *rest in session.execute(statement).all():
                router = routers.get(int(rest[0]), "") if by_router else ""
                found.append(PacketRow(tenants.get(tenant_id, ""), router, str(kind), str(outcome), int(rest[-1])))
    return tuple(sorted(found, key=lambda row: (row.tenant, row.router, row.kind, row.outcome)))
