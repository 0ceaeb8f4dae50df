"""What a login teaches: the device and the line that an account is bound to (SUB-8)."""

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tests.fixtures.radius import Processes, World

ACCEPT, REJECT = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT


@pytest.mark.parametrize(
    "wish", [{"bind_mac": "learn"}, {"bind_options": '{"learn": ["ip"], "ip_since": "2026-11-23T10:00:00+00:00"}'}]
)
def test_learned_binding_is_told(world: World, processes: Processes, client, wish: dict[str, str]) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    account_id = world.subscriber(tenant, "alice", **wish)
    processes.start()
    calling = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-22")
    assert client(identifier).log_in("alice", extra=calling).code == ACCEPT
    [(payload,)] = world.query(
        "SELECT payload FROM work.outbox WHERE tenant_id = %s AND topic = 'account.bind'", tenant.id
    )
    assert payload == {"account_id": account_id, "mac": "aa:bb:cc:00:11:22", "port": "", "nas_id": nas_id}


def test_a_line_that_only_the_access_node_names_is_learned_and_kept_to(
    world: World, processes: Processes, client
) -> None:
    """IPoE: no NAS-Port-Id, but the DHCP relay's option 82."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", bind_port="learn", max_sessions=0)
    world.subscriber(tenant, "bob", bind_port="OLT1 eth 1/2/3:100", max_sessions=0)
    world.subscriber(tenant, "carol", bind_port="100", max_sessions=0)
    processes.start()
    here, there = (encode.vendor_text(3561, 1, f"OLT{node} eth 1/2/3:100") for node in (1, 2))
    assert client(identifier).log_in("alice", extra=here).code == ACCEPT
    [(payload,)] = world.query(
        "SELECT payload FROM work.outbox WHERE tenant_id = %s AND topic = 'account.bind'", tenant.id
    )
    assert payload["port"] == "OLT1 eth 1/2/3:100"
    assert client(identifier).log_in("bob", extra=here).code == ACCEPT
    assert client(identifier).log_in("carol", extra=there).code == ACCEPT
    asked = [client(identifier) for _ in range(2)]
    for router, extra in zip(asked, (there, b""), strict=True):  # another node's same port, and none
        request = router.access("bob", extra=extra)
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    assert [router.socket.recvfrom(4096)[0][0] for router in asked] == [REJECT] * 2
