"""Plans, groups and rates in the database (PLN-1, PLN-2, PLN-4, PLN-6; issue 2, "Bad input, named")."""

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.catalog.add_plan import AddPlan, PlanValues, add_plan, ensure_group
from tenants.catalog.add_promotion import AddPromotion, add_promotion
from tenants.catalog.delete_plan import delete_plan
from tenants.catalog.delete_plan_group import delete_plan_group
from tenants.catalog.edit_plan import EditPlan, edit_plan
from tenants.catalog.end_promotion import end_promotion
from tenants.catalog.errors import (
    BadPrice,
    GroupHasOtherPool,
    GroupHasOtherRates,
    NameTaken,
    PlanFieldForbidden,
    PlanNeedsOneRegion,
    PlanNotFound,
    PlanStaysInRegion,
    RegionUnknown,
    StillUsed,
)
from tenants.catalog.find import find_plan
from tenants.catalog.models import RateProfile
from tenants.catalog.queries import list_plans, plan_document, price_history, sellable_plans
from tenants.kernel.errors import Forbidden, InvalidInputs
from tenants.network.models import Region
from tenants.registry import settings
from tenants.subscribers.queries_plans import running_promotions
from tests.fixtures.accounts import OWNER, sell

NOW = clock.now()
VALUES = PlanValues(name="50M month", kind="month", price="50")


def group_of(scope: TenantScope, name: str = "50M", pool: str | None = None) -> int:
    return ensure_group(scope, name, 10_000_000, 50_000_000, pool, actor=OWNER, now=NOW).id


def test_a_plan_comes_with_its_group_and_rates(scope: TenantScope) -> None:
    plan = add_plan(scope, AddPlan(group_of(scope, pool="pool50"), VALUES), actor=OWNER, now=NOW)
    document = plan_document(scope, plan.id)
    assert document | {"id": 0} == {
        "id": 0, "name": "50M month", "group": "50M", "kind": "month", "price": "50.00", "up_bps": 10_000_000,
        "down_bps": 50_000_000, "pool": "pool50", "sessions": 1, "concurrency": "refuse", "usage": "both",
        "hidden": False, "regions": None, "quota_gb": None, "quota_octets": None, "quota_seconds": None,
        "validity_days": None, "quota_end": "cut",
    }  # fmt: skip
    assert plan.id in [row.id for row in list_plans(scope)]
    assert [price.price for price in price_history(scope, plan.id)] == [Decimal("50.00")]


def test_a_group_keeps_its_rates_and_pool(scope: TenantScope) -> None:
    first = group_of(scope, pool="a")
    assert group_of(scope) == first  # no pool asked for
    with pytest.raises(GroupHasOtherRates) as refused:
        ensure_group(scope, "50M", 1, 50_000_000, None, actor=OWNER, now=NOW)
    assert "10M up and 50M down" in str(refused.value)
    with pytest.raises(GroupHasOtherPool):
        group_of(scope, pool="b")


def test_groups_of_equal_rates_share_a_profile(scope: TenantScope) -> None:
    before = len(scope.session.scalars(select(RateProfile)).all())
    ensure_group(scope, "x", 7_000_000, 7_000_000, None, actor=OWNER, now=NOW)
    ensure_group(scope, "y", 7_000_000, 7_000_000, None, actor=OWNER, now=NOW)
    assert len(scope.session.scalars(select(RateProfile)).all()) == before + 1


def test_names_are_taken_once(scope: TenantScope) -> None:
    group = group_of(scope)
    first = add_plan(scope, AddPlan(group, VALUES), actor=OWNER, now=NOW)
    with pytest.raises(NameTaken) as refused:
        add_plan(scope, AddPlan(group, VALUES), actor=OWNER, now=NOW)
    assert refused.value.field == "name"
    delete_plan(scope, first.id, actor=OWNER, now=NOW)  # a deleted plan gives its name back
    second = add_plan(scope, AddPlan(group, VALUES), actor=OWNER, now=NOW)
    assert second.id != first.id
    with pytest.raises(PlanNotFound):
        find_plan(scope, first.id)
    with pytest.raises(PlanNotFound):
        delete_plan(scope, first.id, actor=OWNER, now=NOW)


def test_all_errors_at_once_and_nothing_stored(scope: TenantScope) -> None:
    plans = len(list_plans(scope))
    bad = PlanValues(name="", kind="traffic", price="-1", max_sessions=-1, usage="never")
    with pytest.raises(InvalidInputs) as refused:
        add_plan(scope, AddPlan(group_of(scope), bad), actor=OWNER, now=NOW)
    fields = [error.field for error in refused.value.errors]
    assert fields == ["name", "price", "max_sessions", "usage", "quota_gb", "validity_days"]
    assert len(list_plans(scope)) == plans


def test_one_error_comes_as_itself(scope: TenantScope) -> None:
    with pytest.raises(BadPrice):
        add_plan(scope, AddPlan(group_of(scope), replace(VALUES, price="9.999")), actor=OWNER, now=NOW)


def test_a_price_has_a_history_and_an_edit_a_log(scope: TenantScope) -> None:
    plan = add_plan(scope, AddPlan(group_of(scope), VALUES), actor=OWNER, now=NOW)
    edit_plan(scope, EditPlan(plan.id, replace(VALUES, price="60")), actor=OWNER, now=NOW + timedelta(days=1))
    edit_plan(
        scope, EditPlan(plan.id, replace(VALUES, price="60", visible=False)), actor=OWNER, now=NOW + timedelta(days=2)
    )
    assert [str(price.price) for price in price_history(scope, plan.id)] == ["60.00", "50.00"]
    entries = scope.session.scalars(
        select(AuditEntry).where(AuditEntry.object_id == str(plan.id), AuditEntry.action == "plan.edit")
    ).all()
    assert [(entry.before, entry.after) for entry in entries] == [
        ({"price": "50.00"}, {"price": "60.00"}),
        ({"visible": True}, {"visible": False}),
    ]


def test_the_kind_of_a_plan_stays(scope: TenantScope) -> None:
    plan = add_plan(scope, AddPlan(group_of(scope), VALUES), actor=OWNER, now=NOW)
    with pytest.raises(PlanFieldForbidden):
        edit_plan(scope, EditPlan(plan.id, replace(VALUES, kind="year")), actor=OWNER, now=NOW)


def test_a_group_with_plans_stays(scope: TenantScope) -> None:
    group = group_of(scope)
    plan = add_plan(scope, AddPlan(group, VALUES), actor=OWNER, now=NOW)
    with pytest.raises(StillUsed):
        delete_plan_group(scope, group, actor=OWNER, now=NOW)
    delete_plan(scope, plan.id, actor=OWNER, now=NOW)
    delete_plan_group(scope, group, actor=OWNER, now=NOW)
    assert group_of(scope) != group


def test_what_can_be_sold_where_and_when(scope: TenantScope) -> None:
    here, there = Region(name="Here"), Region(name="There")
    scope.session.add_all([here, there])
    scope.session.flush()
    group = group_of(scope)

    def sold(name: str, **more: object) -> str:
        values = replace(VALUES, name=name, **more)  # type: ignore[arg-type]
        return add_plan(scope, AddPlan(group, values), actor=OWNER, now=NOW).name

    everywhere, only_here = sold("everywhere"), sold("here", regions=["Here"])
    new, renew, hidden = sold("new", usage="new"), sold("renew", usage="renew"), sold("hidden", visible=False)

    def names(region: Region | None, usage: str, **more: object) -> set[str]:
        rows = sellable_plans(
            scope,
            region_id=region and region.id,
            usage=usage,
            group_id=group,
            **more,  # type: ignore[arg-type]
        )
        return {row.name for row in rows}

    assert names(here, "new") == {everywhere, only_here, new, hidden}
    assert names(there, "new") == {everywhere, new, hidden}
    assert names(here, "renew", staff=False) == {everywhere, only_here, renew}
    with pytest.raises(RegionUnknown):
        sold("nowhere", regions=["Atlantis"])


def test_promotions_hold_from_start_until_before_end(scope: TenantScope) -> None:
    plan = sell(scope)
    end = NOW + timedelta(days=10)
    promotion = add_promotion(
        scope, AddPromotion(plan.id, "two months more", "months", "2", NOW, end), actor=OWNER, now=NOW
    )

    def runs(now: datetime) -> bool:
        return plan.id in running_promotions(scope, [plan.id], now)

    instant = timedelta(microseconds=1)
    assert [runs(now) for now in (NOW - instant, NOW, end - instant, end)] == [False, True, True, False]
    end_promotion(scope, promotion.id, actor=OWNER, now=NOW)
    assert not runs(NOW)


def test_a_right_is_asked_for(scope: TenantScope) -> None:
    nobody = replace(OWNER, everything=False)
    with pytest.raises(Forbidden):
        add_plan(scope, AddPlan(group_of(scope), VALUES), actor=nobody, now=NOW)


def test_another_tenants_plan_does_not_exist(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    with tenant_scope(database, two_isps[0]) as one:
        ids = [sell(one, f"p{i}").id for i in range(3)]
    with tenant_scope(database, two_isps[1]) as other:
        known = {row.id for row in list_plans(other)}
        for plan_id in set(ids) - known:
            with pytest.raises(PlanNotFound):
                find_plan(other, plan_id)


def test_plans_that_belong_to_regions(scope: TenantScope) -> None:
    east, west = Region(name="East"), Region(name="West")
    scope.session.add_all([east, west])
    scope.session.flush()
    old = add_plan(scope, AddPlan(group_of(scope), replace(VALUES, name="everywhere")), actor=OWNER, now=NOW)
    settings.write(scope, "prices_by_region", "on", actor=OWNER, now=NOW)
    assert old.id in [row.id for row in sellable_plans(scope, region_id=west.id, usage="new")]  # as it was
    for regions in (None, [], ["East", "West"]):
        with pytest.raises(PlanNeedsOneRegion), scope.session.begin_nested():
            add_plan(scope, AddPlan(group_of(scope), replace(VALUES, regions=regions)), actor=OWNER, now=NOW)
    prices = {"East": "50.00", "West": "60.00"}
    made = {
        name: add_plan(
            scope,
            AddPlan(group_of(scope), replace(VALUES, name=f"50M {name}", price=price, regions=[name])),
            actor=OWNER,
            now=NOW,
        )
        for name, price in prices.items()
    }
    for region in (east, west):
        rows = sellable_plans(scope, region_id=region.id, usage="new")
        assert [(row.name, str(row.price)) for row in rows if row.name != "everywhere" and "50M " in row.name][-1:] == [
            (f"50M {region.name}", prices[region.name])
        ]
    moved = EditPlan(made["East"].id, replace(VALUES, name="50M East", regions=["West"]))
    with pytest.raises(PlanStaysInRegion) as refused, scope.session.begin_nested():
        edit_plan(scope, moved, actor=OWNER, now=NOW)
    assert refused.value.params == {"plan": "50M East", "region": "East"}
    edit_plan(scope, EditPlan(old.id, replace(VALUES, name="everywhere", regions=["West"])), actor=OWNER, now=NOW)
    assert old.id not in [row.id for row in sellable_plans(scope, region_id=east.id, usage="new")]
