"""Reports that come late, and whose they are: never another session's, however alike their names are (RAD-4)."""

import time
from typing import Any

import pytest

from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.accounting import store, store_each
from tests.fixtures.radius import World, WorldTenant

NOW = float(int(time.time())) - 5_000
MAC, OTHER_MAC = "02:00:00:00:00:07", "02:00:00:00:00:08"
DETAILS = (MAC, "pppoe1", 7, "ether2", 167772161, "2001:db8:1::/64", "2001:db8:ab::/56")
OTHER_DETAILS = (OTHER_MAC, "pppoe2", 8, "ether3", 167772162, "2001:db8:2::/64", "2001:db8:cd::/56")
NO_DETAILS = (None,) * 7


class Router:
    """One session's reports as they reach the functions."""

    def __init__(
        self, world: World, tenant: WorldTenant, nas: int = 1, session: str = "s1", user: str = "alice"
    ) -> None:
        self._world = world
        self._key = (tenant.id, nas, session, user)

    def report(
        self, kind: int, at: float, seconds: int = 0, octets_in: int = 0, octets_out: int = 0,
        details: tuple[Any, ...] = NO_DETAILS, address: int | None = None, *, packets: int = 0, exact: bool = False,
    ) -> None:  # fmt: skip
        at += NOW
        row = (*self._key, kind, at, seconds, octets_in, octets_out, packets, packets * 2, address,
               int(at // 86400), 1, *details)  # fmt: skip
        (store_each if exact else store)(self._world, [row])

    def session(self, began: float, ended: float, octets_in: int, octets_out: int) -> None:
        """One from its Start to its Stop."""
        self.report(ACCT_START, began)
        self.report(ACCT_STOP, ended, int(ended - began), octets_in, octets_out)


@pytest.fixture
def tenant(world: World) -> WorldTenant:
    made = world.tenant()
    world.subscriber(made, "alice")
    return made


def notes(world: World, tenant: WorldTenant) -> list[tuple[Any, ...]]:
    return world.query("SELECT kind, times FROM aaa.session_note WHERE tenant_id = %s ORDER BY 1", tenant.id)


@pytest.mark.parametrize("exact", [False, True])
def test_a_late_start_tells_what_is_not_known_and_changes_nothing_that_is(
    world: World, tenant: WorldTenant, exact: bool
) -> None:
    bare, known = Router(world, tenant), Router(world, tenant, session="s2")
    bare.report(ACCT_INTERIM, 100, 100, 5, 6, exact=exact)
    known.report(ACCT_INTERIM, 100, 100, 5, 6, DETAILS, 100, exact=exact)
    for router in (bare, known):
        router.report(ACCT_START, 0, details=OTHER_DETAILS, address=200, exact=exact)
    names = ("mac", "called", "nas_port", "nas_port_id", "nas_address", "framed_ipv6_prefix", "delegated_ipv6_prefix")
    one, two = sorted(world.sessions(tenant), key=lambda row: row["session_id"])
    filled, kept = ([str(row[name]) for name in (*names, "framed_ip")] for row in (one, two))
    assert filled == [*map(str, OTHER_DETAILS[:4]), "10.0.0.2", *OTHER_DETAILS[5:], "0.0.0.200"]
    assert kept == [*map(str, DETAILS[:4]), "10.0.0.1", *DETAILS[5:], "0.0.0.100"]
    assert {row["started_at"].timestamp() for row in (one, two)} == {NOW}


def test_a_start_that_comes_again_is_told_from_one_that_comes_late(world: World, tenant: WorldTenant) -> None:
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    router.report(ACCT_START, 2)  # without Acct-Delay-Time
    assert notes(world, tenant) == [("start_again", 1)]
    router.report(ACCT_INTERIM, 30, 30, 5, 6)
    router.report(ACCT_START, 30)
    assert notes(world, tenant) == [("start_again", 2)]
    router.report(ACCT_START, 29)
    assert notes(world, tenant) == [("start_again", 2), ("start_late", 1)]
    assert len(world.sessions(tenant)) == 1


@pytest.mark.parametrize("other", [{"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_a_stop_is_not_taken_for_one_of_another_session_that_ended_before(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    """Our clock was set back by two minutes meanwhile, so that it seems to be older than its own Start."""
    Router(world, tenant, **other).session(0, 60, 500, 700)
    neighbour = world.tenant()
    Router(world, neighbour).session(0, 60, 500, 700)
    router = Router(world, tenant)
    router.report(ACCT_START, 200)
    router.report(ACCT_STOP, 70, 1, 2, 3)
    assert world.sessions(tenant) == []
    [stopped] = [row for row in world.history(tenant) if row["octets_in"] == 2]
    assert (stopped["nas_id"], stopped["session_id"], stopped["username"]) == (1, "s1", "alice")


def test_an_old_stop_ends_only_the_session_that_it_is_of(world: World, tenant: WorldTenant) -> None:
    """The identifier was used again within a minute: what equals the old one's end in all counters is its repeat."""
    router = Router(world, tenant)
    router.session(0, 60, 500, 700)
    router.report(ACCT_START, 65)
    router.report(ACCT_STOP, 60, 60, 500, 700)
    assert len(world.sessions(tenant)) == 1
    for number, counters in enumerate(((59, 500, 700), (60, 501, 700), (60, 500, 701))):
        router.report(ACCT_STOP, 64, *counters)
        assert world.sessions(tenant) == [], counters
        router.report(ACCT_START, 65.5 + number)
    assert len(world.sessions(tenant)) == 1


@pytest.mark.parametrize("minutes", [0.5, 30])
def test_an_old_stop_is_known_also_where_its_counters_had_begun_anew(
    world: World, tenant: WorldTenant, minutes: float
) -> None:
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    router.report(ACCT_INTERIM, 300, 300, 500, 700)
    router.report(ACCT_INTERIM, 400, 50, 5, 7)  # from 0 again
    router.report(ACCT_STOP, 410, 60, 6, 8)
    router.report(ACCT_START, 410 + 60 * minutes)
    router.report(ACCT_STOP, 410, 60, 6, 8, exact=True)
    assert [row["octets_in"] for row in world.history(tenant)] == [506]
    [session] = world.sessions(tenant)
    assert session["octets_in"] == 0
    assert world.usage(tenant) == (506, 708, 360)


@pytest.mark.parametrize("other", [{"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_nobody_elses_past_session_is_opened_again_or_changed(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    """Of the same moment, and with the same counters."""
    others = Router(world, tenant, **other)
    others.session(0, 60, 500, 700)
    neighbour = world.tenant()
    Router(world, neighbour).session(0, 60, 500, 700)
    router = Router(world, tenant)
    router.report(ACCT_INTERIM, 70, 70, 510, 710)
    assert len(world.sessions(tenant)) == len(world.history(tenant)) == 1
    router.report(ACCT_STOP, 75, 75, 520, 720)
    assert sorted(row["octets_in"] for row in world.history(tenant)) == [500, 520]
    assert [row["octets_in"] for row in world.history(neighbour)] == [500]


def ended(world: World, tenant: WorldTenant) -> list[tuple[int, int, int]]:
    """(seconds, octets in, octets out) of each past session, in the order of their ends."""
    rows = sorted(world.history(tenant), key=lambda row: row["ended_at"])
    return [(row["seconds"], row["octets_in"], row["octets_out"]) for row in rows]


@pytest.mark.parametrize("restarted", [False, True])
@pytest.mark.parametrize("late", [100, 450])
def test_a_stop_is_known_for_one_sent_again_by_all_of_its_counters(
    world: World, tenant: WorldTenant, restarted: bool, late: int
) -> None:
    """Without Acct-Delay-Time it seems to be of a session that began after the first one's end."""
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    if restarted:
        router.report(ACCT_INTERIM, 300, 300, 500, 700)
        router.report(ACCT_INTERIM, 400, 30, 5, 7)  # from 0 again
    router.report(ACCT_STOP, 430, 60, 50, 70)
    [first] = ended(world, tenant)
    router.report(ACCT_STOP, 430 + late, 60, 50, 70)
    assert ended(world, tenant) == [first]
    for counters in ((61, 50, 70), (60, 51, 70), (60, 50, 71)):  # of sessions whose Starts were lost
        router.report(ACCT_STOP, 430 + late + 70, *counters)
        assert ended(world, tenant) == [first, counters]
        later = "DELETE FROM aaa.session_history WHERE tenant_id = %s AND ended_at > to_timestamp(%s)"
        world.run(later, tenant.id, NOW + 431)


def test_a_stop_that_comes_a_quarter_of_an_hour_later_is_of_another_session(world: World, tenant: WorldTenant) -> None:
    router = Router(world, tenant)
    router.session(0, 60, 50, 70)
    router.report(ACCT_STOP, 120 + 900, 60, 50, 70)
    assert ended(world, tenant) == [(60, 50, 70)] * 2


@pytest.mark.parametrize("restarted", [False, True])
def test_a_report_that_its_stop_overtook_opens_nothing_and_another_sessions_does(
    world: World, tenant: WorldTenant, restarted: bool
) -> None:
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    if restarted:
        router.report(ACCT_INTERIM, 300, 300, 500, 700)
        router.report(ACCT_INTERIM, 400, 30, 5, 7)  # from 0 again
    router.report(ACCT_STOP, 430, 60, 50, 70)
    for counters in ((60, 50, 70), (30, 5, 7)):
        router.report(ACCT_INTERIM, 430 + 59 + counters[0], *counters)  # they seem to begin up to a minute later
        assert world.sessions(tenant) == [], counters
    for number, (late, *counters) in enumerate(((59, 61, 50, 70), (59, 60, 51, 70), (59, 60, 50, 71), (90, 30, 5, 7))):
        router.report(ACCT_INTERIM, 430 + late + counters[0], *counters)
        [session] = world.sessions(tenant)
        assert [session[name] for name in ("seconds", "octets_in", "octets_out")] == counters, number
        world.run("DELETE FROM aaa.session WHERE tenant_id = %s", tenant.id)
    assert len(ended(world, tenant)) == 1


def test_a_late_stop_is_of_the_session_that_ran_then(world: World, tenant: WorldTenant) -> None:
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    router.session(100, 160, 500, 700)  # the first one's Stop has not come yet
    router.report(ACCT_STOP, 60, 60, 5, 7)
    assert ended(world, tenant) == [(60, 5, 7), (60, 500, 700)]
    assert world.usage(tenant) == (505, 707, 120)


@pytest.mark.parametrize("other", [{"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_what_comes_after_we_closed_a_session_counts_for_it_alone(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    """After a power failure many of one router, or of many, were closed at one moment."""
    neighbour = world.tenant()
    ours, theirs = Router(world, tenant), [Router(world, tenant, **other), Router(world, neighbour)]
    for router in (ours, *theirs):
        router.report(ACCT_START, 0)
        router.report(ACCT_INTERIM, 100, 100, 500, 700, packets=50)
    close = "SELECT aaa.close_session(s, s.updated_at, 100::smallint) FROM aaa.session s WHERE s.tenant_id = ANY(%s)"
    world.query(close, [tenant.id, neighbour.id])

    def found() -> tuple[list[Any], list[Any]]:
        """Ours; the others."""
        rows = [
            (row["tenant_id"], row["nas_id"], row["session_id"], row["username"], row["ended_at"].timestamp() - NOW,
             row["cause"], row["octets_in"], row["seconds"], row["packets_in"], row["packets_out"], row["reports"])
            for one in (tenant, neighbour) for row in world.history(one)
        ]  # fmt: skip
        mine = (tenant.id, 1, "s1", "alice")
        return [row[4:] for row in rows if row[:4] == mine], [row[4:] for row in rows if row[:4] != mine]

    untouched = [(100.0, 100, 500, 100, 50, 100, 1)] * 2
    assert found() == (untouched[:1], untouched)
    ours.report(ACCT_INTERIM, 95, 95, 600, 700, packets=40)  # it had counted more; which packets went is not the point
    assert found() == ([(100.0, 100, 600, 100, 50, 100, 2)], untouched)
    ours.report(ACCT_STOP, 130, 130, 700, 900, packets=60)
    assert found() == ([(130.0, 1, 700, 130, 60, 120, 2)], untouched)
    ours.report(ACCT_STOP, 131, 130, 700, 900, packets=20)  # sent again: the first one says when and why
    assert found() == ([(130.0, 1, 700, 130, 60, 120, 2)], untouched)
    ours.report(ACCT_INTERIM, 200, 200, 800, 950, packets=70)  # it lives after all
    assert found() == ([], untouched)
    [session] = world.sessions(tenant)
    assert [session[name] for name in ("octets_in", "seconds", "packets_in", "reports")] == [800, 200, 70, 3]
    used = "SELECT sum(octets_in)::int FROM aaa.usage WHERE tenant_id = ANY(%s) GROUP BY tenant_id ORDER BY tenant_id"
    assert world.query(used, [tenant.id]) == [(1300 if "user" not in other else 800,)]


def test_a_start_that_counts_already_is_nothing_odd_and_a_stop_alone_is(world: World, tenant: WorldTenant) -> None:
    Router(world, tenant).report(ACCT_START, 5, 5, 10, 20)
    assert notes(world, tenant) == []
    [session] = world.sessions(tenant)
    assert (session["started_at"].timestamp(), session["octets_in"]) == (NOW, 10)
    Router(world, tenant, session="s2").report(ACCT_STOP, 60, 60, 30, 40)
    assert notes(world, tenant) == [("start_missing", 1)]
    [past] = world.history(tenant)
    assert (past["reports"], past["started_at"].timestamp(), past["octets_in"]) == (0, NOW, 30)
    assert world.usage(tenant) == (40, 60, 65)


@pytest.mark.parametrize("exact", [False, True])
def test_counters_may_begin_anew_again_and_again_all_of_them_or_some(
    world: World, tenant: WorldTenant, exact: bool
) -> None:
    router = Router(world, tenant)
    reports: list[tuple[float, tuple[int, int, int], tuple[int, int, int]]] = [
        # when, what it says (seconds, in, out), what the session has then
        (300, (300, 500, 700), (300, 500, 700)),
        (400, (100, 50, 60), (400, 550, 760)),  # all, from the last report on
        (500, (200, 90, 80), (500, 590, 780)),
        (600, (101, 5, 6), (601, 595, 786)),  # all, a second earlier
        (603, (5, 1, 1), (601, 595, 786)),  # it would be two seconds earlier: an old report
        (700, (200, 2, 3), (700, 597, 789)),  # octets
        (800, (300, 1, 50), (800, 598, 836)),  # those in
        (900, (400, 5, 1), (900, 602, 837)),  # those out
        (950, (450, 5, 1), (950, 602, 837)),
    ]
    router.report(ACCT_START, 0, exact=exact)
    for at, says, has in reports:
        router.report(ACCT_INTERIM, at, *says, exact=exact)
        [session] = world.sessions(tenant)
        assert (session["seconds"], session["octets_in"], session["octets_out"]) == has, at
    assert notes(world, tenant) == [("report_late", 1), ("restarted", 5)]
    router.report(ACCT_STOP, 960, 460, 6, 2, exact=exact)
    assert ended(world, tenant) == [(960, 603, 838)]
    assert world.usage(tenant) == (603, 838, 960)


@pytest.mark.parametrize("other", [{"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_a_session_that_lives_after_all_is_opened_again_alone(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    ours, theirs = Router(world, tenant), Router(world, tenant, **other)
    for router in (ours, theirs):
        router.session(0, 60, 500, 700)
    ours.report(ACCT_INTERIM, 90, 90, 510, 710)
    assert [row["octets_in"] for row in world.sessions(tenant)] == [510]
    assert ended(world, tenant) == [(60, 500, 700)]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize(("closed", "late"), [(300, 280), (240, 290), (395, 380)])
def test_a_late_report_of_an_older_session_of_the_same_identifier_counts_for_that_one(
    world: World, tenant: WorldTenant, closed: int, late: int, exact: bool
) -> None:
    """It waited on a host that was cut off, while the router began anew and used its identifiers again."""
    router = Router(world, tenant)
    router.report(ACCT_START, 0)
    router.report(ACCT_INTERIM, 240, 240, 500, 700)
    close = "SELECT aaa.close_session(s, to_timestamp(%s), 101::smallint) FROM aaa.session s WHERE s.tenant_id = %s"
    world.query(close, NOW + closed, tenant.id)
    router.report(ACCT_START, 400)
    router.report(ACCT_INTERIM, 430, 30, 5, 7)
    for _ in range(2):  # a replay may come twice
        router.report(ACCT_INTERIM, late, late, 600, 800, DETAILS, 100, exact=exact)
    router.report(ACCT_INTERIM, 100, 100, 50, 70, exact=exact)  # the end had it already
    [session] = world.sessions(tenant)
    assert [session[name] for name in ("seconds", "octets_in", "octets_out", "reports")] == [30, 5, 7, 1]
    assert [session[name] for name in ("mac", "framed_ip", "framed_ipv6_prefix", "delegated_ipv6_prefix")] == [None] * 4
    assert ended(world, tenant) == [(late, 600, 800)]
    assert world.history(tenant)[0]["ended_at"].timestamp() == NOW + max(closed, late)
    assert world.usage(tenant) == (605, 807, late + 30)
    router.report(ACCT_STOP, 460, 60, 10, 14)
    assert ended(world, tenant) == [(late, 600, 800), (60, 10, 14)]
    assert world.usage(tenant) == (610, 814, late + 60)


@pytest.mark.parametrize("other", [{}, {"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_an_older_sessions_start_that_is_replayed_leaves_the_beginning_of_the_one_that_runs(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    """The connection broke in the middle of a replay, which begins anew."""
    older, router = Router(world, tenant, **other), Router(world, tenant)
    older.session(0, 300, 500, 700)
    router.report(ACCT_INTERIM, 500, 100, 5, 7)
    older.report(ACCT_START, 0)
    [session] = world.sessions(tenant)
    assert session["started_at"].timestamp() == NOW + 400
    assert notes(world, tenant)[0] == ("start_late", 1)
    began = 250 if other else 310
    router.report(ACCT_START, began)  # its own: our clock was set on by some minutes meanwhile
    assert [row["started_at"].timestamp() for row in world.sessions(tenant)] == [NOW + began]


@pytest.mark.parametrize("other", [{"nas": 2}, {"session": "s0"}, {"user": "bob"}])
def test_a_report_from_before_its_start_is_its_sessions_where_no_older_one_can_have_said_it(
    world: World, tenant: WorldTenant, other: dict[str, Any]
) -> None:
    """Our clock was set back meanwhile."""
    neighbour = world.tenant()
    router = Router(world, tenant)
    for past in (Router(world, tenant, **other), Router(world, neighbour)):
        past.session(0, 200, 500, 700)
    router.session(10, 40, 5, 7)  # it was over when this one began to count
    router.report(ACCT_START, 260)
    router.report(ACCT_INTERIM, 150, 100, 60, 80)
    [session] = world.sessions(tenant)
    assert [session[name] for name in ("seconds", "octets_in", "octets_out")] == [100, 60, 80]
    assert {row["octets_in"] for row in (*world.history(tenant), *world.history(neighbour))} == {500, 5}
