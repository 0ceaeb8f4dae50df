"""Routers behind a load balancer: known by their own address, answered through the balancer (PROXY protocol v2)."""

import dataclasses
import secrets
from collections.abc import Callable

from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, verify_response
from radius_cluster.wire.proxy_protocol import encode_proxy_header
from tests.fixtures.radius import SECRET, Client, Processes, World, wait_for

BALANCER = "127.0.0.2"


def header(address: str, port: int = 40_000) -> bytes:
    return encode_proxy_header((address, port), ("192.0.2.1", 1812), datagram=True)


def answer_of(router: Client, data: bytes, request: bytes, *, timeout: float = 5.0) -> Packet | None:
    router.socket.settimeout(timeout)
    settings_port = router._acct if request[0] == codes.ACCOUNTING_REQUEST else router._auth
    router.socket.sendto(data, settings_port)
    try:
        reply, _ = router.socket.recvfrom(4096)
    except TimeoutError:
        return None
    answer = verify_response(reply, request[4:20], SECRET.encode())
    assert isinstance(answer, Packet)
    return answer


def test_the_senders_address_counts(world: World, processes: Processes, client: Callable[..., Client]) -> None:
    address = f"203.0.113.{1 + secrets.randbelow(250)}"
    tenant = world.tenant()
    world.run("UPDATE registry.nas SET address = NULL, auth_mode = 'identifier' WHERE host(address) = %s", address)
    nas_id, identifier = world.nas(tenant, address=address, auth_mode="address")
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.settings = dataclasses.replace(processes.settings, radius_balancers=f"{BALANCER} 198.51.100.0/24")
    processes.start()
    processes.start()  # what one process may hand to another stays right

    balanced, stranger = client("", address=BALANCER), client("", address="127.0.0.3")
    request = balanced.access("alice")
    answer = answer_of(balanced, header(address) + request, request)
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    assert answer_of(balanced, header(address) + request, request) is not None  # the same answer for a repeat
    named = client(identifier, address=BALANCER)
    report = named.accounting(codes.ACCT_START, "s1", "alice")
    assert answer_of(named, header(address) + report, report) is not None
    [session] = wait_for(lambda: world.sessions(tenant))
    assert session["nas_id"] == nas_id

    # Another sender behind the same balancer is nobody; nobody else may say who he is; the header must be whole.
    other = balanced.access("alice")
    assert answer_of(balanced, header("203.0.113.255") + other, other, timeout=0.2) is None
    assert answer_of(stranger, header(address) + other, other, timeout=0.2) is None
    assert answer_of(balanced, other, other, timeout=0.2) is None
    assert answer_of(balanced, header(address)[:20], other, timeout=0.2) is None
    counted = wait_for(
        lambda: world.query(
            "SELECT sum(packets)::int FROM aaa.packet_count WHERE tenant_id = 0"
            " AND outcome = 'dropped:bad_proxy_header' HAVING sum(packets) >= 2"
        )
    )
    assert counted
    [(seen,)] = wait_for(
        lambda: world.query("SELECT last_source FROM registry.nas WHERE id = %s AND last_source <> ''", nas_id)
    )
    assert seen == f"{address}:40000"
