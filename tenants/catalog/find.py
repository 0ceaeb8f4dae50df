"""Look-ups by id or name within the tenant; what another tenant has is as unknown as nothing."""

from collections.abc import Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from infra.db import TenantBase
from infra.tenant_scope import TenantScope
from tenants.catalog.errors import NameTaken, PlanGroupNotFound, PlanNotFound, RateProfileNotFound, RegionUnknown
from tenants.catalog.models import Plan, PlanGroup, RateProfile
from tenants.network.models import Region

_HIGHEST_ID = 2**63 - 1
Named = TypeVar("Named", Plan, PlanGroup, RateProfile, Region)


def as_id(ref: int | str) -> int | None:
    """The reference as an id of a row, or None when it can only be a name."""
    if isinstance(ref, str):
        if not (ref.isascii() and ref.isdigit()):
            return None
        ref = int(ref)
    return ref if 0 < ref <= _HIGHEST_ID else None


def find_plan(scope: TenantScope, ref: int | str, *, lock: bool = False) -> Plan:
    """The plan with this id, else with this name. Raises PlanNotFound (also for a deleted one)."""
    plan = _find(scope, Plan, ref, lock=lock)
    if plan is None:
        raise PlanNotFound(field="plan", what="plan", ref=ref)
    return plan


def find_group(scope: TenantScope, ref: int | str, *, lock: bool = False) -> PlanGroup:
    """The plan group with this id, else with this name. Raises PlanGroupNotFound."""
    group = _find(scope, PlanGroup, ref, lock=lock)
    if group is None:
        raise PlanGroupNotFound(field="group", what="plan group", ref=ref)
    return group


def find_rate_profile(scope: TenantScope, ref: int | str, *, lock: bool = False) -> RateProfile:
    """The rate profile with this id, else with this name. Raises RateProfileNotFound."""
    profile = _find(scope, RateProfile, ref, lock=lock)
    if profile is None:
        raise RateProfileNotFound(field="rate_profile_id", what="rate profile", ref=ref)
    return profile


def find_regions(scope: TenantScope, refs: Sequence[int | str]) -> list[Region]:
    """The regions with these ids or names, each once. Raises RegionUnknown for the first that does not exist."""
    found: dict[int, Region] = {}
    for ref in refs:
        region = _find(scope, Region, ref)
        if region is None:
            raise RegionUnknown(field="regions", what="region", ref=ref)
        found[region.id] = region
    return list(found.values())


def store_named(scope: TenantScope, row: TenantBase, name: str, *, field: str = "name") -> None:
    """Add or update a row whose name is unique; the database judges, so two people at once cannot both win.

    Raises NameTaken, and the row is not stored.
    """
    try:
        with scope.session.begin_nested():
            scope.session.add(row)
            scope.session.flush()  # for the row's id and the unique index's verdict
    except IntegrityError as error:
        if "_name" in str(error.orig):
            raise NameTaken(field=field, name=name) from None
        raise


def _find(scope: TenantScope, model: type[Named], ref: int | str, *, lock: bool = False) -> Named | None:
    living = select(model).where(model.deleted_at.is_(None))
    if lock:
        living = living.with_for_update()
    found = None
    if (row_id := as_id(ref)) is not None:
        found = scope.session.scalar(living.where(model.id == row_id))
    if found is None and isinstance(ref, str):
        found = scope.session.scalar(living.where(model.name == ref))
    return found
