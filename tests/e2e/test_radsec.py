"""RadSec with real processes: radsecproxy before radclient and eapol_test, and a router that also misbehaves."""

import contextlib
import dataclasses
import json
import shutil
import signal
import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from infra import clock
from infra.db import Database
from infra.ports import choose_free_port
from infra.settings import Settings
from infra.tenant_scope import tenant_scope
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet
from radius_cluster.wire.proxy_protocol import encode_proxy_header
from tenants.kernel.actor import SYSTEM
from tenants.network.radsec_credentials import issue_psk, withdraw_credential
from tests.fixtures.busy_machine import limit
from tests.fixtures.eapol import needs_eapol_test, run_eapol_test
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.fixtures.radsec import RadsecIsp, Radsecproxy, RadsecRouter

pytestmark = pytest.mark.radius_client
MakeRouter = Callable[..., RadsecRouter]
needs_radsecproxy = pytest.mark.skipif(
    shutil.which("radsecproxy") is None or shutil.which("radclient") is None,
    reason="radsecproxy or radclient is not installed",
)


@pytest.fixture
def isp(make_radsec_isp: Callable[[], RadsecIsp], processes: Processes) -> RadsecIsp:
    made = make_radsec_isp()
    processes.start("radius_cluster.radsec", "radsec_ready")
    return made


@pytest.fixture
def proxy(isp: RadsecIsp, settings: Settings) -> Iterator[Radsecproxy]:
    running = Radsecproxy(settings, isp, choose_free_port())
    yield running
    running.stop()


def radclient(port: int, kind: str, attributes: str) -> subprocess.CompletedProcess[str]:
    command = ["radclient", "-x", "-r", "2", "-t", "5", f"127.0.0.1:{port}", kind, "radius-secret"]
    return subprocess.run(command, input=attributes, capture_output=True, text=True, timeout=30, check=False)


def counted(world: World, isp: RadsecIsp) -> dict[str, int]:
    rows = world.query(
        "SELECT kind || '.' || outcome, sum(packets)::int FROM aaa.packet_count WHERE tenant_id = %s GROUP BY 1",
        isp.tenant.id,
    )
    return dict(rows)  # type: ignore[arg-type]


@needs_radsecproxy
def test_radsecproxy_before_radclient(isp: RadsecIsp, proxy: Radsecproxy, world: World, settings: Settings) -> None:
    """Also: its own identifier does not matter, the certificate names the router."""
    world.subscriber(isp.tenant, "alice")
    accept = radclient(proxy.port, "auth", 'User-Name="alice",User-Password="secret",Message-Authenticator=0x00')
    assert "Access-Accept" in accept.stdout, (accept.stdout, proxy.log())
    assert "10M/50M" in accept.stdout
    reject = radclient(proxy.port, "auth", 'User-Name="alice",User-Password="wrong",NAS-Identifier="whatever"')
    assert "Access-Reject" in reject.stdout
    assert "Access-Accept" in radclient(proxy.port, "auth", 'User-Name="alice",CHAP-Password="secret"').stdout
    session = 'User-Name="alice",Acct-Session-Id="s1",Acct-Status-Type='
    assert "Accounting-Response" in radclient(proxy.port, "acct", session + "Start").stdout
    stop = session + "Stop,Acct-Session-Time=60,Acct-Input-Octets=705032704,Acct-Input-Gigawords=1"
    assert "Accounting-Response" in radclient(proxy.port, "acct", stop).stdout
    [closed] = world.history(isp.tenant)
    assert (closed["octets_in"], closed["nas_id"]) == (5_000_000_000, isp.nas_id)
    counts = wait_for(lambda: (c := counted(world, isp)).get("acct.stored") == 2 and c)
    assert counts["auth.accepted"] == 2
    assert counts["auth.rejected:wrong_password"] == 1
    assert counts["radsec.connected"] == 1
    [(used, source)] = world.query(
        "SELECT last_used_at IS NOT NULL, last_source FROM registry.radsec_credentials WHERE tenant_id = %s",
        isp.tenant.id,
    )
    assert used
    assert source.startswith("127.0.0.1:")
    assert world.query("SELECT 1 FROM registry.nodes WHERE kind = 'radsec' AND radsec_port = %s", settings.radsec_port)


@needs_radsecproxy
@needs_eapol_test
@pytest.mark.parametrize("method", ["EAP-MSCHAPv2", "PEAP/MSCHAPv2", "TTLS/PAP"])
def test_eap_through_radsecproxy(isp: RadsecIsp, proxy: Radsecproxy, world: World, tmp_path: Path, method: str) -> None:
    world.subscriber(isp.tenant, "alice")
    result = run_eapol_test(
        tmp_path, method, port=proxy.port, nas="x", secret="radius-secret", user="alice", password="secret"
    )
    assert result.returncode == 0, result.stdout[-2000:]
    assert "MPPE keys OK: 1  mismatch: 0" in result.stdout


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_another_process_takes_over(
    isp: RadsecIsp, radsec_router: MakeRouter, world: World, processes: Processes, end: signal.Signals
) -> None:
    """A rolling restart, and a death: the next process listens already; the router connects again."""
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    router = radsec_router(isp)
    assert router.log_in("alice") is not None
    processes.start("radius_cluster.radsec", "radsec_ready")
    processes.running[0].send_signal(end)
    assert router.is_closed(10)
    processes.running[0].wait(10)  # until then its port, too, may take a connection that nobody will serve
    answer = radsec_router(isp).log_in("alice")
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_of_tls_and_packets_in_any_pieces(
    isp: RadsecIsp, radsec_router: MakeRouter, world: World, version: ssl.TLSVersion
) -> None:
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    router = radsec_router(isp, version)
    answer = router.log_in("alice")
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    request = router.client.access("alice", "secret")
    for at in range(0, len(request), 7):
        router.send(request[at : at + 7])
    answer = router.receive()
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    requests = [router.client.access("alice", "secret") for _ in range(200)]
    router.send(b"".join(requests))
    answered = set()
    while len(answered) < 200:
        answer = router.receive()
        assert answer is not None
        answered.add(answer.identifier)
    # Repeated on the same connection: the same answer, no second login. Without Message-Authenticator: TLS protects.
    router.send(requests[-1])
    assert router.receive() is not None
    plain = router.client.access("alice", "secret", message_authenticator=False, extra=b"\x21\x04ps")
    answer = router.ask(plain)
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    status = router.client.signed(codes.STATUS_SERVER, bytes(range(16)), b"")
    answer = router.ask(status)
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    assert router.account(codes.ACCT_START, "s1", "alice")
    router.close()
    wait_for(lambda: counted(world, isp).get("auth.duplicate") == 1)


def test_who_is_not_let_in(
    isp: RadsecIsp,
    radsec_router: MakeRouter,
    settings: Settings,
    world: World,
    database: Database,
    make_radsec_isp: Callable[[], RadsecIsp],
) -> None:
    other = make_radsec_isp()
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    world.subscriber(other.tenant, "bob", max_sessions=0)
    router = radsec_router(isp)
    answer = router.log_in("bob")  # another ISP's subscriber, whatever the packet says
    assert answer is not None
    assert answer.code == codes.ACCESS_REJECT
    # Without a certificate
    context = ssl.create_default_context(cafile=str(isp.files[0]))
    bare = context.wrap_socket(
        socket.create_connection((settings.bind, settings.radsec_port), timeout=15), server_hostname="127.0.0.1"
    )
    bare.settimeout(15)
    with bare, pytest.raises(ssl.SSLError, match=r"(?i)certificate.required"):
        bare.recv(1)
    # A certificate that the authority signed but nobody issued, and one of another authority
    world.run("UPDATE registry.radsec_credentials SET identity = 'x' WHERE tenant_id = %s", other.tenant.id)
    wait_for(lambda: radsec_router(other).is_closed(0.3))  # the process has heard of it
    with tenant_scope(database, isp.ref) as scope:
        withdraw_credential(scope, isp.issued.credential_id, actor=SYSTEM, now=clock.now())
    assert router.is_closed()  # the open connection, too
    again = radsec_router(isp)
    assert again.is_closed()
    refused = "SELECT reason FROM aaa.refused_packet WHERE tenant_id = %s AND reason <> 'unknown_user'"
    wait_for(lambda: world.query(refused, isp.tenant.id) == [("radsec_withdrawn",)])


def test_streams_that_cannot_be_followed_end_and_silent_ones_too(
    isp: RadsecIsp, radsec_router: MakeRouter, settings: Settings, world: World
) -> None:
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    good = radsec_router(isp)
    for stream in (
        b"\x01\x02\x00\x05" + bytes(100),  # shorter than a header
        b"\x01\x02\xff\xff" + bytes(100),  # longer than a packet
        b"\xfe\x02\x00\x14" + bytes(16),  # a code that does not exist
        b"\x01\x02\x00\x18" + bytes(16) + b"\x01\x0aab",  # an attribute beyond the end
        good.client.signed(codes.ACCESS_REQUEST, bytes(16), encode.text(codes.USER_NAME, "alice"))[:-1] + b"\x00",
        good.client.accounting(codes.ACCT_START, "s", "alice")[:-1] + b"\x00",
    ):
        router = radsec_router(isp)
        router.send(stream)
        assert router.is_closed(), stream
        router.close()
    with socket.create_connection((settings.bind, settings.radsec_port), timeout=15) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        assert plain.recv(100)[:1] in (b"", b"\x15")  # an alert at most
    with socket.create_connection((settings.bind, settings.radsec_port), timeout=60) as silent:
        began = time.monotonic()
        with contextlib.suppress(ConnectionResetError):
            assert silent.recv(1) == b""
        assert 8 < time.monotonic() - began < 10 + limit(3)
    answer = good.log_in("alice")
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    counts = wait_for(lambda: (c := counted(world, isp)).get("auth.dropped:wrong_secret") and c)
    assert counts["acct.dropped:wrong_secret"] == 1
    assert counts["radsec.dropped:bad_length"] == 2


def test_a_disconnect_goes_back_through_the_routers_own_connection(
    isp: RadsecIsp, radsec_router: MakeRouter, world: World, processes: Processes
) -> None:
    """The router stands behind NAT: no packet could reach it by UDP."""
    account = world.subscriber(isp.tenant, "alice")
    processes.start("radius_cluster.coa", "coa_ready")
    router = radsec_router(isp)
    assert router.account(codes.ACCT_START, "s1", "alice")
    payload = {"nas_id": isp.nas_id, "session_id": "s1", "username": "alice", "account_id": account, "framed_ip": ""}
    add = (
        "INSERT INTO work.outbox (tenant_id, topic, subject, payload) VALUES (%s, 'radius.disconnect', %s, %s::jsonb)"
        " RETURNING id"
    )

    def cut() -> int:
        [(made,)] = world.query(add, isp.tenant.id, f"account:{account}", json.dumps(payload))
        world.run("SELECT pg_notify('broadloom_outbox', 'radius')")
        return int(made)

    asked: list[Packet] = []

    def ended(answer: int, attributes: bytes = b"") -> str:
        state, requests = router.obey_until_ended(world, cut(), answer, attributes)
        asked.extend(requests)
        return state

    # Until the radsec process has told the coa process of this connection, there is no address.
    wait_for(lambda: ended(codes.DISCONNECT_ACK) == "done")
    assert {(p.code, p.text(codes.USER_NAME), p.text(codes.ACCT_SESSION_ID)) for p in asked} == {
        (codes.DISCONNECT_REQUEST, "alice", "s1")
    }
    assert ended(codes.DISCONNECT_NAK, encode.number(101, 404)) == "refused"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_a_pre_shared_key_names_the_router(
    isp: RadsecIsp, settings: Settings, world: World, database: Database, version: str
) -> None:
    world.subscriber(isp.tenant, "alice", max_sessions=0)
    with tenant_scope(database, isp.ref) as scope:
        issued = issue_psk(scope, isp.nas_id, actor=SYSTEM, now=clock.now())

    def is_known() -> bool:
        first = _Openssl(settings, version, issued.identity, issued.key_hex, isp.identifier)
        answered = bool(first.ask(first.request("alice")))
        first.close()
        return answered

    wait_for(is_known)  # the process has heard of the key
    router = _Openssl(settings, version, issued.identity, issued.key_hex, isp.identifier)
    wrong = _Openssl(settings, version, issued.identity, "00" * 32, isp.identifier)
    assert wrong.ask(wrong.request("alice")) == b""
    wrong.close()
    request = router.request("alice")
    reply = router.ask(request)
    assert reply[:2] == bytes((codes.ACCESS_ACCEPT, request[1]))
    with tenant_scope(database, isp.ref) as scope:
        withdraw_credential(scope, issued.credential_id, actor=SYSTEM, now=clock.now())
    assert router.process.wait(30) is not None
    router.close()


class _Openssl:
    """``openssl s_client`` as a router."""

    def __init__(self, settings: Settings, version: str, identity: str, key_hex: str, nas: str) -> None:
        command = ["openssl", "s_client", "-connect", f"{settings.bind}:{settings.radsec_port}"]
        command += ["-quiet", "-nocommands", version, "-psk_identity", identity, "-psk", key_hex]
        command += ["-cipher", "PSK"] if version == "-tls1_2" else []
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._client = Client(settings, nas, "radsec")

    def request(self, username: str) -> bytes:
        return self._client.access(username, "secret")

    def ask(self, request: bytes) -> bytes:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        try:
            self.process.stdin.write(request)
            self.process.stdin.flush()
        except BrokenPipeError:
            return b""
        return self.process.stdout.read(20)

    def close(self) -> None:
        """End it."""
        self._client.close()
        self.process.kill()
        self.process.communicate()


def test_through_a_load_balancer(
    make_radsec_isp: Callable[[], RadsecIsp], processes: Processes, world: World, settings: Settings
) -> None:
    made = make_radsec_isp()
    world.subscriber(made.tenant, "alice", max_sessions=0)
    processes.settings = dataclasses.replace(processes.settings, radius_balancers="127.0.0.1")
    processes.start("radius_cluster.radsec", "radsec_ready")
    header = encode_proxy_header(("203.0.113.9", 41_000), ("192.0.2.1", 2083), datagram=False)
    router = RadsecRouter(settings, made, before=header)
    try:
        answer = router.log_in("alice")
        assert answer is not None
        assert answer.code == codes.ACCESS_ACCEPT
    finally:
        router.close()
    [(source,)] = wait_for(
        lambda: world.query(
            "SELECT last_source FROM registry.nas WHERE id = %s AND last_source <> ''",
            made.nas_id,
        )
    )
    assert source == "203.0.113.9:41000"
    with pytest.raises(OSError):  # without its header a balancer's connection is ended before TLS begins
        RadsecRouter(settings, made)
