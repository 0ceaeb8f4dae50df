"""Regions and routers by id or name, for operations and the command line."""

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.network.errors import NasNotFound, RegionNotFound
from tenants.network.models import Region
from tenants.registry.models import Nas


def find_region(scope: TenantScope, ref: int | str) -> Region:
    """By id or name. Raises :class:`RegionNotFound`."""
    live = select(Region).where(Region.deleted_at.is_(None))
    text = str(ref).strip()
    found = scope.session.scalars(live.where(Region.name == text)).first() if not isinstance(ref, int) else None
    if found is None and text.isdigit() and len(text) < 19:
        found = scope.session.scalars(live.where(Region.id == int(text))).first()
    if found is None:
        raise RegionNotFound(what="region", ref=ref, field="region")
    return found


def default_region(scope: TenantScope) -> Region:
    """The tenant's first region, which is proposed where none was chosen."""
    first = select(Region).where(Region.deleted_at.is_(None)).order_by(Region.id).limit(1)
    return scope.session.scalars(first).one()


def find_nas(scope: TenantScope, ref: int | str, *, lock: bool = False) -> Nas:
    """By id or identifier. Raises :class:`NasNotFound`."""
    live = select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None))
    if lock:
        live = live.with_for_update()
    text = str(ref).strip()
    found = None
    if not isinstance(ref, int) and "\x00" not in text:
        found = scope.registry.scalars(live.where(Nas.identifier == text)).first()
    if found is None and text.isdigit() and len(text) < 10:
        found = scope.registry.scalars(live.where(Nas.id == int(text))).first()
    if found is None:
        raise NasNotFound(what="router", ref=ref)
    return found
