"""What only some logins meet: places for expiring and expired accounts, own dialects, and a device that dials again."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import Client, Processes, World, WorldTenant, wait_for
from tests.fixtures.tcp_relay import TcpRelay

ACCEPT, REJECT = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT
MakeClient = Callable[..., Client]
RATE, ADDRESS_LIST = 8, 19  # of Mikrotik


def accepted(router: Client, name: str) -> Packet:
    answer = router.log_in(name)
    assert answer is not None
    assert answer.code == ACCEPT
    return answer


def test_places_of_plans_and_routers(world: World, processes: Processes, client: MakeClient) -> None:
    tenant = world.tenant()
    options = {
        "expired": {"pool": "late", "up_bps": 1_000_000, "down_bps": 1_000_000},
        "expiring": {"address_list": "soon", "redirect_url": "http://pay.example/"},
        "expiring_days": 3,
    }
    _, identifier = world.nas(tenant, options=options)
    _, plain = world.nas(tenant, "plain")
    world.profile(tenant, 2, options={"expired": {"pool": "late-of-the-plan", "address_list": "walled"}})
    now = datetime.now(UTC)
    for name, profile, left in (("late", 1, -1), ("late2", 2, -1), ("soon", 1, 2), ("later", 1, 4)):
        world.subscriber(tenant, name, profile_id=profile, max_sessions=0, valid_until=now + timedelta(days=left))
    processes.start()
    router, other = client(identifier), client(plain)

    for _ in range(2):  # the second one from what was kept
        answer = accepted(router, "late")
        assert (answer.text(codes.FRAMED_POOL), answer.vendor(14988, RATE)) == ("late", b"1M/1M")
        answer = accepted(router, "late2")  # the plan's own place goes before the router's
        assert (answer.text(codes.FRAMED_POOL), answer.vendor(14988, ADDRESS_LIST)) == ("late-of-the-plan", b"walled")
        answer = accepted(router, "soon")
        assert (answer.text(codes.FRAMED_POOL), answer.vendor(14988, RATE)) == ("pool1", b"10M/50M")
        assert answer.vendor(14988, ADDRESS_LIST) == b"soon"
        assert answer.vendor(14122, 4) == b"http://pay.example/"
        assert accepted(router, "later").vendor(14988, ADDRESS_LIST) is None
        assert accepted(other, "late2").vendor(14988, ADDRESS_LIST) == b"walled"
        assert accepted(other, "soon").vendor(14988, ADDRESS_LIST) is None
    refused = other.log_in("late")
    assert refused is not None
    assert refused.code == REJECT


def test_a_plans_own_place_for_accounts_that_end_soon(world: World, processes: Processes, client: MakeClient) -> None:
    """It goes before the router's, with days of its own; and which logins were led to one is noted, no others."""
    tenant = world.tenant()
    options = {"expiring": {"address_list": "soon", "up_bps": 1_000_000, "down_bps": 1_000_000}, "expiring_days": 3}
    nas_id, identifier = world.nas(tenant, options=options)
    plain_id, plain = world.nas(tenant, "plain")
    own = {"expiring": {"pool": "soon-of-the-plan"}, "expiring_days": 7}
    world.profile(tenant, 2, options=own)
    world.profile(tenant, 3, options=own, windows=[{"days": 127, "starts": 0, "ends": 0, "profile_id": -9}])
    world.profile(tenant, -9, up_bps=7_000_000, down_bps=7_000_000, pool="")
    now = datetime.now(UTC)
    accounts = {
        name: world.subscriber(
            tenant, name, profile_id=profile, max_sessions=0, valid_until=now + timedelta(days=left), renews=renews
        )
        for name, profile, left, renews in (
            ("one", 1, 2, False), ("five", 1, 5, False), ("own2", 2, 2, False), ("own5", 2, 5, False),
            ("own9", 2, 9, False), ("pays", 2, 5, True), ("fast", 3, 5, False),
        )
    }  # fmt: skip
    processes.start()
    router, other = client(identifier), client(plain)

    def told(answer: Packet) -> tuple[str, bytes | None, bytes | None]:
        return answer.text(codes.FRAMED_POOL), answer.vendor(14988, ADDRESS_LIST), answer.vendor(14988, RATE)

    usual, led = ("pool1", None, b"10M/50M"), ("soon-of-the-plan", None, b"10M/50M")
    for _ in range(2):  # the second one from what was kept
        assert told(accepted(router, "one")) == ("pool1", b"soon", b"1M/1M")
        assert [told(accepted(router, name)) for name in ("five", "own9", "pays")] == [usual] * 3
        for place in (router, other):
            assert [told(accepted(place, name)) for name in ("own2", "own5")] == [led] * 2
            assert told(accepted(place, "fast")) == ("soon-of-the-plan", None, b"7M/7M")
        assert told(accepted(other, "one")) == usual

    noted = "SELECT DISTINCT account_id, nas_id, soon_seconds, left(mac, 1) FROM aaa.place_login WHERE tenant_id = %s"
    three, seven = 3 * 86_400, 7 * 86_400
    expected = [(accounts["one"], nas_id, three, "?")] + [
        (accounts[name], router_id, seven, "?") for name in ("own2", "own5", "fast") for router_id in (nas_id, plain_id)
    ]
    assert sorted(world.query(noted, tenant.id)) == sorted(expected)
    mac = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-22")
    assert router.log_in("one", extra=mac) is not None
    assert (accounts["one"], nas_id, three, "a") in world.query(noted, tenant.id)
    # Another plan's place counts from the next login on.
    world.run("UPDATE aaa.profile SET options = '{}' WHERE tenant_id = %s AND profile_id = 2", tenant.id)
    assert told(accepted(other, "own2")) == usual
    assert told(accepted(router, "own2")) == ("pool1", b"soon", b"1M/1M")


def write_dialect(world: World, tenant: WorldTenant, text: str) -> None:
    world.run(
        "INSERT INTO registry.dialects (tenant_id, key, text) VALUES (%s, 'own-olt', %s)"
        " ON CONFLICT (tenant_id, key) DO UPDATE SET text = EXCLUDED.text, version = registry.dialects.version + 1",
        tenant.id,
        text,
    )


def test_own_dialects_are_spoken_within_a_second(world: World, processes: Processes, client: MakeClient) -> None:
    tenant, neighbour = world.tenant(), world.tenant()
    write_dialect(world, tenant, "[accept]\nFilter-Id = up {up_text} down {down_text}\n")
    _, identifier = world.nas(tenant, vendor="own-olt")
    _, foreign = world.nas(neighbour, vendor="own-olt")  # what it names is not there: it gets the standard one
    for one in (tenant, neighbour):
        world.subscriber(one, "alice", max_sessions=0)
    processes.start()
    router = client(identifier)
    assert accepted(router, "alice").text(codes.FILTER_ID) == "up 10m down 50m"
    answer = accepted(client(foreign), "alice")
    assert codes.FILTER_ID not in answer.attributes
    assert answer.vendor(codes.VENDOR_WISPR, 7) == (10_000_000).to_bytes(4, "big")
    write_dialect(world, tenant, "rate-unit kbit/s\n[accept]\nFilter-Id = {up}\n")
    wait_for(lambda: accepted(router, "alice").text(codes.FILTER_ID) == "10000", limit(1))


def test_a_device_that_dials_again_is_let_in(world: World, processes: Processes, client: MakeClient) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    account = world.subscriber(tenant, "alice", max_sessions=1)
    processes.start()
    router = client(identifier)
    home = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-22")
    other = encode.text(codes.CALLING_STATION_ID, "aa:bb:cc:00:11:23")
    assert router.account(codes.ACCT_START, "s1", "alice", extra=home)
    [session] = world.sessions(tenant)

    stranger, redial = router.log_in("alice", extra=other), router.log_in("alice", extra=home)
    assert stranger is not None
    assert redial is not None
    assert (stranger.code, redial.code) == (REJECT, ACCEPT)
    asked = world.query(
        "SELECT payload ->> 'session_id', payload ->> 'reason', (payload ->> 'nas_id')::int FROM work.outbox"
        " WHERE tenant_id = %s AND topic = 'radius.disconnect' AND subject = %s",
        tenant.id,
        f"account:{account}",
    )
    assert asked == [("s1", "redialled", nas_id)]
    assert session["mac"] == "aa:bb:cc:00:11:22"
    # Another device is online, and an old session of this one is silent for long: the limit holds.
    assert router.account(codes.ACCT_START, "s2", "alice", extra=other)
    world.run(
        "UPDATE aaa.session SET updated_at = now() - interval '1 day' WHERE tenant_id = %s AND session_id = 's1'",
        tenant.id,
    )
    again = router.log_in("alice", extra=home)
    assert again is not None
    assert again.code == REJECT


def test_a_whole_routers_devices_that_dial_again_are_told_apart_from_strangers(
    world: World, processes: Processes, client: MakeClient
) -> None:
    """After a power failure: they come together, with their sessions still open in our books."""
    tenant, neighbour = world.tenant(), world.tenant()
    (_, identifier), (_, foreign) = world.nas(tenant), world.nas(neighbour)
    processes.start()
    router, elsewhere = client(identifier), client(foreign)
    names = [f"user{number:02}" for number in range(20)]
    macs = [f"aa:bb:cc:00:11:{number:02x}" for number in range(20)]
    for number, (name, mac) in enumerate(zip(names, macs, strict=True)):
        world.subscriber(tenant, name, max_sessions=1)
        assert router.account(codes.ACCT_START, f"s{number}", name, extra=encode.text(codes.CALLING_STATION_ID, mac))
    world.subscriber(neighbour, names[0], max_sessions=1)  # the same name and device, and a session of its own
    mine = encode.text(codes.CALLING_STATION_ID, macs[0])
    assert elsewhere.account(codes.ACCT_START, "s0", names[0], extra=mine)

    expected, asked = {}, []
    for number, (name, mac) in enumerate(zip(names, macs, strict=True)):
        other = number % 4 == 3  # somebody else's device
        caller = macs[number - 1] if other else mac
        request = router.access(name, extra=encode.text(codes.CALLING_STATION_ID, caller))
        expected[request[1]] = REJECT if other else ACCEPT
        asked += [request, request] if number % 2 else [request]  # some repeat at once
    for request in asked:
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    answers: dict[int, int] = {}
    while answers.keys() != expected.keys():
        code, number = router.socket.recv(4096)[:2]
        answers[number] = code
    assert answers == expected

    probed = (
        "SELECT tenant_id, payload ->> 'username' FROM work.outbox WHERE tenant_id IN (%s, %s)"
        " AND topic = 'radius.disconnect' AND payload ->> 'reason' = 'redialled' ORDER BY id"
    )
    redialled = [(tenant.id, name) for number, name in enumerate(names) if number % 4 != 3]
    told = wait_for(lambda: len(rows := world.query(probed, tenant.id, neighbour.id)) >= len(redialled) and rows)
    assert sorted(told) == redialled


def test_drop_the_oldest_drops_the_devices_own_session_first(
    world: World, processes: Processes, client: MakeClient
) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account = world.subscriber(tenant, "alice", max_sessions=2, drop_oldest=True)
    processes.start()
    router = client(identifier)
    for number, last in enumerate(("01", "02")):
        mac = encode.text(codes.CALLING_STATION_ID, f"AA-BB-CC-00-11-{last}")
        assert router.account(codes.ACCT_START, f"s{number}", "alice", extra=mac, delay=60 - number)
    again = router.log_in("alice", extra=encode.text(codes.CALLING_STATION_ID, "aa:bb:cc:00:11:02"))
    assert again is not None
    assert again.code == ACCEPT
    asked = "SELECT payload ->> 'session_id' FROM work.outbox WHERE tenant_id = %s AND subject = %s"
    assert world.query(asked, tenant.id, f"account:{account}") == [("s1",)]


@pytest.mark.parametrize("drop_oldest", [True, False])
def test_another_routers_session_of_the_same_identifier_is_ended_too(
    world: World, processes: Processes, client: MakeClient, drop_oldest: bool
) -> None:
    """Each router counts its sessions for itself; that the one's end was asked for says nothing of the other's."""
    tenant = world.tenant()
    (one, identifier), (two, other) = world.nas(tenant, "one"), world.nas(tenant, "two")
    account = world.subscriber(tenant, "alice", max_sessions=1, drop_oldest=drop_oldest)
    processes.start()
    mac = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-01")
    for router in (client(identifier), client(other)):
        assert router.account(codes.ACCT_START, "81800001", "alice", extra=mac)
    world.run(
        "INSERT INTO work.outbox (tenant_id, topic, subject, payload) SELECT %s, 'radius.disconnect', %s,"
        " jsonb_build_object('nas_id', %s::int, 'session_id', '81800001', 'username', 'alice', 'reason', 'kick')",
        tenant.id, f"account:{account}", one,
    )  # fmt: skip
    again = client(identifier).log_in("alice", extra=mac)
    assert again is not None
    assert again.code == ACCEPT
    asked = "SELECT (payload ->> 'nas_id')::int FROM work.outbox WHERE tenant_id = %s AND subject = %s ORDER BY id"
    assert world.query(asked, tenant.id, f"account:{account}") == [(one,), (two,)]


def test_drop_the_oldest_passes_over_sessions_that_no_longer_count(
    world: World, processes: Processes, client: MakeClient
) -> None:
    """Else the one that lives would stay, and be one too many."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account = world.subscriber(tenant, "alice", max_sessions=1, drop_oldest=True)
    processes.start()
    router = client(identifier)
    assert router.account(codes.ACCT_START, "silent", "alice", delay=5_000)  # longer than 4 x 300 s
    assert router.account(codes.ACCT_START, "alive", "alice", delay=60)
    again = router.log_in("alice")
    assert again is not None
    assert again.code == ACCEPT
    asked = "SELECT payload ->> 'session_id' FROM work.outbox WHERE tenant_id = %s AND subject = %s"
    assert world.query(asked, tenant.id, f"account:{account}") == [("alive",)]


def test_extra_attributes_say_the_last_word_but_on_how_long_a_session_lasts(
    world: World, processes: Processes, client
) -> None:
    """NET-3: a router's replace the plan's, the plan's replace the dialect's; an account's own address stays."""
    tenant = world.tenant()
    plan = "Mikrotik-Rate-Limit = 3M/3M\nSession-Timeout = 7200\nFramed-Pool = plan"
    router = "Framed-Pool = router\nFramed-IP-Address = 255.255.255.254\nSession-Timeout = 900000000"
    world.profile(tenant, options={"extra": plan})
    _, plain = world.nas(tenant, "plain")
    _, own = world.nas(tenant, "own", options={"extra": router})
    _, short = world.nas(tenant, "short", options={"extra": "Session-Timeout = 60"})
    world.subscriber(tenant, "alice", max_sessions=0)
    world.subscriber(tenant, "fixed", max_sessions=0, static_ip="10.9.8.7")
    world.subscriber(tenant, "ending", max_sessions=0, valid_until=datetime.now(UTC) + timedelta(seconds=50))
    processes.start()

    def ask(identifier: str, name: str) -> Packet:
        answer = client(identifier).log_in(name)
        assert answer is not None
        assert answer.code == codes.ACCESS_ACCEPT
        return answer

    at_plain, at_own = ask(plain, "alice"), ask(own, "alice")
    for answer in (at_plain, at_own):
        assert [value for vendor, _, value in answer.vendor_attributes() if vendor == 14988] == [b"3M/3M"]
        assert [int.from_bytes(value, "big") for value in answer.all(codes.SESSION_TIMEOUT)] == [7200]
    assert (at_plain.all(codes.FRAMED_POOL), at_own.all(codes.FRAMED_POOL)) == ([b"plan"], [b"router"])
    assert at_own.all(codes.FRAMED_IP_ADDRESS) == [bytes((255, 255, 255, 254))]
    assert ask(own, "fixed").all(codes.FRAMED_IP_ADDRESS) == [bytes((10, 9, 8, 7))]
    assert ask(short, "alice").number(codes.SESSION_TIMEOUT) == 60
    assert 0 < ask(short, "ending").number(codes.SESSION_TIMEOUT) <= 50


@pytest.mark.parametrize("dies", [False, True])
def test_a_login_that_is_led_there_while_the_database_is_away_is_noted_when_it_is_back(
    behind_relay: Settings, relay: TcpRelay, world: World, processes: Processes, dies: bool
) -> None:
    """Else whoever pays afterwards would be let out by nobody. Whichever process is there by then."""
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant, options={"expiring": {"address_list": "soon"}, "expiring_days": 3})
    until = datetime.now(UTC) + timedelta(days=2)
    account_id = world.subscriber(tenant, "alice", max_sessions=0, valid_until=until)
    world.subscriber(tenant, "bob", max_sessions=0)
    processes.settings = behind_relay
    process = processes.start()
    router = Client(behind_relay, identifier)
    for name in ("alice", "bob"):
        accepted(router, name)
    world.run("DELETE FROM aaa.place_login WHERE tenant_id = %s", tenant.id)
    relay.refuse()
    wait_for(lambda: "logins_from_memory" in processes.logs())
    mac = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-22")
    for name in ("alice", "bob"):
        for extra in (b"", mac):
            answer = router.log_in(name, extra=extra)
            assert answer is not None
            assert answer.vendor(14988, ADDRESS_LIST) == (b"soon" if name == "alice" else None)
    away = datetime.now(UTC)
    router.close()
    if dies:
        process.kill()
        process.wait()
    relay.cut(target=world.connection.info.port)
    if dies:
        processes.start()
    noted = "SELECT account_id, nas_id, left(mac, 5), at < %s FROM aaa.place_login WHERE tenant_id = %s ORDER BY mac"
    rows = wait_for(lambda: world.query(noted, away, tenant.id))
    assert rows == [(account_id, nas_id, f"?{away.timestamp():.0f}"[:5], True), (account_id, nas_id, "aa:bb", True)]


def test_two_devices_without_a_name_are_noted_by_their_ports(
    world: World, processes: Processes, client: MakeClient
) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant, options={"expiring": {"address_list": "soon"}, "expiring_days": 3})
    until = datetime.now(UTC) + timedelta(days=2)
    world.subscriber(tenant, "alice", max_sessions=0, valid_until=until)
    processes.start()
    for port in (b"eth 0/1:100", b"eth 0/1:200", b"eth 0/1:100"):
        answer = client(identifier).log_in("alice", extra=encode.octets(codes.NAS_PORT_ID, port))
        assert answer is not None
        assert answer.vendor(14988, ADDRESS_LIST) == b"soon"
    rows = world.query("SELECT mac FROM aaa.place_login WHERE tenant_id = %s ORDER BY 1", tenant.id)
    assert [mac for (mac,) in rows] == ["eth 0/1:100", "eth 0/1:200"]


def test_two_devices_without_a_name_or_a_port_are_noted_each_for_itself(
    world: World, processes: Processes, client: MakeClient
) -> None:
    """The second login would else take the first one's place: nobody would let its session out after paying."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant, options={"expiring": {"address_list": "soon"}, "expiring_days": 3})
    world.subscriber(tenant, "alice", max_sessions=0, valid_until=datetime.now(UTC) + timedelta(days=2))
    processes.start()
    noted = "SELECT extract(epoch FROM at)::int FROM aaa.place_login WHERE tenant_id = %s ORDER BY 1"
    accepted(client(identifier), "alice")
    [(first,)] = world.query(noted, tenant.id)
    wait_for(lambda: time.time() > first + 1)
    accepted(client(identifier), "alice")
    rows = world.query(noted, tenant.id)
    assert len(rows) == 2
    assert rows[0] == (first,)
