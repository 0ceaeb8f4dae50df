"""The list of subscribers and the page of one (SUB-1, SUB-5, SUB-6, SUB-10)."""

from datetime import timedelta

import pytest

from infra import clock
from tenants.subscribers.learn_address import learn_address
from tenants.subscribers.models import Account
from tests.fixtures.accounts import go_online, open_one, sell, set_expiry
from tests.fixtures.web import Web


@pytest.fixture
def people(desk) -> dict[str, int]:
    with desk.scope() as scope:
        plan = sell(scope, "Home month", price="50.00")
        ids = {
            "normal": open_one(scope, "sz28101", plan, name="周建华", phone="138 2655 0191"),
            "expiring": open_one(scope, "sz28102", plan, name="吴秀英", address="五和小区"),
            "expired": open_one(scope, "sz28103", plan, name="Zheng Wei", remark="after seven"),
            "not_activated": open_one(scope, "sz28104", plan, name="冯涛", start="first-login"),
        }
        set_expiry(scope, ids["expiring"], clock.now() + timedelta(days=1))
        set_expiry(scope, ids["expired"], clock.now() - timedelta(days=2))
        go_online(scope, ids["normal"], framed_ip="10.16.4.21", mac="bc:d1:77:1c:8e:25")
    return ids


def listed(desk, query: str = "") -> set[str]:
    page = desk.get(f"/accounts/{query}").get_data(as_text=True)
    return {name for name in ("sz28101", "sz28102", "sz28103", "sz28104") if f">{name}</a>" in page}


def test_tabs_count_and_narrow(desk, people):
    assert len(listed(desk)) == 4
    assert listed(desk, "?state=expired") == {"sz28103"}
    assert listed(desk, "?state=expiring") == {"sz28102"}
    assert listed(desk, "?state=not_activated") == {"sz28104"}
    assert listed(desk, "?state=normal") == {"sz28101"}
    assert "Expired 1" in desk.text()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("sz2810", {"sz28101", "sz28102", "sz28103", "sz28104"}),
        ("建华", {"sz28101"}),
        ("五和", {"sz28102"}),
        ("2655", {"sz28101"}),
        ("zheng", {"sz28103"}),
        ("after seven", {"sz28103"}),
        ("10.16.4.21", {"sz28101"}),
        ("BC-D1-77-1C-8E-25", {"sz28101"}),
        ("%", set()),
        ("nobody at all", set()),
    ],
)
def test_one_box_finds_by_anything(desk, people, text, found):
    assert listed(desk, f"?q={text}") == found


def test_filters_stand_in_the_address_and_can_be_removed(desk, people):
    assert listed(desk, "?online=yes") == {"sz28101"}
    page = desk.web.last.get_data(as_text=True)
    assert "Remove the condition Online yes" in page
    assert listed(desk, "?online=no") == {"sz28102", "sz28103", "sz28104"}
    assert listed(desk, "?opened_until=2001-01-01") == set()
    assert "Clear all conditions" in desk.text()


def test_pages_go_forwards_and_back(desk, people):
    from tests.fixtures.accounts import open_one as open_more

    with desk.scope() as scope:
        plan = sell(scope, "Other month", price="40.00")
        for number in range(30):
            open_more(scope, f"zz{number:03d}", plan)
    first = desk.get("/accounts/?size=25").get_data(as_text=True)
    cursor = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = desk.web.get(cursor).get_data(as_text=True)
    assert "zz029" in second
    assert "sz28101" not in second
    back = second.split('rel="prev" href="')[1].split('"')[0].replace("&amp;", "&")
    assert "sz28101" in desk.web.get(back).get_data(as_text=True)


def test_a_cursor_that_no_list_gave_out_shows_the_first_page(desk, people):
    assert listed(desk, "?cursor=nGARBAGE") == {"sz28101", "sz28102", "sz28103", "sz28104"}
    assert listed(desk, "?sort=password&cursor=p") == {"sz28101", "sz28102", "sz28103", "sz28104"}


def test_the_page_says_why_he_cannot_log_in(desk, people):
    desk.get(f"/accounts/{people['expired']}/")
    assert "Why can't he log in?" in desk.text()
    assert "The account has expired." in desk.text()
    desk.get(f"/accounts/{people['normal']}/")
    assert "He is online now." in desk.text()
    assert "10.16.4.21" in desk.text()


@pytest.mark.parametrize("tab", ["", "timeline", "orders", "sessions", "devices"])
def test_each_tab_opens(desk, people, tab):
    assert desk.get(f"/accounts/{people['normal']}/{tab}").status_code == 200


def test_details_are_changed_with_errors_beside_their_fields(desk, people):
    page = f"/accounts/{people['normal']}/edit"
    fields = {"name": "周建国", "phone": "139 0000 1111", "attribute": "ordinary", "bind_mac": "zz", "remark": "new"}
    answer = desk.submit(page, fields)
    assert answer.status_code == 422
    assert 'id="f-bind_mac-note"' in answer.get_data(as_text=True)
    assert "周建国" in answer.get_data(as_text=True)
    desk.submit(page, fields | {"bind_mac": "BCD1.771C.8E25"})
    assert "周建国" in desk.text()
    assert "BC:D1:77:1C:8E:25" in desk.text()


def test_bindings_are_left_to_the_next_login(desk, people):
    page = f"/accounts/{people['normal']}/edit"
    ticked = dict.fromkeys(("learn_bind_mac", "learn_bind_port", "learn_static_ip"), "1")
    wanted = {"attribute": "ordinary", "bind_nas_id": "learn", **ticked}
    desk.submit(page, wanted)
    assert (
        desk.get(f"/accounts/{people['normal']}/devices").get_data(as_text=True).count("learned at the next login") == 4
    )
    shown = desk.get(page).get_data(as_text=True)
    assert shown.count(" checked") == 3
    assert '<option value="learn" selected>' in shown
    desk.submit(page, {"attribute": "ordinary", "bind_mac": "bc:d1:77:1c:8e:25", "learn_bind_mac": "1"})
    desk.get(f"/accounts/{people['normal']}/devices")
    assert "BC:D1:77:1C:8E:25" in desk.text()
    assert "learned at the next login" not in desk.text()


def test_an_address_that_was_not_taken_is_told(desk, people):
    account = f"/accounts/{people['normal']}"
    desk.submit(f"{account}/edit", {"attribute": "ordinary", "learn_static_ip": "1"})
    with desk.scope() as scope:
        go_online(scope, people["normal"], "next", at=clock.now() + timedelta(seconds=1), framed_ip="127.0.0.1")
        assert not learn_address(scope, people["normal"], now=clock.now())
    assert "learned at the next login; 127.0.0.1 was not taken" in desk.get(f"{account}/devices").get_data(as_text=True)
    desk.get(f"{account}/timeline")
    assert "Address not taken for the fixed one" in desk.text()
    assert "127.0.0.1" in desk.text()
    desk.get("/log/")
    for words in ("Did not take an address for the fixed one", "Why not", "no host can have it"):
        assert words in desk.text()
    desk.submit(f"{account}/unbind", {"what": "ip"})
    assert "from the pool" in desk.get(f"{account}/devices").get_data(as_text=True)


def test_the_panel_that_unbinds_says_what_is_bound(desk, people):
    with desk.scope() as scope:
        account = scope.session.get_one(Account, people["normal"])
        account.bind_mac, account.bind_port = "02:00:00:00:00:07", "learn"
    panel = desk.get(f"/accounts/{people['normal']}/unbind").get_data(as_text=True)
    assert "device (MAC) · 02:00:00:00:00:07" in panel
    assert "learn</option>" not in panel.lower()


def test_unbinding(desk, people):
    desk.submit(f"/accounts/{people['normal']}/edit", {"attribute": "ordinary", "bind_mac": "bc:d1:77:1c:8e:25"})
    desk.submit(f"/accounts/{people['normal']}/unbind", {"what": "mac"})
    assert "Unbound sz28101." in desk.text()
    assert "not bound" in desk.text()


def test_a_new_password_is_set_and_an_old_one_is_shown_only_where_that_is_allowed(desk, people):
    page = f"/accounts/{people['normal']}/password"
    desk.submit(page, {"new_secret": "other-pass-1"})
    assert "has a new password" in desk.text()
    assert desk.submit(f"{page}/show").status_code == 422
    desk.submit(
        "/settings/network",
        {"show_password": "1", "interim_seconds": "300", "max_session_seconds": "86400", "stale_intervals": "4"},
    )
    desk.submit(f"{page}/show")
    assert "other-pass-1" in desk.text()
    desk.get("/log/?family=account")
    assert "Looked at a subscriber's password" in desk.text()


def test_an_operator_of_one_region_sees_only_its_subscribers(desk, people, web):
    from tenants.network.add_region import RegionForm, add_region
    from tests.fixtures.accounts import OWNER

    with desk.scope() as scope:
        region_id = add_region(scope, RegionForm("Other place"), actor=OWNER, now=clock.now())
    desk.hire("clerk", "accounts.view", region_ids=(region_id,))
    clerk = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("clerk")
    assert listed(clerk) == set()
    assert clerk.get(f"/accounts/{people['normal']}/").status_code == 404


def test_the_search_of_everything_opens_the_only_hit_and_lists_several(desk, people):
    answer = desk.get("/search?q=sz28103")
    assert answer.request.path.endswith(f"/accounts/{people['expired']}/")
    fragment = desk.get("/search?q=sz28", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert fragment.count("sz2810") >= 4
    assert "<html" not in fragment
    desk.get("/search?q=nothing-like-it")
    assert "Nothing fits" in desk.text()


def test_deleting_and_bringing_back(desk, people):
    page = f"/accounts/{people['normal']}"
    assert desk.submit(f"{page}/delete", {"confirm": "wrong"}).status_code == 422
    desk.submit(f"{page}/delete", {"confirm": "sz28101"})
    assert "Deleted sz28101." in desk.text()
    assert "sz28101" not in listed(desk)
    desk.get("/accounts/deleted")
    assert "sz28101" in desk.text()
    assert desk.get(f"{page}/op/renew").status_code == 404
    desk.submit("/accounts/deleted", to=f"{page}/restore")
    assert "Brought back sz28101." in desk.text()
    assert "sz28101" in listed(desk)


def test_chosen_columns_and_page_size_are_kept_with_the_person(desk, app):
    with desk.scope() as scope:
        open_one(scope, "sz28403", sell(scope), name="Chen Jianguo")
    desk.get("/accounts/?cols_set=1&cols=region&size=25")
    elsewhere = type(desk)(Web(app), desk.tenant, desk.database).sign_in()
    page = elsewhere.get("/accounts/").get_data(as_text=True)
    head = page.split("<thead>")[1].split("</thead>")[0]
    assert "Region" in head
    assert "Balance" not in head
    assert "<option selected>25</option>" in page
