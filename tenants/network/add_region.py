"""Adds, changes and deletes regions (NET-1)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.errors import LastRegion, RegionInUse, RegionNameTaken
from tenants.network.find import find_region
from tenants.network.models import Region
from tenants.registry.models import Nas
from tenants.registry.rules import check_name


@dataclass(frozen=True, slots=True)
class RegionForm:
    """``title``, ``content``, ``address`` and ``phone`` go into messages of the region's subscribers (MSG-2)."""

    name: str
    title: str = ""
    content: str = ""
    address: str = ""
    phone: str = ""


def add_region(scope: TenantScope, form: RegionForm, *, actor: Actor, now: datetime) -> int:
    """Returns the region's id. Raises Forbidden, BadName, RegionNameTaken."""
    actor.require("regions.add")
    name = _free_name(scope, form.name)
    region = Region(**{**asdict(form), "name": name}, created_at=now)
    scope.session.add(region)
    scope.session.flush()  # the id is wanted
    _record(scope, "region.add", region, None, form, actor, now)
    return region.id


def edit_region(scope: TenantScope, region_id: int, form: RegionForm, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, RegionNotFound, BadName, RegionNameTaken."""
    actor.require("regions.edit")
    region = find_region(scope, region_id)
    before = region_form(region)
    region.name = _free_name(scope, form.name, except_id=region.id)
    region.title, region.content = form.title.strip(), form.content.strip()
    region.address, region.phone = form.address.strip(), form.phone.strip()
    _record(scope, "region.edit", region, before, region_form(region), actor, now)


def delete_region(scope: TenantScope, region_id: int, *, actor: Actor, now: datetime, accounts: int = 0) -> None:
    """Soft delete; ``accounts`` is how many live accounts the caller counted there (they lie in a higher layer).

    Raises Forbidden, RegionNotFound, RegionInUse, LastRegion.
    """
    actor.require("regions.delete")
    region = find_region(scope, region_id)
    routers = select(func.count()).where(
        Nas.tenant_id == scope.tenant_id, Nas.region_id == region.id, Nas.deleted_at.is_(None)
    )
    for what, count in (("accounts", accounts), ("routers", scope.registry.scalar(routers) or 0)):
        if count:
            raise RegionInUse(name=region.name, count=count, what=what)
    if (scope.session.scalar(select(func.count()).where(Region.deleted_at.is_(None))) or 0) < 2:
        raise LastRegion()
    region.deleted_at = now
    _record(scope, "region.delete", region, region_form(region), None, actor, now)


def _free_name(scope: TenantScope, name: str, *, except_id: int | None = None) -> str:
    name = check_name(name, longest=60)
    taken = scope.session.scalar(select(Region.id).where(Region.name == name, Region.deleted_at.is_(None)))
    if taken is not None and taken != except_id:
        raise RegionNameTaken(field="name", name=name)
    return name


def region_form(region: Region) -> RegionForm:
    """The form as it stands."""
    return RegionForm(region.name, region.title, region.content, region.address, region.phone)


def _record(
    scope: TenantScope,
    action: str,
    region: Region,
    before: RegionForm | None,
    after: RegionForm | None,
    actor: Actor,
    now: datetime,
) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="region",
        object_id=region.id,
        object_label=region.name,
        before=asdict(before) if before else None,
        after=asdict(after) if after else None,
        now=now,
    )
