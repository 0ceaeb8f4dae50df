"""Plan groups and plans: add, change, stop selling; past orders stay (PLN-1, PLN-2, PLN-6)."""

import pytest
from sqlalchemy import select

from infra import clock
from tenants.billing.models import Order
from tenants.catalog.find import find_group, find_plan
from tenants.network.models import Region
from tenants.registry import settings
from tenants.subscribers.queries_plans import list_groups
from tests.fixtures.accounts import OWNER, open_one

GROUP = {"name": "Home 200M", "down": "200M", "up": "30M", "pool": "pppoe", "sort": "0"}
PLAN = {
    "name": "200M month",
    "kind": "month",
    "price": "60.00",
    "max_sessions": "1",
    "concurrency": "refuse",
    "usage": "both",
    "visible": "1",
    "sort": "0",
    "quota_end": "cut",
}


@pytest.fixture
def group_id(desk) -> int:
    desk.submit("/plan-groups/new", GROUP)
    with desk.scope() as scope:
        return find_group(scope, "Home 200M").id


def test_a_group_then_a_plan(desk, group_id):
    assert "Added the group Home 200M." in desk.text()
    desk.submit("/plans/new", PLAN | {"group": str(group_id)})
    assert "Added the plan 200M month." in desk.text()
    with desk.scope() as scope:
        plan = find_plan(scope, "200M month")
        assert desk.get(f"/plans/{plan.id}/").status_code == 200
    assert "200M / 30M" in desk.text()


def test_only_an_empty_group_is_deleted(desk, group_id):
    desk.submit("/plans/new", PLAN | {"group": str(group_id)})
    button = f"/plan-groups/{group_id}/delete"
    assert button not in desk.get("/plans/").get_data(as_text=True)
    assert desk.submit(button, {}).status_code == 409
    with desk.scope() as scope:
        plan_id = find_plan(scope, "200M month").id
    desk.submit(f"/plans/{plan_id}/delete", {})
    assert button in desk.get("/plans/").get_data(as_text=True)
    desk.submit(button, {})
    assert "Deleted the group Home 200M." in desk.text()
    with desk.scope() as scope:
        assert "Home 200M" not in [group.name for group in list_groups(scope)]


@pytest.mark.parametrize(
    ("field", "value"), [("down", "2 Mbit"), ("up", "0"), ("name", ""), ("dns1", "x"), ("pool", "a b")]
)
def test_a_bad_group_is_refused_beside_its_field(desk, field, value):
    answer = desk.submit("/plan-groups/new", GROUP | {field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-note"' in answer.get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("price", "-1"),
        ("price", "1.234"),
        ("name", ""),
        ("kind", "fortnight"),
        ("max_sessions", "many"),
        ("group", "999999"),
    ],
)
def test_a_bad_plan_is_refused_beside_its_field(desk, group_id, field, value):
    answer = desk.submit("/plans/new", PLAN | {"group": str(group_id)} | {field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-note"' in answer.get_data(as_text=True)


def test_a_traffic_plan_needs_its_quota(desk, group_id):
    fields = PLAN | {"group": str(group_id), "kind": "traffic", "validity_days": "30"}
    assert desk.submit("/plans/new", fields).status_code == 422
    desk.submit("/plans/new", fields | {"quota_octets": "100"})
    assert "100.00 GB, valid for 30 days" in desk.text()


def test_a_new_price_is_history_and_past_orders_keep_theirs(desk, group_id):
    fields = PLAN | {"group": str(group_id)}
    desk.submit("/plans/new", fields)
    with desk.scope() as scope:
        plan = find_plan(scope, "200M month")
        open_one(scope, "u1", plan)
    desk.submit(f"/plans/{plan.id}/edit", fields | {"price": "75.00"})
    assert "Saved the plan 200M month." in desk.text()
    assert "¥75.00" in desk.text()
    assert "¥60.00" in desk.text()
    with desk.scope() as scope:
        assert scope.session.scalars(select(Order.total)).one() == 60


def test_a_plan_that_is_no_longer_sold_disappears_from_the_forms(desk, group_id):
    desk.submit("/plans/new", PLAN | {"group": str(group_id)})
    with desk.scope() as scope:
        plan = find_plan(scope, "200M month")
    desk.submit(f"/plans/{plan.id}/", to=f"/plans/{plan.id}/delete")
    assert "no longer sold" in desk.text()
    assert "200M month" not in desk.get("/accounts/new").get_data(as_text=True)


def test_changing_the_speed_of_a_group(desk, group_id):
    desk.submit(f"/plan-groups/{group_id}/edit", GROUP | {"down": "500M", "up": "100M"})
    assert "Saved the group Home 200M." in desk.text()
    assert "500M ↓ 100M ↑" in desk.text()


def test_a_speed_is_shown_again_as_it_was_typed_also_in_binary_megabits(desk):
    with desk.scope() as scope:
        settings.write(scope, "megabit", "1048576", actor=OWNER, now=clock.now())
    desk.submit("/plan-groups/new", GROUP | {"name": "Home 2M", "down": "2M", "up": "512k"})
    with desk.scope() as scope:
        group = find_group(scope, "Home 2M")
    page = desk.get(f"/plan-groups/{group.id}/edit").get_data(as_text=True)
    assert 'value="2M"' in page
    assert 'value="512k"' in page


def test_an_offer_takes_effect_in_the_panel_and_ends(desk, group_id):
    desk.submit("/plans/new", PLAN | {"group": str(group_id)})
    with desk.scope() as scope:
        plan = find_plan(scope, "200M month")
        account_id = open_one(scope, "u1", plan)
    offer = {"name": "Autumn", "gift_kind": "amount", "gift_value": "10", "minimum_quantity": "3"}
    days = {"starts_at": "2020-01-01", "ends_at": "2099-12-31"}
    assert desk.submit(f"/plans/{plan.id}/offers/new", offer | days | {"gift_value": "-1"}).status_code == 422
    assert desk.submit(f"/plans/{plan.id}/offers/new", offer | days | {"ends_at": "2019-01-01"}).status_code == 422
    desk.submit(f"/plans/{plan.id}/offers/new", offer | days)
    assert "10.00 off from a quantity of 3 on" in desk.text()
    panel = f"/accounts/{account_id}/op/renew"
    desk.submit(panel, {"plan": str(plan.id), "quantity": "3", "method": "cash"}, to=f"{panel}/preview")
    assert "Renew for ¥170.00" in desk.text()  # 60.00 × 3 - 10.00
    with desk.scope() as scope:
        from infra import clock
        from tenants.subscribers.queries_plans import open_promotions

        promotion = open_promotions(scope, plan.id, clock.now())[0]
    desk.submit(f"/plans/{plan.id}/", to=f"/offers/{promotion.id}/end")
    assert "No offer runs or is planned." in desk.text()


def test_where_plans_belong_to_regions_the_form_asks_for_one(desk, group_id):
    with desk.scope() as scope:
        scope.session.add(Region(name="East"))
        settings.write(scope, "prices_by_region", "on", actor=OWNER, now=clock.now())
        scope.session.flush()
        east = scope.session.scalars(select(Region.id).where(Region.name == "East")).one()
    fields = PLAN | {"group": str(group_id)}
    answer = desk.submit("/plans/new", fields | {"regions": ""})
    assert answer.status_code == 422
    assert 'id="f-regions-note"' in answer.get_data(as_text=True)
    desk.submit("/plans/new", fields | {"regions": str(east)})
    assert "Added the plan 200M month." in desk.text()
    with desk.scope() as scope:
        plan_id = find_plan(scope, "200M month").id
    answer = desk.get(f"/plans/{plan_id}/edit")
    assert f'<option value="{east}" selected>East</option>' in answer.get_data(as_text=True)


def test_burst_place_and_extra_attributes_of_a_group(desk):
    fields = {"name": "Fast", "down": "100M", "up": "20M", "burst_down": "200M"}
    assert desk.submit("/plan-groups/new", fields).status_code == 422  # a burst has five values
    fields |= {
        "burst_up": "40M",
        "threshold_down": "80M",
        "threshold_up": "16M",
        "burst_seconds": "10",
        "priority": "3",
    }
    assert desk.submit("/plan-groups/new", fields | {"extra": "Nonsense = 1"}).status_code == 422
    extra = {"extra": "Session-Timeout = 60", "expired_pool": "late", "expired_redirect_url": "http://pay.example/"}
    desk.submit("/plan-groups/new", fields | extra)
    with desk.scope() as scope:
        group = next(one for one in list_groups(scope) if one.name == "Fast")
    assert (group.burst_up_bps, group.threshold_down_bps, group.burst_seconds, group.priority) == (
        40_000_000,
        80_000_000,
        10,
        3,
    )
    assert group.options == {
        "extra": "Session-Timeout = 60",
        "expired": {"pool": "late", "redirect_url": "http://pay.example/"},
    }
    desk.submit(f"/plan-groups/{group.id}/edit", fields | extra | {"priority": "8"})
    with desk.scope() as scope:
        changed = next(one for one in list_groups(scope) if one.name == "Fast")
    assert (changed.priority, changed.burst_seconds, changed.options) == (8, 10, group.options)
    assert changed.rate_profile_id != group.rate_profile_id
