"""The pages of speeds and of address pools (NET-4, NET-5)."""

from sqlalchemy import select

from infra.outbox import OutboxRow
from tenants.access.models import Profile
from tenants.catalog.find import find_group, find_rate_profile
from tenants.network.add_pool import find_pool
from tests.fixtures.accounts import go_online, open_one, sell

BURST = {"burst_down": "20M", "burst_up": "4M", "threshold_down": "8M", "threshold_up": "1M", "burst_seconds": "12"}


def test_a_changed_speed_reaches_who_is_online(desk):
    with desk.scope() as scope:
        plan = sell(scope, "Home", group="Home")
        rate_id = find_group(scope, "Home").rate_profile_id
        name = find_rate_profile(scope, rate_id).name
        account_id = open_one(scope, "u1", plan)
        go_online(scope, account_id, "s1")
    desk.get("/rates/")
    assert "Home" in desk.text()
    assert "1 subscriber" in desk.get(f"/rates/{rate_id}/edit").get_data(as_text=True)
    desk.submit(f"/rates/{rate_id}/edit", {"name": name, "down": "120M", "up": "20M"} | BURST)
    assert f"Saved the speed {name}." in desk.text()
    with desk.scope() as scope:
        rate = find_rate_profile(scope, rate_id)
        assert (rate.down_bps, rate.burst_seconds) == (120_000_000, 12)
        told = select(OutboxRow.subject).where(OutboxRow.tenant_id == scope.tenant_id, OutboxRow.topic == "radius.coa")
        assert scope.session.scalars(told).all() == [f"account:{account_id}"]


def test_speeds_are_added_and_deleted(desk):
    assert desk.submit("/rates/new", {"name": "Fast", "down": "1G", "up": "0"}).status_code == 422
    assert desk.submit("/rates/new", {"name": "Fast", "down": "1G", "up": "1G", "burst_up": "2G"}).status_code == 422
    slip = desk.submit("/rates/new", {"name": "Fast", "down": "100", "up": "20M"})
    assert "With its unit: 100M, or 100k." in slip.get_data(as_text=True)
    desk.submit("/rates/new", {"name": "Fast", "down": "1G", "up": "100M", "priority": "1"})
    assert "Added the speed Fast." in desk.text()
    with desk.scope() as scope:
        rate_id = find_rate_profile(scope, "Fast").id
    button = f"/rates/{rate_id}/delete"
    assert button in desk.get("/rates/").get_data(as_text=True)
    desk.submit("/plan-groups/new", {"name": "G", "down": "1G", "up": "100M", "priority": "1"})
    with desk.scope() as scope:
        assert find_group(scope, "G").rate_profile_id == rate_id  # a group takes the speed that there is
    assert button not in desk.get("/rates/").get_data(as_text=True)
    assert desk.submit("/rates/", to=button).status_code == 409
    desk.submit("/plan-groups/new", {}, to=f"/plan-groups/{group_id(desk, 'G')}/delete")
    desk.submit("/rates/", to=button)
    assert "Deleted the speed Fast." in desk.text()
    assert desk.get(f"/rates/{rate_id}/edit").status_code == 404


def group_id(desk, name: str) -> int:
    with desk.scope() as scope:
        return find_group(scope, name).id


def test_a_pool_that_is_only_used_can_be_described(desk):
    desk.submit("/plan-groups/new", {"name": "G", "down": "10M", "up": "2M", "pool": "pppoe-9", "expired_pool": "wall"})
    page = desk.get("/pools/").get_data(as_text=True)
    assert "pppoe-9" in page
    assert "/pools/new?name=wall&amp;kind=expired" in page
    desk.submit("/pools/new", {"name": "wall", "kind": "expired", "remark": "10.9.0.0/16"})
    assert "Added the pool wall." in desk.text()
    with desk.scope() as scope:
        pool_id = find_pool(scope, "wall").id
    form = desk.get(f"/pools/{pool_id}/edit").get_data(as_text=True)
    assert "In use by G, so its name stays." in form
    assert desk.submit(f"/pools/{pool_id}/edit", {"name": "other", "kind": "expired"}).status_code == 422
    desk.submit(f"/pools/{pool_id}/edit", {"name": "wall", "kind": "expiring"})
    assert "Saved the pool wall." in desk.text()
    assert desk.submit("/pools/", to=f"/pools/{pool_id}/delete").status_code == 409
    assert '<option value="wall">' in desk.get("/plan-groups/new").get_data(as_text=True)


def test_a_group_has_a_place_for_accounts_that_end_soon(desk):
    group = {"name": "G", "down": "10M", "up": "2M"}
    slip = desk.submit("/plan-groups/new", group | {"expiring_days": "5"}).get_data(as_text=True)
    assert "it is not said what they receive then" in slip
    slip = desk.submit("/plan-groups/new", group | {"expiring_pool": "soon"}).get_data(as_text=True)
    assert "it is not said how many days before the expiry" in slip
    assert desk.submit("/plan-groups/new", group | {"expiring_days": "61"}).status_code == 422
    place = {"expiring_days": "5", "expiring_pool": "soon", "expiring_redirect_url": "http://pay.example/"}
    desk.submit("/plan-groups/new", group | place)
    expected = {"expiring_days": 5, "expiring": {"pool": "soon", "redirect_url": "http://pay.example/"}}
    with desk.scope() as scope:
        found = find_group(scope, "G")
        assert found.options == expected
        known = select(Profile.options).where(Profile.tenant_id == scope.tenant_id, Profile.profile_id == found.id)
        assert scope.session.scalar(known) in (expected, None)
    assert "/pools/new?name=soon&amp;kind=expiring" in desk.get("/pools/").get_data(as_text=True)
    form = desk.get(f"/plan-groups/{group_id(desk, 'G')}/edit").get_data(as_text=True)
    assert 'value="soon"' in form
    desk.submit(f"/plan-groups/{group_id(desk, 'G')}/edit", group)  # all left empty
    with desk.scope() as scope:
        assert find_group(scope, "G").options == {}


def test_an_unused_pool_is_deleted(desk):
    assert desk.submit("/pools/new", {"name": "two words", "kind": "normal"}).status_code == 422
    assert desk.submit("/pools/new", {"name": "p", "kind": "free"}).status_code == 422
    desk.submit("/pools/new", {"name": "spare", "kind": "normal"})
    assert desk.submit("/pools/new", {"name": "spare", "kind": "normal"}).status_code == 422
    with desk.scope() as scope:
        pool_id = find_pool(scope, "spare").id
    desk.submit("/pools/", to=f"/pools/{pool_id}/delete")
    assert "Deleted the pool spare." in desk.text()
