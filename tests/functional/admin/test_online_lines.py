"""Sessions are found by what an engineer knows of them: a prefix, an address of it, the line (RAD-5)."""

import re

import pytest

from infra import clock
from tenants.subscribers.models import Account
from tenants.subscribers.search_sql import may_be_line
from tests.fixtures.accounts import close_session, go_online

V6 = {"framed_ipv6_prefix": "2001:db8:1:2::/64", "delegated_ipv6_prefix": "2001:db8:100::/56"}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("2001:db8:1:2::/64", True),
        ("2001:DB8:1:2::7", True),  # an address of it: who was that?
        ("2001:db8:100:ff::1", True),
        ("2001:db8:1:2::abc", True),  # twelve digits, and no MAC
        ("2001:db8:100::/56", True),
        ("2001:db8:1", True),
        ("2001:db8:100:100::1", False),
        ("2001:db8:1:3::/64", False),
        ("2001:db8:2", False),
        ("02:00:00:00:00", True),  # the beginning of the device's
        ("::", False),
    ],
)
def test_sessions_without_ipv4_are_shown_and_found_by_their_prefixes(desk, online, query, found):
    with desk.scope() as scope:
        go_online(scope, online[0], "v6", nas_id=2, mac="02:00:00:00:00:66", **V6)
        close_session(scope, scope.session.get_one(Account, online[1]), "v6 before", clock.now(), **V6)
    desk.get("/online/?nas=2")
    assert "2001:db8:1:2::/64" in desk.text()
    page = desk.get("/online/", query_string={"q": query}).get_data(as_text=True)
    assert page.count('aria-label="Disconnect u') == found
    for path in ("/search", "/accounts/"):  # by an address or prefix, whole
        hit = desk.get(path, query_string={"q": query}, headers={"HX-Request": "true"}).get_data(as_text=True)
        whole = query not in ("2001:db8:1", "2001:db8:2", "02:00:00:00:00")
        assert (f"/accounts/{online[0]}" in hit) == (found and whole)
        assert ("Who was online with it" in hit) == (whole and path == "/search")
    partly = query in ("2001:db8:1", "02:00:00:00:00")  # past sessions are looked up by whole addresses
    past = desk.get("/online/history", query_string={"q": query}).get_data(as_text=True)
    assert ("2001:db8:1:2::/64</" in past) == (found and not partly)


CIRCUIT = "olt-7 xpon 0/1/0/3:100"


def test_lines_are_shown_and_found(desk, online):
    """An engineer asks who hangs on a port; a line that a router's reports leave out is the one that was bound."""
    with desk.scope() as scope:
        go_online(scope, online[0], "on a line", nas_id=2, nas_port_id=CIRCUIT, mac="02:00:00:00:00:66")
        go_online(scope, online[1], "numbered", nas_id=2, nas_port=4711)
        go_online(scope, online[2], "bound", nas_id=2)
        scope.session.get_one(Account, online[2]).bind_port = "slot=1;port=7"
        closed = {"nas_port_id": CIRCUIT, "mac": "02:00:00:00:00:67"}
        close_session(scope, scope.session.get_one(Account, online[1]), "on it before", clock.now(), **closed)
    shown = desk.get("/online/?nas=2&cols_set=1&cols=username&cols=port").get_data(as_text=True)
    for line in (CIRCUIT, "4711", "slot=1;port=7"):
        assert line in shown
    for query, hit in ((CIRCUIT, True), ("XPON 0/1/0/3", True), ("0/1/0/33", False)):
        page = desk.get("/online/", query_string={"q": query}).get_data(as_text=True)
        assert page.count('aria-label="Disconnect u') == hit
        found = desk.get("/search", query_string={"q": query}, headers={"HX-Request": "true"}).get_data(as_text=True)
        assert (f"/accounts/{online[0]}" in found) == hit
        assert "Who was online with it" in found
    past = desk.get("/online/history", query_string={"q": CIRCUIT}).get_data(as_text=True)
    assert "02:00:00:00:00:67" in past
    for account_id, line in zip(online, (CIRCUIT, "4711", "slot=1;port=7"), strict=True):
        own = desk.get(f"/accounts/{account_id}/sessions").get_data(as_text=True)
        assert own.count(line) >= 2  # in the head, which tells the newest, and in the list of all
    bound = re.search(r'href="[^"]*/admin(/online/session[^"]+)"', own)
    assert "Bound to the line" in desk.get(bound[1].replace("&amp;", "&")).get_data(as_text=True)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("1/2", True), ("xpon 0/1/0/3:100", True), ("slot=1;subslot=0", True), ("eth 0/1|2", True),
        ("10.64.0.9", False), ("10.64", False), ("02:00:00", False), ("0755-1234", False), ("2026-11-22", False),
        ("13802655019", False), ("2001:db8::1", False), ("u28403", False), ("陈建国", False), ("", False),
    ],
)  # fmt: skip
def test_what_may_name_a_line(text, line):
    assert may_be_line(text) is line
