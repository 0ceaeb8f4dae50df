"""Adds, changes and deletes what is known of address pools (NET-4). The pools themselves live on the routers."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.errors import BadChoice, BadPoolName, PoolInUse, PoolNameTaken, PoolNotFound
from tenants.network.find import find_region
from tenants.network.models import POOL_KINDS, AddressPool

LONGEST_POOL_NAME = 63


@dataclass(frozen=True, slots=True)
class PoolForm:
    """``kind`` says for whom: accounts that are paid (normal), that end soon, or that have expired."""

    name: str
    kind: str = "normal"
    region_id: int | None = None
    remark: str = ""


def check_pool_name(name: str, field: str = "name") -> str:
    """A pool's name as routers take it. Raises BadPoolName."""
    name = name.strip()
    if not 1 <= len(name) <= LONGEST_POOL_NAME or not name.isprintable() or any(c.isspace() for c in name):
        raise BadPoolName(field=field, longest=LONGEST_POOL_NAME)
    return name


def add_pool(scope: TenantScope, form: PoolForm, *, actor: Actor, now: datetime) -> int:
    """Returns the pool's id. Raises Forbidden, BadPoolName, BadChoice, RegionNotFound, PoolNameTaken."""
    actor.require("pools.edit")
    pool = AddressPool()
    _fill(scope, pool, form)
    _record(scope, "pool.add", pool, None, pool_form(pool), actor, now)
    return pool.id


def edit_pool(
    scope: TenantScope, pool_id: int, form: PoolForm, *, users: list[str], actor: Actor, now: datetime
) -> None:
    """``users``: who leads subscribers to it, as the caller found; such a pool keeps its name.

    Raises Forbidden, PoolNotFound, PoolInUse, BadPoolName, BadChoice, RegionNotFound, PoolNameTaken.
    """
    actor.require("pools.edit")
    pool = find_pool(scope, pool_id)
    before = pool_form(pool)
    if users and form.name.strip() != pool.name:
        raise PoolInUse(field="name", name=pool.name, users=", ".join(users))
    _fill(scope, pool, form)
    _record(scope, "pool.edit", pool, before, pool_form(pool), actor, now)


def delete_pool(scope: TenantScope, pool_id: int, *, users: list[str], actor: Actor, now: datetime) -> None:
    """Raises Forbidden, PoolNotFound, PoolInUse."""
    actor.require("pools.edit")
    pool = find_pool(scope, pool_id)
    if users:
        raise PoolInUse(name=pool.name, users=", ".join(users))
    scope.session.delete(pool)
    _record(scope, "pool.delete", pool, pool_form(pool), None, actor, now)


def find_pool(scope: TenantScope, ref: int | str) -> AddressPool:
    """The pool with this name, else with this id. Raises PoolNotFound."""
    found = scope.session.scalar(select(AddressPool).where(AddressPool.name == str(ref)))
    if found is None and str(ref).isascii() and str(ref).isdigit() and len(str(ref)) < 19:
        found = scope.session.scalar(select(AddressPool).where(AddressPool.id == int(ref)))
    if found is None:
        raise PoolNotFound(what="address pool", ref=ref)
    return found


def pool_form(pool: AddressPool) -> PoolForm:
    """The pool as it stands."""
    return PoolForm(pool.name, pool.kind, pool.region_id, pool.remark)


def _fill(scope: TenantScope, pool: AddressPool, form: PoolForm) -> None:
    if form.kind not in POOL_KINDS:
        raise BadChoice(field="kind", value=form.kind, choices=", ".join(POOL_KINDS))
    pool.name, pool.kind, pool.remark = check_pool_name(form.name), form.kind, form.remark.strip()
    pool.region_id = None if form.region_id is None else find_region(scope, form.region_id).id
    try:
        with scope.session.begin_nested():
            scope.session.add(pool)
            scope.session.flush()  # for the id and the unique name's verdict
    except IntegrityError as error:
        if "_name" in str(error.orig):
            raise PoolNameTaken(field="name", name=pool.name) from None
        raise


def _record(
    scope: TenantScope,
    action: str,
    pool: AddressPool,
    before: PoolForm | None,
    after: PoolForm | None,
    actor: Actor,
    now: datetime,
) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="pool",
        object_id=pool.id,
        object_label=pool.name,
        before=_facts(before),
        after=_facts(after),
        now=now,
    )


def _facts(form: PoolForm | None) -> dict[str, Any] | None:
    if form is None:
        return None
    facts = asdict(form)
    facts["pool_kind"] = facts.pop("kind")  # "kind" is that of a plan in the log
    return facts
