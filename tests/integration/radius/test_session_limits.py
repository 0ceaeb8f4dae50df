"""Two logins before either Start: both are let in, and one of them is ended (RAD-3)."""

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from infra.settings import Settings
from radius_cluster.listen.database import connect
from radius_cluster.process.session_limits import end_too_many
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tests.fixtures.radius import Processes, World, WorldTenant, wait_for

STALE_SECONDS = 1200
ONE, TWO, THREE = (f"02:00:00:00:00:0{n}" for n in (1, 2, 3))


@dataclass
class House:
    """An account and its sessions; another provider has the same numbers and names."""

    world: World
    tenant: WorldTenant
    neighbour: WorldTenant
    nas_id: int
    account_id: int
    url: str
    stale: SimpleNamespace = field(
        default_factory=lambda: SimpleNamespace(usual_stale_seconds=STALE_SECONDS, own_stale={})
    )

    def begin(self, session: str, mac: str | None, seconds_ago: float, *, silent_seconds: float = 0) -> None:
        self.world.run(
            "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, mac, started_at, updated_at,"
            " seconds, octets_in, octets_out, packets_in, packets_out) VALUES (%s, %s, %s, 'alice', %s, %s,"
            " now() - make_interval(secs => %s), now() - make_interval(secs => %s), 0, 0, 0, 0, 0)",
            self.tenant.id, self.nas_id, session, self.account_id, mac, seconds_ago, silent_seconds,
        )  # fmt: skip

    def look(self, *sessions: str) -> list[str]:
        """Look at sessions that have begun; which ones are asked to end."""

        async def look() -> None:
            connection = await connect(self.url, "test")
            try:
                keys = [((self.tenant.id, self.nas_id, session, "alice"), self.stale) for session in sessions]
                await end_too_many(connection, keys)
            finally:
                await connection.close()

        asyncio.run(look())
        assert self.world.query("SELECT 1 FROM work.outbox WHERE tenant_id = %s", self.neighbour.id) == []
        rows = self.world.query(
            "SELECT payload ->> 'session_id' FROM work.outbox WHERE tenant_id = %s AND topic = 'radius.disconnect'"
            " AND payload ->> 'reason' = 'too_many_sessions' AND subject = 'account:' || %s ORDER BY id",
            self.tenant.id, str(self.account_id),
        )  # fmt: skip
        return [row[0] for row in rows]


@pytest.fixture
def house(world: World, settings: Settings) -> House:
    neighbour, tenant = world.tenant(), world.tenant()
    nas_id, _ = world.nas(tenant)
    account_id = world.subscriber(neighbour, "alice", max_sessions=2)
    there = House(world, neighbour, neighbour, nas_id, account_id, settings.database_url)
    for number, session in enumerate(("a", "b", "new", "other")):
        there.begin(session, f"02:00:00:00:01:0{number}", 4.1)
    assert world.subscriber(tenant, "alice") == account_id
    return House(world, tenant, neighbour, nas_id, account_id, settings.database_url)


def test_of_two_that_came_together_the_later_goes(house: House) -> None:
    house.begin("a", ONE, 4.2)
    house.begin("b", TWO, 4.0)
    assert house.look("a") == ["b"]
    assert house.look("a", "b") == ["b"]  # asked once


def test_another_routers_session_of_the_same_identifier_is_another(house: House) -> None:
    """Routers count their sessions each for itself: that one's end was asked for, and this one's was not."""
    other, _ = house.world.nas(house.tenant, "other")
    house.world.run(
        "INSERT INTO work.outbox (tenant_id, topic, subject, payload) SELECT %s, 'radius.disconnect', 'account:' || %s,"
        " jsonb_build_object('nas_id', %s::int, 'session_id', 'b', 'username', 'alice', 'reason', 'kick')",
        house.tenant.id, str(house.account_id), other,
    )  # fmt: skip
    house.begin("a", ONE, 4.2)
    house.begin("b", TWO, 4.0)
    assert house.look("a") == ["b"]
    assert house.look("a") == ["b"]  # asked once


def test_sessions_without_a_mac_count_each(house: House) -> None:
    house.begin("a", None, 4.2)
    house.begin("b", None, 4.0)
    assert house.look("b") == ["b"]


def test_where_the_plan_drops_the_oldest_the_earlier_goes(house: House) -> None:
    house.world.set(house.tenant, "alice", drop_oldest=True)
    house.begin("a", ONE, 4.2)
    house.begin("b", TWO, 4.0)
    assert house.look("a", "b") == ["a"]


def test_as_many_stay_as_the_plan_allows(house: House) -> None:
    house.world.set(house.tenant, "alice", max_sessions=2)
    house.begin("old", ONE, 4000)
    house.begin("a", TWO, 4.2)
    assert house.look("a") == []
    house.begin("b", THREE, 4.0)
    assert house.look("a", "b") == ["b"]


def test_any_number_of_sessions(house: House) -> None:
    house.world.set(house.tenant, "alice", max_sessions=0)
    for number in range(3):
        house.begin(f"s{number}", None, 4)
    assert house.look("s0", "s1", "s2") == []


def test_a_device_that_dialled_again_is_let_be(house: House) -> None:
    """Its old session is dead; its end is asked for already."""
    house.begin("dead", ONE, 5)
    house.begin("new", ONE, 4)
    assert house.look("new") == []
    house.begin("other", TWO, 3.9)
    assert house.look("other") == ["other"]


def test_what_the_login_has_seen_is_let_be(house: House) -> None:
    """It was there when the login was decided: a dead session, a limit lowered since, a database that was away."""
    house.begin("there", ONE, 40)
    house.begin("new", TWO, 4)
    assert house.look("new") == []


def test_silent_ended_and_cut_sessions_do_not_count(house: House) -> None:
    house.begin("silent", ONE, 20, silent_seconds=STALE_SECONDS + 1)
    house.begin("cut", TWO, 5)
    house.world.run("UPDATE aaa.session SET cut_requested_at = now() WHERE session_id = 'cut'")
    house.begin("new", THREE, 4)
    assert house.look("new", "ended", "cut") == []


def test_routers_may_be_silent_for_longer_or_shorter_than_others(house: House) -> None:
    house.begin("silent", ONE, 20, silent_seconds=STALE_SECONDS + 1)
    house.begin("new", THREE, 4)
    house.stale.own_stale = {house.nas_id: 300, house.nas_id + 1: 9000}
    assert house.look("new") == []
    house.stale.own_stale = {house.nas_id: STALE_SECONDS + 60}
    assert house.look("new") == ["new"]


def test_old_news_ends_nobody(house: House) -> None:
    """Starts that waited in a spool while the database was away."""
    house.begin("a", ONE, 301)
    house.begin("b", TWO, 300)
    assert house.look("a", "b") == []


def test_devices_that_log_in_at_once_through_two_processes(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    processes.start()
    routers = [client(identifier) for _ in range(3)]  # each from a port of its own: the system spreads them
    for number, router in enumerate(routers[:2]):
        answer = router.log_in("alice", extra=encode.text(codes.CALLING_STATION_ID, f"02-00-00-00-00-0{number}"))
        assert answer is not None
        assert answer.code == codes.ACCESS_ACCEPT
    for number, router in enumerate(routers[:2]):
        mac = encode.text(codes.CALLING_STATION_ID, f"02-00-00-00-00-0{number}")
        assert router.account(codes.ACCT_START, f"s{number}", "alice", extra=mac)
    asked = "SELECT payload ->> 'session_id', payload ->> 'reason' FROM work.outbox WHERE tenant_id = %s"
    wait_for(lambda: world.query(asked, tenant.id))
    assert world.query(asked, tenant.id) == [("s1", "too_many_sessions")]
    third = routers[2].log_in("alice", extra=encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-09"))
    assert third is not None
    assert third.code == codes.ACCESS_REJECT
