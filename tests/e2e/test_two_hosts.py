"""Two hosts on one database (RAD-1): each packet may reach either of them, EAP and reverse CoA included.

The hosts are two data folders with ports of their own; no Unix socket joins them, only the sealed link.
"""

import dataclasses
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from infra.ports import choose_free_port
from infra.settings import Settings
from radius_cluster.wire import codes
from tests.fixtures.eapol import METHODS, TUNNELLED, needs_eapol_test, run_eapol_test
from tests.fixtures.radius import SECRET, Client, Processes, World, wait_for
from tests.fixtures.radsec import RadsecIsp, RadsecRouter
from tests.fixtures.tcp_relay import TcpRelay


class Alternating:
    """A load balancer that sends each packet to the other host than the one before."""

    def __init__(self, targets: tuple[tuple[str, int], ...]) -> None:
        self._targets = targets
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self.port: int = self._front.getsockname()[1]
        self.sent = 0
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._front.close()

    def _serve(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            back.settimeout(2)
            while True:
                try:
                    data, client = self._front.recvfrom(4096)
                    target = self._targets[self.sent % len(self._targets)]
                    self.sent += 1
                    back.sendto(data, target)
                    reply, came_from = back.recvfrom(4096)
                    # As a router, it takes answers only from whom it asked, and none that is late to an older request.
                    while came_from != target or reply[1] != data[1]:
                        reply, came_from = back.recvfrom(4096)
                    self._front.sendto(reply, client)
                except TimeoutError:
                    continue
                except OSError:
                    return


class AlternatingRadsec(Alternating):
    """A proxy that sends each packet through the other of its connections; its clients' secret must be "radsec"."""

    def __init__(self, connections: tuple[RadsecRouter, ...]) -> None:
        self._connections = connections
        super().__init__(())

    def _serve(self) -> None:
        while True:
            try:
                data, client = self._front.recvfrom(4096)
                connection = self._connections[self.sent % len(self._connections)]
                self.sent += 1
                connection.send(data)
                reply = connection.receive(5)
                while reply is not None and reply.identifier != data[1]:  # late, to an older request
                    reply = connection.receive(5)
                if reply is not None:
                    self._front.sendto(reply.raw, client)
            except OSError:
                return


@dataclass
class Hosts:
    """Two of them: settings and processes."""

    first: Processes
    second: Processes

    @property
    def auth(self) -> tuple[tuple[str, int], ...]:
        return tuple((one.settings.bind, one.settings.radius_auth_port) for one in (self.first, self.second))


@pytest.fixture
def hosts(settings: Settings, tmp_path: Path) -> Iterator[Hosts]:
    made = []
    for name in ("east", "west"):
        folder = tmp_path / name
        folder.mkdir()
        own = dataclasses.replace(
            settings,
            data_dir=folder,
            node_address="127.0.0.1",
            radius_auth_port=choose_free_port(),
            radius_acct_port=choose_free_port(),
            radsec_port=choose_free_port(),
        )
        made.append(Processes(own, folder / "process.log"))
    yield Hosts(*made)
    for one in made:
        one.stop()


def linked(world: World, hosts: Hosts, kinds: tuple[str, ...]) -> None:
    """Until each process stands in the registry, and the others have read it with their next heartbeat."""
    pids = [process.pid for one in (hosts.first, hosts.second) for process in one.running]
    statement = "SELECT count(*)::int FROM registry.nodes WHERE pid = ANY(%s) AND kind = ANY(%s) AND link <> ''"
    wait_for(lambda: world.query(statement, pids, list(kinds)) == [(len(pids),)])
    beats = "SELECT min(heartbeat_at) > %s FROM registry.nodes WHERE pid = ANY(%s)"
    [(now,)] = world.query("SELECT now()")
    wait_for(lambda: world.query(beats, now, pids) == [(True,)])


@needs_eapol_test
@pytest.mark.radius_client
def test_a_conversation_between_two_hosts(hosts: Hosts, world: World, settings: Settings, tmp_path: Path) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    hosts.first.start()
    hosts.second.start()
    linked(world, hosts, ("radius",))
    balancer = Alternating(hosts.auth)

    def log_in(method: str, password: str = "secret", **options: str) -> tuple[int, str]:
        rows = world.query("SELECT authority_pem FROM registry.tenant_certificates WHERE tenant_id = %s", tenant.id)
        done = run_eapol_test(
            tmp_path, method, port=balancer.port, nas=identifier, secret=SECRET, user="alice", password=password,
            authority_pem=str(rows[0][0]) if rows else "", server_name=f"radius.{tenant.prefix}.{settings.base_domain}",
            **options,
        )  # fmt: skip
        return done.returncode, done.stdout

    assert log_in("EAP-MD5")[0] == 0  # makes the certificate
    for method in METHODS:
        code, said = log_in(method)
        assert code == 0, (method, said[-2000:], hosts.first.logs()[-1500:], hosts.second.logs()[-1500:])
        assert method not in TUNNELLED or "MPPE keys OK: 1  mismatch: 0" in said
    assert log_in("PEAP/MSCHAPv2", "wrong")[0] != 0
    assert log_in("TTLS/PAP", extra=" fragment_size=500\n")[0] == 0
    assert balancer.sent > 40
    balancer.close()
    lost = "SELECT reason FROM aaa.refused_packet WHERE tenant_id = %s AND reason <> 'wrong_password'"
    assert world.query(lost, tenant.id) == []


@needs_eapol_test
@pytest.mark.radius_client
@pytest.mark.parametrize("apart", [True, False], ids=["two hosts", "two processes"])
def test_a_conversation_over_two_radsec_connections(
    apart: bool, hosts: Hosts, world: World, make_radsec_isp: Callable[[], RadsecIsp], tmp_path: Path
) -> None:
    """Each packet reaches the other process; the conversation lives in one."""
    isp = make_radsec_isp()
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    if not apart:
        folder = hosts.first.settings.data_dir
        hosts.second.settings = dataclasses.replace(hosts.second.settings, data_dir=folder, node_address="")
        hosts.first.settings = dataclasses.replace(hosts.first.settings, node_address="")
    hosts.first.start("radius_cluster.radsec", "radsec_ready")
    hosts.second.start("radius_cluster.radsec", "radsec_ready")
    if apart:
        linked(world, hosts, ("radsec",))
    connections = tuple(RadsecRouter(one.settings, isp) for one in (hosts.first, hosts.second))
    proxy = AlternatingRadsec(connections)

    def log_in(method: str, password: str = "secret", **options: str) -> tuple[int, str]:
        rows = world.query("SELECT authority_pem FROM registry.tenant_certificates WHERE tenant_id = %s", isp.tenant.id)
        done = run_eapol_test(
            tmp_path, method, port=proxy.port, nas=isp.identifier, secret="radsec", user="alice", password=password,
            authority_pem=str(rows[0][0]) if rows else "",
            server_name=f"radius.{isp.ref.slug}.{hosts.first.settings.base_domain}", **options,
        )  # fmt: skip
        return done.returncode, done.stdout

    try:
        assert log_in("EAP-MD5")[0] == 0  # makes the certificate
        for method in ("PEAP/MSCHAPv2", "TTLS/PAP"):
            code, said = log_in(method, extra=" fragment_size=500\n")
            assert code == 0, (method, said[-2000:], hosts.first.logs()[-1500:], hosts.second.logs()[-1500:])
            assert "MPPE keys OK: 1  mismatch: 0" in said
        assert log_in("TTLS/PAP", "wrong")[0] != 0
        reasons = "SELECT DISTINCT reason FROM aaa.refused_packet WHERE tenant_id = %s"
        assert wait_for(lambda: world.query(reasons, isp.tenant.id)) == [("wrong_password",)]
    finally:
        proxy.close()
        for connection in connections:
            connection.close()


def test_while_the_database_is_away_the_other_host_is_asked(
    hosts: Hosts, relay: TcpRelay, behind_relay: Settings, world: World
) -> None:
    """Known to one host only; and a host that alone has lost the database has the other one decide about all."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    for name in ("alice", "bob"):
        world.subscriber(tenant, name, max_sessions=0)
    others_relay = TcpRelay(relay.target)
    others_url = behind_relay.database_url.replace(f":{relay.port}/", f":{others_relay.port}/")
    for one, url in ((hosts.first, behind_relay.database_url), (hosts.second, others_url)):
        one.settings = dataclasses.replace(one.settings, database_url=url)
        one.start()
    linked(world, hosts, ("radius",))
    here, there = (Client(one.settings, identifier) for one in (hosts.first, hosts.second))

    def answer(router: Client, username: str, password: str = "secret") -> int | None:
        reply = router.log_in(username, password)
        return reply.code if reply is not None else None

    assert answer(there, "alice") == codes.ACCESS_ACCEPT
    relay.refuse()
    wait_for(lambda: "logins_from_memory" in hosts.first.logs())
    assert answer(here, "bob") == codes.ACCESS_ACCEPT  # neither had seen him, but one has the database
    assert answer(here, "bob", "wrong") == codes.ACCESS_REJECT
    others_relay.refuse()
    wait_for(lambda: "logins_from_memory" in hosts.second.logs())
    assert answer(here, "alice") == codes.ACCESS_ACCEPT  # from the other's memory
    for closing in (here, there, others_relay):
        closing.close()


def test_a_disconnect_through_the_other_hosts_connection(
    hosts: Hosts, world: World, make_radsec_isp: Callable[[], RadsecIsp]
) -> None:
    isp = make_radsec_isp()
    account = world.subscriber(isp.tenant, "alice", max_sessions=0)
    hosts.first.start("radius_cluster.coa", "coa_ready")
    hosts.second.start("radius_cluster.radsec", "radsec_ready")
    linked(world, hosts, ("coa", "radsec"))
    router = RadsecRouter(hosts.second.settings, isp)
    payload = {"nas_id": isp.nas_id, "session_id": "s1", "username": "alice", "account_id": account, "reason": "test"}

    def ask() -> int:
        [(made,)] = world.query(
            "INSERT INTO work.outbox (tenant_id, topic, subject, payload) VALUES (%s, 'radius.disconnect', %s, %s)"
            " RETURNING id",
            isp.tenant.id,
            f"account:{account}",
            json.dumps(payload),
        )
        world.run("SELECT pg_notify('broadloom_outbox', 'radius')")
        return int(made)

    try:
        # Until the connection's process has told the other host of it, there is no address.
        requests = wait_for(
            lambda: (end := router.obey_until_ended(world, ask(), codes.DISCONNECT_ACK))[0] == "done" and end[1]
        )
        assert {(p.code, p.text(codes.USER_NAME)) for p in requests} == {(codes.DISCONNECT_REQUEST, "alice")}
    finally:
        router.close()
