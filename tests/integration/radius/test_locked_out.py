"""Who is locked out for guessing is seen and let try again (RAD-9): real processes, packets and NOTIFY."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from infra.ports import choose_free_port
from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tenants.network.unlocking import CHANNEL, Unlocked
from tests.fixtures.radius import Client, Processes, World, WorldTenant, wait_for

MAC, MARK = "02-00-00-00-00-66", "020000000066"
ROWS = "SELECT username, device, mac, account_id, tries, nas_id FROM aaa.locked_out WHERE tenant_id = %s ORDER BY 1, 2"
Clients = Callable[..., Client]


def guess(clients: Clients, identifier: str, settings: Settings, names: list[str], device: str = MAC) -> None:
    """Wrong passwords, all at once: each refusal takes its second."""
    calling = encode.text(codes.CALLING_STATION_ID, device) if device else b""
    routers = [clients(identifier) for _ in names]
    for router, name in zip(routers, names, strict=True):
        router.socket.sendto(router.access(name, "guess", extra=calling), (settings.bind, settings.radius_auth_port))
    for router in routers:
        router.socket.recvfrom(4096)


def log_in(clients: Clients, identifier: str, name: str = "alice", device: str = MAC) -> int:
    answer = clients(identifier).log_in(name, extra=encode.text(codes.CALLING_STATION_ID, device))
    assert answer is not None
    return answer.code


def say(world: World, tenant: WorldTenant, nas_id: int, name: str = "alice", device: str = MARK) -> None:
    told = Unlocked(tenant.id, nas_id, name, device.encode()).announcement()
    world.query("SELECT pg_notify(%s, %s)", CHANNEL, told)


def test_it_is_told_and_ended_by_hand(world: World, processes: Processes, client: Clients) -> None:
    tenant, other = world.tenant(), world.tenant()
    nas_id, identifier = world.nas(tenant)
    account_id = world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    processes.start()
    guess(client, identifier, processes.settings, ["alice"] * 9)
    assert world.query(ROWS, tenant.id) == []
    guess(client, identifier, processes.settings, ["alice"], "0200.0000.0066")  # the same device
    [row] = wait_for(lambda: world.query(ROWS, tenant.id))
    assert row == ("alice", MARK.encode(), "02:00:00:00:00:66", account_id, 10, nas_id)
    [(seconds, ago)] = world.query(
        "SELECT extract(epoch FROM until_at - locked_at), extract(epoch FROM now() - locked_at) FROM aaa.locked_out"
        " WHERE tenant_id = %s", tenant.id,
    )  # fmt: skip
    assert 60 <= seconds <= 61
    assert 0 <= ago < 60
    # the right password, now
    assert log_in(client, identifier, device="02:00:00:00:00:66") == codes.ACCESS_REJECT
    wait_for(lambda: world.query(ROWS, tenant.id)[0][4] == 11)
    say(world, other, nas_id)  # another provider has no say
    say(world, tenant, nas_id, "bob")
    say(world, tenant, nas_id, device="020000000001")
    for nonsense in ("", "[]", "7", '[1, 2, "x", "zz"]', '["1", 2, "x", ""]'):
        world.query("SELECT pg_notify(%s, %s)", CHANNEL, nonsense)
    assert log_in(client, identifier) == codes.ACCESS_REJECT
    say(world, tenant, nas_id)
    wait_for(lambda: log_in(client, identifier) == codes.ACCESS_ACCEPT)  # once it has heard
    wait_for(lambda: world.query(ROWS, tenant.id) == [])  # also where nobody has taken the row away
    assert "report_failed" not in processes.logs()


def test_every_host_tells_its_own_and_hears_of_all(
    settings: Settings, world: World, processes: Processes, client: Clients, tmp_path: Path
) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    hosts = [settings]
    processes.start()
    ports = {"radius_auth_port": choose_free_port(), "radius_acct_port": choose_free_port()}
    elsewhere = replace(settings, data_dir=tmp_path / "another", **ports)
    processes.settings = elsewhere
    processes.start()
    hosts.append(elsewhere)
    for host in hosts:
        guess(client, identifier, host, ["alice"] * 10)
    rows = wait_for(lambda: len(found := world.query(ROWS, tenant.id)) == 2 and found)
    assert {row[0] for row in rows} == {"alice"}
    say(world, tenant, nas_id)
    calling = encode.text(codes.CALLING_STATION_ID, MAC)

    def let_in(host: Settings) -> bool:
        router = client(identifier)
        answer = router.ask_at((host.bind, host.radius_auth_port), router.access("alice", extra=calling))
        return answer is not None and answer.code == codes.ACCESS_ACCEPT

    for host in hosts:
        wait_for(lambda host=host: let_in(host))  # type: ignore[misc]  # once it has heard
    wait_for(lambda: world.query(ROWS, tenant.id) == [])


def test_a_device_with_any_name_and_rows_of_before(world: World, processes: Processes, client: Clients) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    names = [f"user{number}" for number in range(50)]
    for name in (*names, "alice"):
        world.subscriber(tenant, name, max_sessions=0)
    world.run(
        "INSERT INTO aaa.locked_out (tenant_id, nas_id, username, device, counted_in, mac, locked_at, until_at, tries)"
        " VALUES (%s, %s, 'old', '', 'gone', '', now() - interval '5 minutes', now() - interval '4 minutes', 10)",
        tenant.id, nas_id,
    )  # fmt: skip
    processes.start()
    guess(client, identifier, processes.settings, names)
    rows = wait_for(lambda: [row for row in world.query(ROWS, tenant.id) if row[0] == ""])
    assert rows == [("", MARK.encode(), "02:00:00:00:00:66", None, 50, nas_id)]
    wait_for(lambda: [row[0] for row in world.query(ROWS, tenant.id)] == [""])  # the one of before went with it
    assert log_in(client, identifier) == codes.ACCESS_REJECT
    say(world, tenant, nas_id, "")
    wait_for(lambda: log_in(client, identifier) == codes.ACCESS_ACCEPT)


@pytest.mark.parametrize("device", ["", "\xff\xfe not a MAC \0"])
def test_devices_that_are_called_oddly(world: World, processes: Processes, client: Clients, device: str) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    guess(client, identifier, processes.settings, ["alice"] * 10, device)
    [row] = wait_for(lambda: world.query(ROWS, tenant.id))
    assert (row[0], row[4], row[5]) == ("alice", 10, nas_id)
    told = Unlocked(tenant.id, nas_id, "alice", bytes(row[1])).announcement()
    world.query("SELECT pg_notify(%s, %s)", CHANNEL, told)
    calling = encode.text(codes.CALLING_STATION_ID, device) if device else b""
    wait_for(lambda: client(identifier).log_in("alice", extra=calling).code == codes.ACCESS_ACCEPT)  # once it has heard
