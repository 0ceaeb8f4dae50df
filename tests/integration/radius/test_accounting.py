"""Accounting over real sockets: whatever the order of arrival, one correct row (RAD-4; radius.md, "Accounting")."""

import random
from datetime import timedelta

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_OFF, ACCT_ON, ACCT_START, ACCT_STOP
from radius_cluster.wire.mac_address import normalise_mac
from tests.fixtures.radius import Client, Processes, World, WorldTenant

GIGA = 1_000_000_000


@pytest.fixture
def isp(world: World, processes: Processes, client) -> tuple[WorldTenant, Client]:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    return tenant, client(identifier)


def test_start_interim_stop(world: World, isp) -> None:
    tenant, router = isp
    details = (
        encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-07")
        + encode.text(codes.CALLED_STATION_ID, "pppoe1")
        + encode.number(codes.NAS_PORT, 4_000_000_007)
        + encode.text(codes.NAS_PORT_ID, "ether2.100")
        + encode.octets(codes.FRAMED_IP_ADDRESS, bytes((100, 64, 0, 9)))
        + encode.octets(codes.NAS_IP_ADDRESS, bytes((10, 0, 0, 1)))
        + encode.octets(codes.DELEGATED_IPV6_PREFIX, bytes.fromhex("0038 20010db800ab"))
    )
    assert router.account(ACCT_START, "s1", "alice", extra=details)
    [session] = world.sessions(tenant)
    assert session["mac"] == "02:00:00:00:00:07"
    assert str(session["framed_ip"]) == "100.64.0.9"
    assert session["nas_port"] == 4_000_000_007
    assert session["nas_port_id"] == "ether2.100"
    assert session["delegated_ipv6_prefix"] == "2001:db8:ab::/56"
    # 5 GB in one session: more than 32 bits
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=300, octets_in=GIGA, octets_out=5 * GIGA)
    [session] = world.sessions(tenant)
    assert (session["octets_in"], session["octets_out"], session["seconds"]) == (GIGA, 5 * GIGA, 300)
    idle = encode.number(codes.ACCT_TERMINATE_CAUSE, 4)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=420, octets_in=2 * GIGA, octets_out=9 * GIGA, extra=idle)
    assert world.sessions(tenant) == []
    [closed] = world.history(tenant)
    assert (closed["octets_in"], closed["octets_out"], closed["seconds"]) == (2 * GIGA, 9 * GIGA, 420)
    assert (closed["mac"], closed["called"], closed["cause"]) == ("02:00:00:00:00:07", "pppoe1", 4)
    assert str(closed["nas_address"]) == "10.0.0.1"
    assert world.usage(tenant) == (2 * GIGA, 9 * GIGA, 420)


def test_a_line_that_only_option_82_names_is_the_port(world: World, isp) -> None:
    """SUB-8: who is on which line of which access node was nowhere to be seen."""
    tenant, router = isp
    circuit = encode.vendor(3561, 1, b"olt-7 xpon 0/1/0/3:100")
    assert router.account(ACCT_START, "s1", "alice", extra=circuit)
    assert router.account(ACCT_START, "s2", "alice", extra=circuit + encode.text(codes.NAS_PORT_ID, "ether2.100"))
    ports = {session["session_id"]: session["nas_port_id"] for session in world.sessions(tenant)}
    assert ports == {"s1": "olt-7 xpon 0/1/0/3:100", "s2": "ether2.100"}
    assert router.account(ACCT_STOP, "s3", "alice", seconds=9, extra=circuit)  # its Start was lost
    assert [closed["nas_port_id"] for closed in world.history(tenant)] == ["olt-7 xpon 0/1/0/3:100"]


def test_an_outer_name_is_accounted_to_the_account_of_its_class(world: World, isp) -> None:
    """RAD-2: some makes account EAP sessions under the outer name; the Class of the Accept says whose they are."""
    tenant, router = isp
    answer = router.log_in("alice")
    assert answer is not None
    label = encode.octets(codes.CLASS, answer.value(codes.CLASS))
    [(alice,)] = world.query("SELECT account_id FROM aaa.subscriber WHERE tenant_id = %s", tenant.id)
    strange = encode.octets(codes.CLASS, b"%05d.%08d" % (tenant.id + 1, alice))  # another tenant's
    assert router.account(ACCT_START, "s1", "anonymous@isp", extra=encode.octets(codes.CLASS, b"other") + label)
    assert router.account(ACCT_START, "s2", "anonymous@isp", extra=strange)
    assert [row["account_id"] for row in world.sessions(tenant)] == [alice, 0]
    for session in ("s1", "s2"):
        assert router.account(ACCT_INTERIM, session, "anonymous@isp", seconds=60, octets_in=7, octets_out=8)
        assert router.account(ACCT_STOP, session, "anonymous@isp", seconds=90, octets_in=9, octets_out=9)
    assert world.usage(tenant) == (9, 9, 90)


def test_repeats_count_once(world: World, isp) -> None:
    tenant, router = isp
    for kind, seconds, octets in ((ACCT_START, 0, 0), (ACCT_INTERIM, 60, 100), (ACCT_STOP, 90, 150)):
        request = router.accounting(kind, "s1", "alice", seconds=seconds, octets_in=octets, octets_out=octets)
        assert router.ask(request) is not None
        assert router.ask(request) is not None  # the very same bytes: the duplicate cache
        later = router.accounting(kind, "s1", "alice", seconds=seconds, octets_in=octets, octets_out=octets, delay=1)
        assert router.ask(later) is not None  # sent again as a new packet
    assert world.sessions(tenant) == []
    [closed] = world.history(tenant)
    assert closed["octets_in"] == 150
    assert world.usage(tenant) == (150, 150, 90)


def test_any_order_of_arrival_ends_in_the_same_row(world: World, isp) -> None:
    tenant, router = isp
    story = [(ACCT_START, 0, 0), (ACCT_INTERIM, 60, 100), (ACCT_INTERIM, 120, 250), (ACCT_STOP, 150, 300)]
    chance = random.Random(7)
    for number in range(24):
        world.subscriber(tenant, f"u{number}")
        shuffled = story * 2
        chance.shuffle(shuffled)
        for kind, seconds, octets in shuffled:  # each with the time at which it happened
            assert router.account(
                kind,
                f"s{number}",
                f"u{number}",
                seconds=seconds,
                octets_in=octets,
                octets_out=octets,
                delay=160 - seconds,
            )
    assert world.sessions(tenant) == []
    closed = world.history(tenant)
    assert len(closed) == 24
    assert {(row["octets_in"], row["seconds"]) for row in closed} == {(300, 150)}
    assert world.usage(tenant) == (300 * 24, 300 * 24, 150 * 24)


def test_stop_without_start_is_kept(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_STOP, "s1", "alice", seconds=100, octets_in=10, octets_out=20)
    [closed] = world.history(tenant)
    assert closed["ended_at"] - closed["started_at"] == timedelta(seconds=100)
    assert world.usage(tenant) == (10, 20, 100)


def test_a_stop_that_is_sent_again_much_later_counts_once(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=63)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=3, octets_in=10, octets_out=20, delay=60)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=3, octets_in=10, octets_out=20)  # without Acct-Delay-Time
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=2, octets_in=5, octets_out=5, delay=5)
    assert len(world.history(tenant)) == 1
    assert world.sessions(tenant) == []
    assert world.usage(tenant) == (10, 20, 3)


def test_interim_without_start_opens_the_session(world: World, isp) -> None:
    tenant, router = isp
    mac = encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-07")
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=100, octets_in=10, octets_out=20, extra=mac)
    [session] = world.sessions(tenant)
    assert session["mac"] == "02:00:00:00:00:07"  # the quick path leaves details out, the exact one has them
    assert world.usage(tenant) == (10, 20, 100)


def test_interim_after_close_reopens(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=105)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=100, octets_in=10, octets_out=20, delay=5)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=90, octets_in=9, octets_out=18)  # old news
    assert world.sessions(tenant) == []
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=200, octets_in=30, octets_out=40)
    [session] = world.sessions(tenant)
    assert world.history(tenant) == []
    assert (session["octets_in"], session["octets_out"], session["seconds"]) == (30, 40, 200)
    assert world.usage(tenant) == (30, 40, 200)


def test_counters_never_go_back_and_a_restart_goes_on_from_the_sum(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=1000)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=300, octets_in=500, octets_out=700, delay=700)
    # an older report that arrives later changes nothing
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=200, octets_in=300, octets_out=400, delay=800)
    [session] = world.sessions(tenant)
    assert (session["octets_in"], session["octets_out"], session["seconds"]) == (500, 700, 300)
    # the router counts from 0 again while the session goes on
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=600, octets_in=50, octets_out=60, delay=400)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=900, octets_in=90, octets_out=80, delay=100)
    [session] = world.sessions(tenant)
    assert (session["octets_in"], session["octets_out"], session["seconds"]) == (590, 780, 900)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=950, octets_in=100, octets_out=100, delay=50)
    assert world.usage(tenant) == (600, 800, 950)


CLOSE_AS_STALE = "SELECT aaa.close_session(s, s.updated_at, 100::smallint) FROM aaa.session s WHERE s.tenant_id = %s"


def test_a_session_whose_counters_restarted_goes_on_from_the_sum_also_after_we_closed_it(world: World, isp) -> None:
    tenant, router = isp
    for session in ("s1", "s2"):
        assert router.account(ACCT_START, session, "alice", delay=1000)
        assert router.account(ACCT_INTERIM, session, "alice", seconds=300, octets_in=500, octets_out=700, delay=700)
        # everything from 0 again, within the same session
        assert router.account(ACCT_INTERIM, session, "alice", seconds=100, octets_in=50, octets_out=60, delay=500)
    world.query(CLOSE_AS_STALE, tenant.id)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=250, octets_in=90, octets_out=80, delay=350)
    [session] = world.sessions(tenant)  # re-opened, though this is less than it had in all
    assert (session["octets_in"], session["octets_out"], session["seconds"]) == (590, 780, 550)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=550, octets_in=100, octets_out=100, delay=50)
    assert router.account(ACCT_STOP, "s2", "alice", seconds=550, octets_in=100, octets_out=100, delay=50)
    assert router.account(ACCT_STOP, "s2", "alice", seconds=550, octets_in=100, octets_out=100, delay=48)  # a repeat
    closed = world.history(tenant)
    assert {(row["octets_in"], row["octets_out"], row["seconds"]) for row in closed} == {(600, 800, 850)}
    assert [row["cause"] for row in closed] == [0, 0]
    assert world.usage(tenant) == (1200, 1600, 1700)


def test_a_report_from_before_the_end_that_comes_after_it_still_counts(world: World, isp) -> None:
    """An Accounting-On closed the session with what we had heard; more had been reported, and was late."""
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=600)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=100, octets_in=10, octets_out=20, delay=500)
    assert router.account(ACCT_ON, "", "", delay=100)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=400, octets_in=40, octets_out=80, delay=200)
    assert world.sessions(tenant) == []
    [closed] = world.history(tenant)
    assert (closed["octets_in"], closed["octets_out"], closed["seconds"], closed["cause"]) == (40, 80, 400, 101)
    assert world.usage(tenant) == (40, 80, 400)


def test_what_was_out_of_the_ordinary_is_noted_and_reports_are_counted(world: World, isp) -> None:
    """For the session's page (RAD-5); a session in good order leaves no note."""
    tenant, router = isp
    assert router.account(ACCT_START, "good", "alice", delay=600)
    assert router.account(ACCT_INTERIM, "good", "alice", seconds=300, octets_in=300, octets_out=3_000, delay=300)
    assert router.account(ACCT_INTERIM, "good", "alice", seconds=600, octets_in=900, octets_out=9_000)
    [session] = world.sessions(tenant)
    # (900 - 300) * 8 / 300 s = 16 bit/s, (9,000 - 3,000) * 8 / 300 s = 160 bit/s
    assert (session["reports"], session["up_bps"], session["down_bps"]) == (2, 16, 160)
    assert router.account(ACCT_STOP, "good", "alice", seconds=600, octets_in=900, octets_out=9_000)
    assert world.query("SELECT 1 FROM aaa.session_note WHERE tenant_id = %s", tenant.id) == []

    def report(kind: int, seconds: int, octets: int, delay: int) -> None:
        assert router.account(kind, "odd", "alice", seconds=seconds, octets_in=octets, octets_out=octets, delay=delay)

    report(ACCT_INTERIM, 100, 10, 900)  # its Start was lost …
    report(ACCT_START, 0, 0, 1000)  # … or late
    report(ACCT_START, 0, 0, 998)
    report(ACCT_INTERIM, 300, 50, 700)
    report(ACCT_INTERIM, 200, 30, 800)
    report(ACCT_INTERIM, 400, 5, 600)  # 5 < 50: from 0 again
    report(ACCT_STOP, 500, 6, 500)
    report(ACCT_INTERIM, 600, 7, 400)  # it lives
    world.query(CLOSE_AS_STALE, tenant.id)
    report(ACCT_STOP, 700, 8, 300)
    report(ACCT_STOP, 700, 8, 290)
    notes = "SELECT kind, times, octets_in FROM aaa.session_note WHERE tenant_id = %s AND session_id = 'odd' ORDER BY 1"
    assert world.query(notes, tenant.id) == [
        ("reopened", 1, 7), ("report_late", 1, 30), ("restarted", 1, 50), ("start_late", 2, 0),
        ("start_missing", 1, 10), ("stop_again", 1, 8), ("stop_late", 1, 8),
    ]  # fmt: skip
    [closed] = [row for row in world.history(tenant) if row["session_id"] == "odd"]
    assert (closed["octets_in"], closed["seconds"], closed["reports"]) == (58, 700, 5)


def test_a_report_that_the_next_one_overtook_is_noted_also_without_a_delay(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=600)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=600, octets_in=60, octets_out=600)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=300, octets_in=30, octets_out=300)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=600, octets_in=60, octets_out=600)  # sent again
    [session] = world.sessions(tenant)
    assert (session["seconds"], session["octets_in"], session["octets_out"]) == (600, 60, 600)
    notes = "SELECT kind, times, seconds, octets_in FROM aaa.session_note WHERE tenant_id = %s"
    assert world.query(notes, tenant.id) == [("report_late", 1, 300, 30)]
    assert world.usage(tenant) == (60, 600, 600)


def test_sessions_of_a_device_are_its_accounts_however_the_router_writes_its_mac(world: World, isp) -> None:
    tenant, router = isp
    account_id = world.subscriber(tenant, "02:00:0a:aa:bb:cc")
    ways = ["02-00-0A-AA-BB-CC", "0200.0aaa.bbcc", "02000AAABBCC", "2:0:a:aa:bb:cc", "02000a-aabbcc"]
    ways.append("02:00:0A:AA:BB:CC:x")  # with something appended
    for number, name in enumerate(ways):
        assert normalise_mac(name) == "02:00:0a:aa:bb:cc"
        assert router.account(ACCT_START, f"s{number}", name)
    assert router.account(ACCT_INTERIM, "no start", ways[0], seconds=60, octets_in=7, octets_out=8)
    for stranger in ("02-00-0A-AA-BB-CD", "02000AAABBCC0", "02:00:0a:aa:bb", ""):
        assert router.account(ACCT_START, f"stranger {stranger}", stranger or "x")
    owners = {row["session_id"]: row["account_id"] for row in world.sessions(tenant)}
    assert [name for name, owner in owners.items() if owner == 0 and not name.startswith("stranger")] == []
    assert {owner for name, owner in owners.items() if name.startswith("stranger")} == {0}
    assert set(owners.values()) == {0, account_id}
    assert world.usage(tenant) == (7, 8, 60)


def test_identifier_used_again_after_a_reboot(world: World, isp) -> None:
    tenant, router = isp
    assert router.account(ACCT_START, "80000001", "alice", delay=3600)
    assert router.account(ACCT_INTERIM, "80000001", "alice", seconds=300, octets_in=500, octets_out=700, delay=3300)
    assert router.account(ACCT_START, "80000001", "alice")
    [session] = world.sessions(tenant)
    [closed] = world.history(tenant)
    assert session["octets_in"] == 0
    assert (closed["octets_in"], closed["cause"]) == (500, 102)
    assert router.account(ACCT_STOP, "80000001", "alice", seconds=5, octets_in=5, octets_out=5)
    assert world.usage(tenant) == (505, 705, 305)


def test_a_stop_that_is_sent_again_ends_no_session_that_began_since_with_its_identifier(world: World, isp) -> None:
    """Some makes give a device the same identifier every time, and it dials again within seconds."""
    tenant, router = isp
    assert router.account(ACCT_START, "s1", "alice", delay=100)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=60, octets_in=500, octets_out=700, delay=40)
    assert router.account(ACCT_START, "s1", "alice", delay=35)
    assert router.account(ACCT_STOP, "s1", "alice", seconds=60, octets_in=500, octets_out=700, delay=40)
    [session] = world.sessions(tenant)
    assert (session["octets_in"], session["seconds"]) == (0, 0)
    assert world.usage(tenant) == (500, 700, 60)  # once
    # its own Stop ends it, also where our clock was set back by some seconds meanwhile
    assert router.account(ACCT_STOP, "s1", "alice", seconds=1, octets_in=2, octets_out=3, delay=38)
    assert world.sessions(tenant) == []
    assert world.usage(tenant) == (502, 703, 61)


@pytest.mark.parametrize("kind", [ACCT_ON, ACCT_OFF])
def test_on_and_off_close_all_sessions_of_the_nas(world: World, isp, client, kind: int) -> None:
    tenant, router = isp
    _, other = world.nas(tenant, "nas2")
    neighbour = client(other)
    for number in range(5):
        assert router.account(ACCT_START, f"s{number}", f"u{number}", delay=60)
    assert router.account(ACCT_INTERIM, "s1", "u1", seconds=30, octets_in=10, octets_out=20, delay=30)
    deadline = 0
    while not neighbour.account(ACCT_START, "s1", "u1") and deadline < 5:
        deadline += 1
    assert router.account(kind, "", "")
    assert [session["nas_id"] for session in world.sessions(tenant)] != []
    assert len(world.sessions(tenant)) == 1
    assert len(world.history(tenant)) == 5
    assert {row["cause"] for row in world.history(tenant)} == {101}
    # the router was not down after all: its session goes on in the same row
    assert router.account(ACCT_INTERIM, "s1", "u1", seconds=61, octets_in=15, octets_out=25)
    assert len(world.sessions(tenant)) == 2


def test_days_are_the_tenants(world: World, processes: Processes, client) -> None:
    tenant = world.tenant(timezone="Pacific/Kiritimati")  # UTC+14
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    assert client(identifier).account(ACCT_STOP, "s1", "alice", seconds=1, octets_in=1, octets_out=1)
    [(day, local)] = world.query(
        "SELECT day, (now() AT TIME ZONE 'Pacific/Kiritimati')::date FROM aaa.usage WHERE tenant_id = %s", tenant.id
    )
    assert day == local


def test_inverted_nas(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant, invert_directions=True)
    world.subscriber(tenant, "alice")
    processes.start()
    assert client(identifier).account(ACCT_STOP, "s1", "alice", seconds=1, octets_in=1, octets_out=2)
    assert world.usage(tenant) == (2, 1, 1)


def test_odd_values_are_no_obstacle(world: World, isp) -> None:
    tenant, router = isp
    huge = encode.number(codes.ACCT_INPUT_GIGAWORDS, 0xFFFFFFFF)
    assert router.account(
        ACCT_STOP, "a\0b", "al\udcff".encode("utf-8", "replace").decode() + "\0", seconds=1, extra=huge
    )
    assert router.account(ACCT_STOP, "x" * 253, "y" * 253, seconds=0xFFFFFFFF)
    assert router.account(ACCT_INTERIM, "s9", "alice", seconds=3, octets_in=5, octets_out=5, delay=0xFFFFFFFF)
    assert len(world.history(tenant)) == 2
    assert not router.ask(router.accounting(ACCT_START, "", "alice"), timeout=0.3)  # no Acct-Session-Id
    assert router.account(15, "s1", "alice")  # Failed: nothing of ours, but acknowledged


@pytest.mark.parametrize("cut", [True, False])
def test_quota_is_counted_and_its_end_reaches_the_router_at_once(world: World, isp, cut: bool) -> None:
    tenant, router = isp
    world.set(tenant, "alice", quota_kind=1, quota_octets=1000, pack_octets=100, quota_cut=cut, throttle_profile_id=-5)
    assert router.account(ACCT_START, "s1", "alice")
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=60, octets_in=500, octets_out=400)
    asked = "SELECT topic FROM work.outbox WHERE tenant_id = %s AND topic LIKE 'radius.%%'"
    warned = "SELECT payload FROM work.outbox WHERE tenant_id = %s AND topic = 'account.quota' ORDER BY id"
    assert world.query(asked, tenant.id) == []
    [(payload,)] = world.query(warned, tenant.id)  # 900 of 1,100 are more than 80 %
    assert payload.pop("account_id") > 0
    assert payload == {"percent": 80, "epoch": 0, "window_on": "1970-01-01"}
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=90, octets_in=600, octets_out=500)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=120, octets_in=700, octets_out=500)  # says it once
    assert world.query(asked, tenant.id) == [("radius.disconnect",) if cut else ("radius.coa",)]
    assert [row[0]["percent"] for row in world.query(warned, tenant.id)] == [80, 100]  # each once
    assert router.account(ACCT_STOP, "s1", "alice", seconds=130, octets_in=700, octets_out=550)
    assert world.query("SELECT octets, seconds FROM aaa.quota_use WHERE tenant_id = %s", tenant.id) == [(1250, 130)]
    answer = router.log_in("alice")
    assert answer.code == (codes.ACCESS_REJECT if cut else codes.ACCESS_ACCEPT)
