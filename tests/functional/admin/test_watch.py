"""Staff watch packets while they come (RAD-7): whose they may see, what the pages say, and that nothing stays."""

import json
import os
import re
import subprocess
import sys
import threading
from dataclasses import replace

import pytest
from redis import Redis

from infra import clock
from infra.settings import Settings
from portals.shared.packet_words import Fate, fate, value_words
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.packet_watch import PacketWatch, name_key
from tenants.subscribers.find import find_account
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.fixtures.radius import Processes, wait_for
from tests.functional.admin.conftest import Desk

SECRET = "radius-secret"


@pytest.fixture
def nas_id(desk: Desk) -> int:
    with desk.scope() as scope:
        open_one(scope, "alice", sell(scope))
        command = AddNas("mikrotik", "Gate", f"{desk.tenant.nas_prefix}-gate", SECRET)
        return add_nas(scope, command, actor=OWNER, now=clock.now()).nas_id


def begin(desk: Desk, **fields: str) -> str:
    """Its token."""
    answer = desk.submit("/watch/new", {"router": "", "name": "", "minutes": "5", **fields})
    assert answer.status_code == 200, desk.text()
    return re.search(r"/watch/([\w-]+)/text", answer.get_data(as_text=True))[1]


def packet(**facts) -> dict:
    request = {"code": "Access-Request", "id": 7, "octets": 60, "attributes": [["User-Name", 0, "alice", 0, True]]}
    request["attributes"].append(["User-Password", 0, "", 16, True])
    answer = {"code": "Access-Reject", "id": 7, "octets": 30, "attributes": [["Reply-Message", 0, "Expired", 0, True]]}
    return {"at": 1_795_000_000.5, "router": None, "source": "10.0.0.1:1645", "request": request, "answer": answer,
            "reason": "expired", "ms": 1.25, "node": "radius gate:1"} | facts  # fmt: skip


def see(settings: Settings, desk: Desk, token: str, *packets: dict) -> None:
    """As a process of the cluster would tell it."""
    watch = PacketWatch(token, desk.tenant.id)
    with Redis.from_url(settings.redis_url) as redis:
        redis.rpush(watch.key("packets"), *(watch.seal(one) for one in packets))
        redis.sadd(watch.key("nodes"), "radius gate:1")


def test_from_a_real_packet_to_the_page(
    desk: Desk, nas_id: int, processes: Processes, client, settings: Settings
) -> None:
    processes.start()
    desk.get(f"/routers/{nas_id}/")
    assert "Watch packets" in desk.text()
    token = begin(desk, router=str(nas_id), name="ALICE")
    assert "Waiting for the first packet" in desk.text()
    fragment = {"headers": {"HX-Request": "true"}}

    def page(after: int = 0) -> str:
        return desk.get(f"/watch/{token}?after={after}", **fragment).get_data(as_text=True)

    wait_for(lambda: "1 process of the cluster watches" in page())
    router = client(f"{desk.tenant.nas_prefix}-gate")
    assert router.log_in("alice", "not his password") is not None
    assert router.log_in("bob", "nor this") is not None
    wait_for(lambda: "Wrong password" in page())
    text = desk.text()
    assert "User-Name alice" in text
    assert "User-Password hidden (16 octets)" in text
    assert "Reply-Message" in text
    assert "bob" not in text
    assert "after=1" in page()
    assert "Access-Request" not in page(after=1)
    download = desk.get(f"/watch/{token}/text")
    assert download.mimetype == "text/plain"
    assert "Access-Reject" in download.get_data(as_text=True)
    assert "The password was wrong." in download.get_data(as_text=True)
    desk.submit(f"/watch/{token}", to=f"/watch/{token}/end")
    assert "Begin to watch" in desk.text()
    assert desk.get(f"/watch/{token}").status_code == 404
    with Redis.from_url(settings.redis_url) as redis:
        assert not list(redis.keys(f"broadloom:t:{desk.tenant.id}:watch:*"))
    desk.get("/log/")
    assert "Watched packets" in desk.text()


def test_whose_packets_has_to_be_said(desk: Desk, nas_id: int) -> None:
    assert desk.submit("/watch/new", {"router": "", "name": "", "minutes": "5"}).status_code == 422
    assert "Say whose packets" in desk.text()
    assert desk.submit("/watch/new", {"router": "999999", "name": "", "minutes": "99"}).status_code == 422
    assert desk.text().count("Choose one of these.") >= 2
    begin(desk, name="nobody at all")
    desk.get("/watch/new?account=1")
    assert 'value="alice"' in desk.get(f"/watch/new?account={account_of(desk)}").get_data(as_text=True)


def account_of(desk: Desk) -> int:
    with desk.scope() as scope:
        return find_account(scope, "alice").id


def test_who_sees_some_subscribers_watches_those_only(desk: Desk, nas_id: int, web) -> None:
    desk.hire("eve", "packets.watch", "accounts.view", own_accounts_only=True)
    eve = Desk(type(web)(web.client.application), desk.tenant, desk.database).sign_in("eve")
    asked = {"router": str(nas_id), "name": "", "minutes": "5"}
    assert eve.submit("/watch/new", asked).status_code == 422
    assert "type the login name of one of them" in eve.text()
    for name in ("alice", "ALICE "):
        assert eve.submit("/watch/new", asked | {"name": name}).status_code == 422
    begin(eve, name="nobody has this name")


def test_it_is_a_right_of_its_own_and_ones_own_watch(desk: Desk, nas_id: int, web) -> None:
    token = begin(desk, router=str(nas_id))
    desk.hire("eve", "accounts.view", "nas.view")
    desk.hire("ted", "packets.watch")
    eve, ted = (
        Desk(type(web)(web.client.application), desk.tenant, desk.database).sign_in(name) for name in ("eve", "ted")
    )
    assert eve.get("/watch/new").status_code == 403
    eve.get(f"/routers/{nas_id}/")
    assert "Watch packets" not in eve.text()
    assert ted.get("/watch/new").status_code == 200
    for part in ("", "/text"):
        assert ted.get(f"/watch/{token}{part}").status_code == 404
    assert desk.get(f"/watch/{token}").status_code == 200


def test_a_watch_of_one_provider_is_none_of_another(desk: Desk, nas_id: int, make_tenant, web, database) -> None:
    token = begin(desk, router=str(nas_id))
    other = Desk(type(web)(web.client.application), make_tenant(), database).sign_in()
    for part in ("", "/text"):
        assert other.get(f"/watch/{token}{part}").status_code == 404


def test_what_is_shown_when_it_is_over_full_or_cut(desk: Desk, nas_id: int, settings: Settings) -> None:
    token = begin(desk, router=str(nas_id))
    see(settings, desk, token, *[packet()] * 500)
    with Redis.from_url(settings.redis_url) as redis:
        redis.incrby(PacketWatch(token, desk.tenant.id).key("left_out"), 1234)
    desk.get(f"/watch/{token}")
    assert "500 packets were seen; no more are kept." in desk.text()
    assert "1234 left out" in desk.text()
    assert "every 20s" in desk.web.last.get_data(as_text=True)
    gone = desk.get("/watch/never-there", headers={"HX-Request": "true"})
    assert gone.status_code == 200
    assert "This watch is over" in gone.get_data(as_text=True)


def test_without_redis_the_page_says_so(desk: Desk, nas_id: int) -> None:
    token = begin(desk, router=str(nas_id))
    installation = desk.web.client.application.extensions["broadloom"]
    installation.settings = replace(installation.settings, redis_url="redis://127.0.0.1:1/0")
    assert desk.submit("/watch/new", {"router": str(nas_id), "name": "", "minutes": "5"}).status_code == 422
    assert "Packets cannot be watched just now" in desk.text()
    page = desk.get(f"/watch/{token}")
    assert page.status_code == 200
    assert "Logins go on as ever" in desk.text()
    assert "every 2s" in page.get_data(as_text=True)


@pytest.mark.parametrize(
    ("facts", "tone", "word"),
    [
        ({}, "expired", "Refused: Expired"),
        ({"answer": None, "reason": "wrong_secret"}, "expired", "No answer: Wrong secret"),
        ({"answer": None, "reason": "overload"}, "expired", "No answer: Too many at once"),
        ({"reason": "duplicate"}, "disabled", "Repeat"),
        ({"answer": {"code": "Access-Accept", "attributes": []}}, "expiring", "Let in, but not as usual"),
        ({"answer": {"code": "Access-Accept", "attributes": []}, "reason": ""}, "normal", "Let in"),
        (
            {"answer": {"code": "Accounting-Response", "attributes": []}, "reason": "spooled"},
            "expiring",
            "Kept on disk",
        ),
        ({"answer": {"code": "CoA-NAK", "attributes": []}, "reason": ""}, "expired", "The router refused"),
        ({"answer": None, "reason": "unanswered"}, "expired", "No answer"),
    ],
)
def test_what_became_of_a_packet(facts: dict, tone: str, word: str) -> None:
    told: Fate = fate(packet(**facts))
    assert (told.tone, told.word) == (tone, word)


def test_of_a_secret_only_its_length() -> None:
    assert value_words(["User-Password", 0, "", 15, False]) == "hidden (15 octets, a wrong length)"
    assert value_words(["Cisco-AVPair", 0, "password=", 6, True]) == "password= hidden (6 octets)"
    assert name_key("AA-BB-CC-DD-EE-FF") == "aa:bb:cc:dd:ee:ff"


def test_at_the_command_line(cli, settings: Settings, processes: Processes, client) -> None:
    words = ("--tenant", "acme")
    facts = ("--name", "Acme", "--email", "a@acme.example", "--password", "long-enough-7391")
    cli("tenant", "create", "--slug", "acme", *facts)
    cli("nas", "add", *words, "--vendor", "huawei", "--identifier", "acme-gate", "--secret", SECRET)
    assert cli.refused("radius", "watch", *words)["code"] == "nothing_to_watch"
    assert cli.refused("radius", "watch", *words, "--nas", "nobody")["code"] == "nas_not_found"
    processes.settings = replace(settings, database_url=os.environ["BROADLOOM_DATABASE_URL"])
    processes.start()
    for json_wanted in ((), ("--json",)):
        command = [sys.executable, "-m", "portals.cli", "radius", "watch", *words, "--nas", "acme-gate", *json_wanted]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert watching.stderr is not None
            assert watching.stderr.readline().startswith("Watching until")
            router = client("acme-gate")
            told = ask_until(lambda router=router: router.log_in("nobody"), watching.stdout)
            if json_wanted:
                packet_told = json.loads(told)
                assert packet_told["answer"]["code"] == "Access-Reject"
                assert (packet_told["router"], packet_told["outcome"]) == ("acme-gate", "Refused: No such user")
            else:
                assert "Access-Request" in told
                assert "acme-gate" in told
            watching.terminate()  # SIGINT is ignored where the tests run in the background of a shell
            rest, said = watching.stdout.read(), watching.stderr.read()
            assert watching.wait(60) == 0, said
            assert json_wanted or "User-Password = hidden (16 octets)" in rest
            assert "Packets: " in said


def ask_until(ask, out) -> str:
    """Ask again and again until a line comes: the first ones may be there before the processes have heard."""
    lines: list[str] = []
    reader = threading.Thread(target=lambda: lines.append(out.readline()), daemon=True)
    reader.start()
    wait_for(lambda: ask() is not None and bool(lines), 60)
    return lines[0]
