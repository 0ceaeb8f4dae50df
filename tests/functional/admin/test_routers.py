"""Routers: register, paste the script, watch for the first packet (NET-2, TEN-3, TEN-4)."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, update

from infra import clock
from tenants.network.edit_nas import reveal_secret
from tenants.registry.models import Nas
from tenants.usage.models import RefusedPacket
from tests.fixtures.accounts import OWNER, go_online, open_one, sell

GOOD = {
    "name": "Minzhi hAP",
    "vendor": "mikrotik",
    "auth_mode": "identifier",
    "message_authenticator": "required",
}


def router(desk) -> Nas:
    with desk.scope() as scope:
        return scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).one()


def test_name_and_make_are_enough_and_the_script_is_ready(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    assert nas.identifier.startswith(f"{desk.tenant.nas_prefix}-")
    with desk.scope() as scope:
        secret = reveal_secret(scope, nas.id, actor=OWNER, now=clock.now())
    page = desk.web.last.get_data(as_text=True)
    assert secret in page
    assert f'/system identity set name=&#34;<span class="vl">{nas.identifier}</span>' in page
    for make in ("huawei", "cisco", "h3c"):
        assert secret in desk.get(f"/routers/{nas.id}/?make={make}").get_data(as_text=True)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("vendor", "toaster"),
        ("identifier", "somebody-else-1"),
        ("identifier", "with\x07bell"),
        ("secret", "short"),
        ("address", "300.1.1.1"),
        ("coa_port", "70000"),
        ("ddns_name", "not a name"),
    ],
)
def test_bad_input_is_said_beside_its_field(desk, field, value):
    answer = desk.submit("/routers/new", GOOD | {field: value})
    assert answer.status_code == 422
    assert f'id="f-{field}-note"' in answer.get_data(as_text=True)
    with desk.scope() as scope:
        assert scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).all() == []


def wrong_fields(page: str) -> set[str]:
    """Those with an error beside them, each of which the summary above leads to."""
    found = set(re.findall(r'class="f-err" id="f-(\w+)-note"', page))
    assert found == set(re.findall(r'<a class="under" href="#f-(\w+)"', page))
    return found


MANY_WRONG = {
    "name": "",
    "identifier": "somebody-else-1",
    "address": "300.1.1.1",
    "ddns_name": "not a name",
    "coa_port": "70000",
    "timezone": "Mars/Base",
    "stale_minutes": "9",
}


@pytest.mark.parametrize("left_out", ["", "name", "coa_port"])  # what the form itself finds, and what only we know
def test_everything_that_is_wrong_is_said_at_once(desk, left_out):
    """A name that is missing hid an address that is none, and of those only the first was told."""
    wrong = {field: value for field, value in MANY_WRONG.items() if field not in (left_out, left_out and "name")}
    page = desk.submit("/routers/new", GOOD | wrong | {"secret": "short"}).get_data(as_text=True)
    assert wrong_fields(page) == {*wrong, "secret"}
    desk.submit("/routers/new", GOOD)
    at = f"/routers/{router(desk).id}/edit"
    page = desk.submit(at, GOOD | wrong).get_data(as_text=True)
    assert wrong_fields(page) == set(wrong)
    assert router(desk).name == GOOD["name"]
    desk.web.client.set_cookie("lang", "zh")
    assert "不是接入设备的 IP 地址" in desk.submit(at, GOOD | wrong).get_data(as_text=True)


def test_an_identifier_taken_anywhere_in_the_cloud_is_refused(desk):
    fields = GOOD | {"identifier": f"{desk.tenant.nas_prefix}-one"}
    desk.submit("/routers/new", fields)
    answer = desk.submit("/routers/new", fields)
    assert answer.status_code == 422
    assert 'id="f-identifier-note"' in answer.get_data(as_text=True)


def test_the_live_part_shows_why_a_packet_was_refused(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    live = desk.get(f"/routers/{nas.id}/", headers={"HX-Request": "true", "X-Broadloom-Poll": "1"})
    assert "No packet yet." in live.get_data(as_text=True)
    assert "<html" not in live.get_data(as_text=True)
    with desk.scope() as scope:
        scope.session.add(
            RefusedPacket(
                tenant_id=scope.tenant_id,
                at=clock.now(),
                nas_id=nas.id,
                nas_identifier=nas.identifier,
                source="113.97.186.238:49152",
                code=1,
                reason="wrong_secret",
                username="mz30917",
            )
        )
    desk.get(f"/routers/{nas.id}/", headers={"HX-Request": "true"})
    assert "The shared secret in the router is not the one registered here" in desk.text()
    assert "113.97.186.238:49152" in desk.text()


def test_a_router_that_reports_nothing_of_a_login_that_was_accepted(desk):
    """Accounting is off, or blocked: nobody of it is ever seen online. An old refusal says less."""
    desk.submit("/routers/new", GOOD)
    nas, now = router(desk), clock.now()
    live = {"HX-Request": "true", "X-Broadloom-Poll": "1"}
    with desk.scope() as scope:
        heard = {"first_packet_at": now, "first_accept_at": now - timedelta(seconds=5), "last_packet_at": now}
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(**heard))
        told = {"source": "192.0.2.1:1", "nas_identifier": nas.identifier, "username": "u", "mac": "", "method": ""}
        packet = {"tenant_id": scope.tenant_id, "nas_id": nas.id, "code": 1, "reason": "unknown_user"}
        scope.session.add(RefusedPacket(**packet, at=now - timedelta(minutes=3), **told))
    desk.get(f"/routers/{nas.id}/", headers=live)
    assert "The router talks to the cloud." in desk.text()  # the first report may be on its way
    assert "was not let in" not in desk.text()
    with desk.scope() as scope:
        long_ago = now - timedelta(minutes=2)
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(first_accept_at=long_ago))
    desk.get(f"/routers/{nas.id}/", headers=live)
    assert "but the router has reported no session" in desk.text()
    assert "was not let in" not in desk.text()
    with desk.scope() as scope:  # somebody else is refused since
        scope.session.add(RefusedPacket(**packet, at=now + timedelta(seconds=5), **told))
    desk.get(f"/routers/{nas.id}/", headers=live)
    assert "was not let in" in desk.text()
    assert "but the router has reported no session" in desk.text()


def test_a_working_router_whose_secret_no_longer_fits_says_so(desk):
    desk.submit("/routers/new", GOOD)
    nas, now = router(desk), clock.now()
    live = {"HX-Request": "true", "X-Broadloom-Poll": "1"}
    with desk.scope() as scope:
        first = dict.fromkeys(("first_packet_at", "first_accept_at", "first_online_at"), now - timedelta(days=1))
        heard = {"last_packet_at": now - timedelta(minutes=2)}
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(**first, **heard))
    assert "talks to the cloud" in desk.get(f"/routers/{nas.id}/", headers=live).get_data(as_text=True)
    with desk.scope() as scope:
        told = {"source": "192.0.2.1:1", "nas_identifier": nas.identifier, "username": "u", "mac": "", "method": ""}
        for reason, minutes in (("wrong_secret", 1), ("expired", 2)):
            at = now + timedelta(minutes=minutes)
            packet = RefusedPacket(tenant_id=scope.tenant_id, nas_id=nas.id, at=at, reason=reason, code=1, **told)
            scope.session.add(packet)
    desk.get(f"/routers/{nas.id}/", headers=live)
    assert "The shared secret in the router is not" in desk.text()
    with desk.scope() as scope:  # mended, and then silent
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(last_packet_at=now + timedelta(minutes=3)))
    assert "talks to the cloud" in desk.get(f"/routers/{nas.id}/", headers=live).get_data(as_text=True)
    with desk.scope() as scope:
        scope.session.execute(delete(RefusedPacket).where(RefusedPacket.tenant_id == scope.tenant_id))
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(last_packet_at=now - timedelta(hours=3)))
    assert "has sent nothing for 3 h" in desk.get(f"/routers/{nas.id}/", headers=live).get_data(as_text=True)


def test_copying_the_script_is_the_second_step(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    assert desk.submit(f"/routers/{nas.id}/", to=f"/routers/{nas.id}/copied").status_code == 204
    assert router(desk).script_copied_at is not None


def test_after_the_first_packet_the_secret_is_an_act_of_its_own(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    with desk.scope() as scope:
        secret = reveal_secret(scope, nas.id, actor=OWNER, now=clock.now())
        scope.registry.execute(update(Nas).where(Nas.id == nas.id).values(first_packet_at=clock.now()))
    assert secret not in desk.get(f"/routers/{nas.id}/").get_data(as_text=True)
    assert secret in desk.submit(f"/routers/{nas.id}/").get_data(as_text=True)
    desk.get("/log/?family=nas")
    assert "Looked at a router's secret" in desk.text()


def test_changing_and_removing(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    fields = GOOD | {"name": "Renamed", "identifier": nas.identifier, "coa_port": "1700"}
    desk.submit(f"/routers/{nas.id}/edit", fields)
    assert "Renamed" in desk.text()
    assert router(desk).coa_port == 1700
    assert desk.submit(f"/routers/{nas.id}/remove", {"confirm": "wrong"}).status_code == 422
    desk.submit(f"/routers/{nas.id}/remove", {"confirm": nas.identifier})
    assert "No router yet." in desk.text()


def test_how_long_its_sessions_may_be_silent(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    assert "Silent sessions end after 20 min (as usual)" in desk.text()
    fields = GOOD | {"identifier": nas.identifier}
    for wrong in ("9", "0", "x", "10081"):
        answer = desk.submit(f"/routers/{nas.id}/edit", fields | {"stale_minutes": wrong})
        assert answer.status_code == 422
        assert 'id="f-stale_minutes-note"' in answer.get_data(as_text=True)
    desk.submit(f"/routers/{nas.id}/edit", fields | {"stale_minutes": "45"})
    assert "Silent sessions end after 45 min" in desk.text()
    assert router(desk).stale_seconds == 2700
    assert 'value="45"' in desk.get(f"/routers/{nas.id}/edit").get_data(as_text=True)
    desk.submit(f"/routers/{nas.id}/edit", fields | {"stale_minutes": ""})
    assert router(desk).stale_seconds is None


def test_two_routers_with_one_identifier_are_told_of(desk):
    desk.submit("/routers/new", GOOD)
    nas_id = router(desk).id

    def shown(**facts) -> list[bool]:
        with desk.scope() as scope:
            scope.registry.execute(update(Nas).where(Nas.id == nas_id).values(**facts))
        pages = [desk.get(path).get_data(as_text=True) for path in ("/routers/", f"/routers/{nas_id}/")]
        return ["from two places" in pages[0], "come from several addresses in turn" in pages[1]]

    now = clock.now()
    seen = {"last_packet_at": now, "first_packet_at": now, "last_source": "198.51.100.7:5"}
    assert shown(**seen, other_sources={"2001:db8::5": 2.0, "203.0.113.9": 3.0}) == [False, False]
    assert shown(returns=2, returned_at=now) == [False, False]
    assert shown(returns=3) == [True, True]
    assert "in turn: 198.51.100.7, 203.0.113.9, 2001:db8::5." in desk.text()
    assert shown(returned_at=now - timedelta(minutes=31)) == [False, False]


def test_what_speaks_for_two_routers_or_for_one_with_two_lines(desk):
    """One router that sends through two lines in turn was said to be two."""
    desk.submit("/routers/new", GOOD)
    nas_id, now = router(desk).id, clock.now()
    with desk.scope() as scope:
        facts = {"last_packet_at": now, "first_packet_at": now, "last_source": "198.51.100.7:5"}
        turns = {"other_sources": {"203.0.113.9": 3.0}, "returns": 3, "returned_at": now}
        scope.registry.execute(update(Nas).where(Nas.id == nas_id).values(**facts, **turns))
    pages = [(f"/routers/{nas_id}/", {}), (f"/routers/{nas_id}/", {"HX-Request": "true", "X-Broadloom-Poll": "1"})]

    def said() -> set[str]:
        return {
            f"{words} ({'live' if headers else 'page'})"
            for path, headers in pages
            for words in ("speaks for several routers", "speaks for one router")
            if words in desk.get(path, headers=headers).get_data(as_text=True)
        }

    assert said() == set()  # no session says anything
    with desk.scope() as scope:
        account_id = open_one(scope, "u1", sell(scope))
        go_online(scope, account_id, "s1", nas_id=nas_id, nas_address="10.0.0.1")
        go_online(scope, account_id, "s2", nas_id=nas_id, nas_address="10.0.0.1")
        go_online(scope, account_id, "s3", nas_id=nas_id, nas_address="10.0.0.2", at=now - timedelta(hours=1))
    assert said() == {"speaks for one router (page)", "speaks for one router (live)"}
    with desk.scope() as scope:
        go_online(scope, account_id, "s4", nas_id=nas_id, nas_address="10.0.0.2")
    assert said() == {"speaks for several routers (page)", "speaks for several routers (live)"}
    assert "(NAS-IP-Address): 10.0.0.1, 10.0.0.2." in desk.text()


def test_a_new_secret_starts_the_waiting_again(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    assert desk.submit(f"/routers/{nas.id}/secret", {"secret": "short"}).status_code == 422
    desk.submit(f"/routers/{nas.id}/secret", {"secret": "a-secret-of-mine"})
    assert "a-secret-of-mine" in desk.web.last.get_data(as_text=True)


def test_clearing_its_sessions(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    with desk.scope() as scope:
        account_id = open_one(scope, "u1", sell(scope))
        go_online(scope, account_id, nas_id=nas.id)
    desk.submit(f"/routers/{nas.id}/clear")
    assert "Cleared 1 session." in desk.text()
    assert "Nobody is online yet." in desk.text()
    desk.get("/online/history")
    assert "cleared by staff" in desk.text()


def test_two_routers_of_one_name_would_be_told_apart_by_nobody(desk):
    desk.submit("/routers/new", GOOD)
    again = desk.submit("/routers/new", GOOD)
    assert again.status_code == 422
    assert 'id="f-name-note"' in again.get_data(as_text=True)
    desk.submit("/routers/new", GOOD | {"name": "Longhua"})
    with desk.scope() as scope:
        second = scope.registry.scalars(
            select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.name == "Longhua")
        ).one()
    edited = desk.submit(f"/routers/{second.id}/edit", GOOD | {"identifier": second.identifier})
    assert edited.status_code == 422
    own = GOOD | {"name": "Longhua", "identifier": second.identifier, "remark": "roof"}
    assert desk.submit(f"/routers/{second.id}/edit", own).status_code == 200


def test_routers_are_found_by_state_and_make_and_sorted(desk):
    for name, make in (("Alpha", "huawei"), ("beta", "zte"), ("Gamma", "huawei")):
        desk.submit("/routers/new", GOOD | {"name": name, "vendor": make})
    with desk.scope() as scope:
        for name, hours in (("Alpha", 0), ("beta", 5)):
            found = (Nas.tenant_id == scope.tenant_id, Nas.name == name)
            heard = {"last_packet_at": clock.now() - timedelta(hours=hours)}
            scope.registry.execute(update(Nas).where(*found).values(**heard))

    def shown(query: str) -> list[str]:
        return re.findall(r'/routers/\d+/">(\w+)</a>', desk.get(f"/routers/?{query}").get_data(as_text=True))

    assert shown("") == ["Alpha", "beta", "Gamma"]
    assert shown("sort=-last") == ["Alpha", "beta", "Gamma"]
    assert shown("sort=last") == ["Gamma", "beta", "Alpha"]
    assert shown("state=silent") == ["beta"]
    assert shown("make=huawei&state=waiting") == ["Gamma"]
    assert shown("make=cisco") == []


def test_who_is_bound_to_a_router_is_told_before_it_goes(desk):
    desk.submit("/routers/new", GOOD)
    nas = router(desk)
    with desk.scope() as scope:
        account_id = open_one(scope, "alice", sell(scope), bind_nas_id=nas.id)
    assert "1 subscriber is bound to it" in desk.get(f"/routers/{nas.id}/remove").get_data(as_text=True)
    desk.submit(f"/routers/{nas.id}/remove", {"confirm": nas.identifier})
    edit = f"/accounts/{account_id}/edit"
    assert "Minzhi hAP (removed)" in desk.get(edit).get_data(as_text=True)
    desk.submit(edit, {"attribute": "ordinary", "bind_nas_id": ""})
    assert "Minzhi hAP" not in desk.get(edit).get_data(as_text=True)
