"""Settings, regions, operators, roles (TEN-9, NET-1, STF-1, STF-2)."""

import pytest
from sqlalchemy import select

from infra import clock
from tenants.registry.settings import GROUPS, read, write
from tenants.staff.actor import actor_named
from tenants.staff.built_in_roles import usual_rights
from tenants.staff.find import find_role
from tenants.staff.models import Role
from tenants.staff.permissions import ALL
from tenants.staff.queries_staff import list_roles
from tests.fixtures.accounts import OWNER
from tests.fixtures.tenants import OWNER_PASSWORD


@pytest.mark.parametrize("group", sorted(GROUPS))
def test_each_group_opens_and_saving_it_as_it_is_changes_nothing(desk, group):
    import re
    from html import unescape

    page = desk.get(f"/settings/{group}").get_data(as_text=True)
    fields: dict[str, object] = {}
    for name, value in re.findall(r'<input class="form-control[^>]* name="(\w+)"[^>]*? value="([^"]*)"', page):
        fields[name] = unescape(value)
    for name, inside in re.findall(r'<select[^>]* name="(\w+)"[^>]*>(.*?)</select>', page, re.S):
        chosen = re.search(r'value="([^"]*)" selected', inside)
        fields[name] = unescape(chosen.group(1)) if chosen else ""
    for name, value in re.findall(r'type="checkbox"[^>]*? name="(\w+)" value="(\w+)" checked', page):
        fields[name] = value
    for name, value in re.findall(r'<textarea[^>]* name="(\w+)"[^>]*>(.*?)</textarea>', page, re.S):
        fields[name] = unescape(value)
    desk.submit(f"/settings/{group}", fields)
    assert "Nothing was changed." in desk.text()


def test_a_setting_holds_at_once(desk):
    fields = {"reversal_seconds": "7200", "reversal_cutoff_hour": ""}
    desk.submit("/settings/reversal", fields)
    assert "Saved 2 changes." in desk.text()
    with desk.scope() as scope:
        assert (read(scope).reversal_seconds, read(scope).reversal_cutoff_hour) == (7200, None)


def test_the_window_is_called_as_the_provider_wants(desk):
    assert f"<title>Home · {desk.tenant.name}</title>" in desk.get("/").get_data(as_text=True)
    with desk.scope() as scope:
        write(scope, "page_title", "Harbour Net", actor=OWNER, now=clock.now())
    assert "<title>Home · Harbour Net</title>" in desk.get("/").get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value"), [("reversal_seconds", "-5"), ("reversal_seconds", "soon"), ("reversal_cutoff_hour", "24")]
)
def test_a_value_out_of_range_is_refused_beside_its_field(desk, field, value):
    fields = {"reversal_seconds": "3600", "reversal_cutoff_hour": "23"} | {field: value}
    answer = desk.submit("/settings/reversal", fields)
    assert answer.status_code == 422
    assert f'id="f-{field}-note"' in answer.get_data(as_text=True)


def test_regions_are_added_changed_and_deleted(desk):
    assert desk.submit("/regions/new", {"name": ""}).status_code == 422
    desk.submit("/regions/new", {"name": "Wuhe", "phone": "0755-2688"})
    assert "Added the region Wuhe." in desk.text()
    with desk.scope() as scope:
        from tenants.network.find import find_region

        region_id = find_region(scope, "Wuhe").id
    desk.submit(f"/regions/{region_id}/edit", {"name": "Wuhe Estate"})
    assert "Wuhe Estate" in desk.text()
    assert desk.submit("/regions/new", {"name": "Wuhe Estate"}).status_code == 422
    desk.submit("/regions/", to=f"/regions/{region_id}/delete")
    assert "Deleted the region Wuhe Estate." in desk.text()


def test_an_operator_is_added_bound_and_disabled(desk, web):
    with desk.scope() as scope:
        role = find_role(scope, "cashier").id
    fields = {"username": "liying", "password": "counter-words-26", "name": "Li Ying", "role": str(role)}
    assert desk.submit("/staff/new", fields | {"password": "short"}).status_code == 422
    assert 'id="f-password-note"' in desk.web.last.get_data(as_text=True)
    desk.submit("/staff/new", fields)
    assert "Added liying." in desk.text()
    assert desk.submit("/staff/new", fields).status_code == 422
    person = type(desk)(type(web)(web.client.application), desk.tenant, desk.database)
    person.sign_in("liying", "counter-words-26")
    assert "Somebody else knows your password" in person.text()
    with desk.scope() as scope:
        from sqlalchemy import select

        from tenants.staff.models import Operator

        operator_id = scope.session.scalars(select(Operator.id).where(Operator.username == "liying")).one()
    desk.submit(f"/staff/{operator_id}/edit", {"name": "Li Ying", "role": str(role), "disabled": "1"})
    assert "disabled" in desk.text()
    person.get("/password")
    assert "Staff of" in person.text()  # signed out at once


def test_a_role_is_made_copied_changed_and_takes_effect_with_the_next_click(desk, web):
    desk.submit("/roles/new", {"name": "Counter", "rights": ["accounts.view", "op.buy"]})
    assert "Added the role Counter." in desk.text()
    assert desk.submit("/roles/new", {"name": "Counter", "rights": []}).status_code == 422
    with desk.scope() as scope:
        role_id = next(role.id for role in list_roles(scope) if role.name == "Counter")
    desk.submit("/staff/new", {"username": "amy", "password": OWNER_PASSWORD, "name": "Amy", "role": str(role_id)})
    amy = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("amy")
    new = {"old_password": OWNER_PASSWORD, "new_password": "amys-own-words-1", "new_password_again": "amys-own-words-1"}
    amy.submit("/password", new)
    assert amy.get("/accounts/").status_code == 200
    assert amy.get("/log/").status_code == 403
    assert "See the operation log" in amy.text()
    desk.submit(f"/roles/{role_id}/", {"name": "Counter", "rights": ["accounts.view", "logs.view"]})
    assert amy.get("/log/").status_code == 200


def test_nobody_gives_more_than_he_has(desk, web):
    desk.hire("chief", "staff.view", "staff.add", "staff.edit", "accounts.view")
    chief = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("chief")
    answer = chief.submit("/roles/new", {"name": "Above", "rights": ["accounts.view", "op.refund"]})
    assert answer.status_code == 422


def test_the_owners_role_stays(desk):
    with desk.scope() as scope:
        role_id = find_role(scope, "owner").id
    assert desk.submit(f"/roles/{role_id}/", {"name": "Owner", "rights": []}).status_code == 422


def test_a_domain_of_ones_own_works_once_its_record_points_here(desk, monkeypatch):
    pointing: set[str] = {"203.0.113.9"}
    monkeypatch.setattr(
        "portals.admin.domains.addresses_of",
        lambda host: frozenset(pointing) if host.endswith("example.net") else frozenset({"192.0.2.7"}),
    )
    for wrong in ("not a domain", "http://x.example.net", "localhost", ""):
        answer = desk.submit("/settings/domains/new", {"hostname": wrong})
        assert answer.status_code == 422
        assert 'id="f-hostname-note"' in answer.get_data(as_text=True)
    name = f"portal-{desk.tenant.slug}.example.net"
    desk.submit("/settings/domains/new", {"hostname": name.upper()})
    assert name in desk.text()
    assert "waiting for its record" in desk.text()
    desk.submit("/settings/domains", to=f"/settings/domains/{name}/check")
    assert "was not found yet" in desk.text()
    pointing.add("192.0.2.7")
    desk.submit("/settings/domains", to=f"/settings/domains/{name}/check")
    assert "points here" in desk.text()
    desk.submit("/settings/domains", to=f"/settings/domains/{name}/remove")
    assert "No domain of your own yet." in desk.text()


def technician(desk) -> Role:
    with desk.scope() as scope:
        role = scope.session.scalars(select(Role).where(Role.code == "technician")).one()
        scope.session.expunge(role)
        return role


def test_a_role_that_nobody_changed_follows_the_product(desk, web):
    role = technician(desk)
    facts = {"username": "tom", "password": OWNER_PASSWORD, "name": "Tom", "role": str(role.id)}
    desk.submit("/staff/new", facts)
    with desk.scope() as scope:  # as it was stored by a version that knew less
        scope.session.get(Role, role.id).permissions = ["accounts.view"]
        assert actor_named(scope, "tom").permissions == usual_rights("technician")
    rights = sorted(usual_rights("technician"))
    desk.submit(f"/roles/{role.id}/", {"name": "Fitter", "rights": rights})  # another name changes no rights
    assert (technician(desk).known_rights, technician(desk).name) == (None, "Fitter")
    desk.get(f"/roles/{role.id}/")
    assert "come with an update" not in desk.text()


def test_a_role_that_was_changed_is_offered_what_came_since(desk, web):
    role = technician(desk)
    kept = sorted(usual_rights("technician") - {"nas.secret", "packets.watch", "refused.unlock"})
    page = f"/roles/{role.id}/"
    desk.submit(page, {"name": "Technician", "rights": kept})
    assert sorted(technician(desk).rights) == kept
    assert "come with an update" not in desk.text()  # what was taken away here stays away
    with desk.scope() as scope:
        known = sorted(ALL - {"packets.watch", "refused.unlock"})  # as if these two were of a later version
        scope.session.get(Role, role.id).known_rights = known
    desk.get(page)
    assert "come with an update Watch" not in desk.text()
    assert "update Let who was locked out try again, Watch packets live This role" in desk.text()
    desk.hire("chief", "staff.view", "staff.edit", "accounts.view")
    chief = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("chief")
    assert chief.submit(page, to=f"{page}new-rights").status_code != 200  # nobody gives more than he has
    assert sorted(technician(desk).rights) == kept
    desk.submit(page, to=f"{page}new-rights")
    assert "come with an update" not in desk.text()
    assert technician(desk).rights == usual_rights("technician") - {"nas.secret"}
    desk.submit(page, {"name": "Technician", "rights": sorted(usual_rights("technician"))})
    assert technician(desk).known_rights is None  # it has what it came with, and follows again


def test_new_rights_left_out_are_not_offered_again(desk):
    role = technician(desk)
    page = f"/roles/{role.id}/"
    with desk.scope() as scope:
        stored = scope.session.get(Role, role.id)
        stored.permissions, stored.known_rights = ["accounts.view"], sorted(ALL - {"refused.unlock"})
    desk.get(page)
    assert "come with an update" in desk.text()
    desk.submit(page, {"name": "Technician", "rights": ["accounts.view"]})
    assert "come with an update" not in desk.text()
    assert technician(desk).rights == {"accounts.view"}


def test_the_owners_role_has_every_right_there_is(desk):
    with desk.scope() as scope:
        owner = scope.session.scalars(select(Role).where(Role.code == "owner")).one()
        owner.permissions = []
        assert owner.rights == ALL
    assert desk.submit("/roles/1/", to=f"/roles/{owner.id}/new-rights").status_code == 409
