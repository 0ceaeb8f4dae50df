"""eapol_test against the real processes: all methods refusals, pieces, resumption, a death (RAD-2)."""

import re
import signal
import socket
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tests.fixtures.eapol import METHODS, TUNNELLED, Scatter, needs_eapol_test, run_eapol_test
from tests.fixtures.radius import SECRET, Client, Processes, World, WorldTenant, wait_for

pytestmark = [pytest.mark.radius_client, needs_eapol_test]


@dataclass
class Isp:
    """A tenant with a router and a subscriber, and the cluster that serves it."""

    world: World
    tenant: WorldTenant
    nas: str
    settings: Settings
    processes: Processes
    folder: Path

    def log_in(
        self, method: str, *options: str, port: int = 0, user: str = "alice", password: str = "secret", extra: str = ""
    ) -> CompletedProcess[str]:
        return run_eapol_test(
            self.folder, method, *options, port=port or self.settings.radius_auth_port, nas=self.nas, secret=SECRET,
            user=user, password=password, authority_pem=self.authority, extra=extra,
            server_name=f"radius.{self.tenant.prefix}.{self.settings.base_domain}",
        )  # fmt: skip

    @property
    def authority(self) -> str:
        rows = self.world.query(
            "SELECT authority_pem FROM registry.tenant_certificates WHERE tenant_id = %s", self.tenant.id
        )
        return str(rows[0][0]) if rows else ""

    def refusals(self) -> set[tuple[str, str]]:
        statement = "SELECT reason, username FROM aaa.refused_packet WHERE tenant_id = %s"
        return {(row[0], row[1]) for row in self.world.query(statement, self.tenant.id)}

    def counted(self, outcome: str) -> int:
        statement = "SELECT sum(packets)::int FROM aaa.packet_count WHERE tenant_id = %s AND outcome = %s"
        return int(self.world.query(statement, self.tenant.id, outcome)[0][0] or 0)


@pytest.fixture
def isp(world: World, settings: Settings, processes: Processes, tmp_path: Path) -> Isp:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    processes.start()
    made = Isp(world, tenant, identifier, settings, processes, tmp_path)
    assert made.log_in("EAP-MD5").returncode == 0  # the first EAP login makes the tenant's certificate
    assert made.authority.startswith("-----BEGIN CERTIFICATE")
    return made


def matches(result: CompletedProcess[str], keys: int = 1) -> bool:
    return result.returncode == 0 and f"MPPE keys OK: {keys}  mismatch: 0" in result.stdout


def test_all_methods_wherever_their_packets_arrive(isp: Isp) -> None:
    """Each packet from another port, so that two processes share every conversation."""
    scatter = Scatter(("127.0.0.1", isp.settings.radius_auth_port))
    for method in METHODS:
        for port in (0, scatter.port, scatter.port):
            result = isp.log_in(method, port=port)
            assert result.returncode == 0, (method, port, result.stdout[-2000:], isp.processes.logs()[-2000:])
            assert method == "EAP-MD5" or matches(result), (method, port)
        wrong = isp.log_in(method, password="wrong")
        assert wrong.stdout.rstrip().endswith("FAILURE"), method
    scatter.close()
    wait_for(lambda: isp.counted("accepted") >= 18)
    assert isp.counted("challenged") > 60
    assert isp.refusals() == {("wrong_password", "alice")}  # the name inside the tunnel


def test_the_accept_carries_what_any_login_gets(isp: Isp) -> None:
    result = isp.log_in("PEAP/MSCHAPv2")
    attributes = dict(re.findall(r"Attribute (\d+) \((\S+)\) length", result.stdout.rpartition("code=2")[2]))
    assert {"1", "25", "26", "27", "79", "80"} <= set(attributes)  # name, Class, rate and keys, time-out, EAP, sum
    assert "1 (User-Name) length=7\n      Value: 'alice'" in result.stdout.rpartition("code=2")[2]


def test_the_access_decision_comes_after_the_password(isp: Isp) -> None:
    isp.world.set(isp.tenant, "alice", valid_until=datetime.now(UTC) - timedelta(seconds=1))
    for method in ("EAP-MSCHAPv2", "TTLS/PAP"):
        assert isp.log_in(method).stdout.rstrip().endswith("FAILURE")
    assert isp.log_in("PEAP/MSCHAPv2", user="nobody").returncode != 0
    wait_for(lambda: isp.refusals() == {("expired", "alice"), ("unknown_user", "nobody")})


@pytest.mark.parametrize("method", TUNNELLED)
def test_pieces_of_500_octets_and_resumption(isp: Isp, method: str) -> None:
    assert matches(isp.log_in(method, "-N", "12:d:500", extra=" fragment_size=500\n"))
    result = isp.log_in(method, "-r", "1")
    assert matches(result, keys=2), result.stdout[-2000:]
    assert re.findall(r"Handshake finished - resumed=(\d)", result.stdout) == ["0", "1"]


def test_the_death_of_the_owner_ends_in_a_reject_and_a_new_start(isp: Isp, client: type[Client]) -> None:
    """A conversation whose process was killed cannot go on; the supplicant is told so at once, not by a time-out."""
    owner = isp.processes.running[0]
    state = b"\x01\x01" + bytes((len(name := f"{socket.gethostname()}:{owner.pid}".encode()),)) + name + bytes(40)
    owner.send_signal(signal.SIGKILL)
    owner.wait()  # its sockets are closed by then
    router = client(isp.nas)
    eap = b"\x02\x07\x00\x06\x15\x00"
    extra = encode.eap_messages(eap) + encode.octets(codes.STATE, state)
    answer = router.ask(router.access("alice", method="eap", extra=extra))
    assert answer is not None
    assert answer.code == codes.ACCESS_REJECT
    assert answer.eap_message() == b"\x04\x07\x00\x04"
    assert matches(isp.log_in("TTLS/PAP"))


def test_a_new_certificate_is_used_at_once(isp: Isp) -> None:
    assert matches(isp.log_in("PEAP/MSCHAPv2"))
    old = isp.authority
    isp.world.run("DELETE FROM registry.tenant_certificates WHERE tenant_id = %s", isp.tenant.id)
    # The processes hear of it, and the next login makes the next one.
    wait_for(lambda: isp.log_in("EAP-MD5").returncode == 0 and isp.authority not in (old, ""))
    wait_for(lambda: matches(isp.log_in("PEAP/MSCHAPv2")))
