"""Regions with the number of accounts and routers in each (NET-1)."""

from dataclasses import dataclass

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.kernel.errors import NotFound
from tenants.network.models import Region
from tenants.registry.models import Nas
from tenants.subscribers.models import Account


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region; ``accounts`` counts those that are not closed or deleted."""

    id: int
    name: str
    title: str
    content: str
    address: str
    phone: str
    accounts: int
    routers: int


def list_regions(scope: TenantScope) -> tuple[RegionRow, ...]:
    """All regions by name."""
    live = (Account.deleted_at.is_(None), Account.state != "closed")
    accounts: dict[int, int] = dict(
        scope.session.execute(select(Account.region_id, func.count()).where(*live).group_by(Account.region_id)).all()
    )
    routers: dict[int | None, int] = dict(
        scope.registry.execute(
            select(Nas.region_id, func.count())
            .where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
            .group_by(Nas.region_id)
        ).all()
    )
    rows = scope.session.execute(select(Region).where(Region.deleted_at.is_(None)).order_by(Region.name)).scalars()
    return tuple(
        RegionRow(r.id, r.name, r.title, r.content, r.address, r.phone, accounts.get(r.id, 0), routers.get(r.id, 0))
        for r in rows
    )


def region_detail(scope: TenantScope, region_id: int) -> RegionRow:
    """One region. Raises :class:`NotFound`."""
    for region in list_regions(scope):
        if region.id == region_id:
            return region
    raise NotFound(what="region", ref=region_id)
