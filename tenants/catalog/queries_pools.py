"""Address pools with who leads subscribers to them: plan groups and routers (NET-4)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.catalog.models import PlanGroup
from tenants.kernel.errors import NotFound
from tenants.network.models import POOL_KINDS, AddressPool, Region
from tenants.registry.models import Nas

_NAMES = ("pool", "ipv6_pool")


@dataclass(frozen=True, slots=True)
class PoolRow:
    """One pool; ``id`` is None for a name that is used and that nobody has described."""

    id: int | None
    name: str
    kind: str
    region_id: int | None
    region: str
    remark: str
    groups: tuple[str, ...]
    routers: tuple[str, ...]

    @property
    def users(self) -> list[str]:
        """Names of the groups and routers that lead subscribers to it."""
        return [*self.groups, *self.routers]


def list_pools(scope: TenantScope) -> tuple[PoolRow, ...]:
    """Those that are described, by kind and name; then names that are only used."""
    groups, routers, kinds = _users(scope)
    rows = scope.session.execute(
        select(AddressPool, Region.name).outerjoin(Region, Region.id == AddressPool.region_id)
    ).all()
    found = [
        PoolRow(
            pool.id, pool.name, pool.kind, pool.region_id, region or "", pool.remark,
            tuple(groups[pool.name]), tuple(routers[pool.name]),
        )
        for pool, region in rows
    ]  # fmt: skip
    found.sort(key=lambda row: (POOL_KINDS.index(row.kind), row.name))
    described = {row.name for row in found}
    only_used = sorted(name for name in kinds if name not in described)
    return (
        *found,
        *(
            PoolRow(None, name, kinds[name], None, "", "", tuple(groups[name]), tuple(routers[name]))
            for name in only_used
        ),
    )


def pool_detail(scope: TenantScope, pool_id: int) -> PoolRow:
    """One described pool. Raises :class:`NotFound`."""
    for pool in list_pools(scope):
        if pool.id == pool_id:
            return pool
    raise NotFound(what="address pool", ref=pool_id)


def pool_names(scope: TenantScope) -> dict[str, list[str]]:
    """Kind → names to offer in a form, described or used somewhere."""
    names: dict[str, list[str]] = {kind: [] for kind in POOL_KINDS}
    for pool in list_pools(scope):
        names[pool.kind].append(pool.name)
    return names


def _users(scope: TenantScope) -> tuple[dict[str, list[str]], dict[str, list[str]], dict[str, str]]:
    """Pool → groups, pool → routers, pool → the kind that its first use suggests."""
    groups: dict[str, list[str]] = defaultdict(list)
    routers: dict[str, list[str]] = defaultdict(list)
    kinds: dict[str, str] = {}
    living = select(PlanGroup).where(PlanGroup.deleted_at.is_(None)).order_by(PlanGroup.sort, PlanGroup.id)
    for group in scope.session.scalars(living):
        own = {name: getattr(group, name) for name in _NAMES}
        places = {kind: group.options.get(kind) for kind in ("expiring", "expired")}
        for kind, pool in _named({"normal": own, **places}):
            kinds.setdefault(pool, kind)
            if group.name not in groups[pool]:
                groups[pool].append(group.name)
    mine = select(Nas.name, Nas.identifier, Nas.options).where(
        Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None)
    )
    for name, identifier, options in scope.registry.execute(mine.order_by(Nas.id)):
        for kind, pool in _named({kind: options.get(kind) for kind in ("expiring", "expired")}):
            kinds.setdefault(pool, kind)
            if (name or identifier) not in routers[pool]:
                routers[pool].append(name or identifier)
    return groups, routers, kinds


def _named(places: Mapping[str, Mapping[str, Any] | None]) -> Iterator[tuple[str, str]]:
    for kind, place in places.items():
        for name in _NAMES:
            if place and place.get(name):
                yield kind, str(place[name])
