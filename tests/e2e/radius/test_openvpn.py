"""NET-6 with the real thing: OpenVPN and its RADIUS plug-in let subscribers in, report true octets, obey a refusal."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.fixtures.openvpn import IN_FLIGHT_OCTETS, OpenVpn, missing, short_ports
from tests.fixtures.radius import SECRET, Processes, World, WorldTenant, wait_for

_LACKING = missing()
pytestmark = [
    pytest.mark.radius_client,
    pytest.mark.skipif(bool(_LACKING), reason=_LACKING),
]
DISABLED = 2
UP, DOWN = 300_000, 2_000_000


@dataclass
class Concentrator:
    """The VPN server, and the ISP that it belongs to."""

    vpn: OpenVpn
    tenant: WorldTenant


@pytest.fixture
def concentrator(world: World, processes: Processes, tmp_path: Path) -> Iterator[Concentrator]:
    """A concentrator, registered as a router; the plug-in knows no Message-Authenticator."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant, "vpn", vendor="standard", message_authenticator="optional")
    world.subscriber(tenant, "alice")
    auth, acct = short_ports()
    processes.settings = replace(processes.settings, radius_auth_port=auth, radius_acct_port=acct)
    processes.start()
    made = OpenVpn(processes.settings, identifier, SECRET, tmp_path)
    yield Concentrator(made, tenant)
    made.close()


def serve_once(address: str) -> int:
    """A TCP server in the tunnel: reads all, answers DOWN octets. Gives its port."""
    listening = socket.create_server((address, 0))
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, IN_FLIGHT_OCTETS)

    def answer() -> None:
        with listening, listening.accept()[0] as opened:
            while opened.recv(65_536):
                continue
            opened.sendall(b"d" * DOWN)

    threading.Thread(target=answer, daemon=True).start()
    return int(listening.getsockname()[1])


def test_openvpn(concentrator: Concentrator, world: World) -> None:
    vpn, tenant = concentrator.vpn, concentrator.tenant
    client = vpn.connect("alice", "secret")
    client.wait_for("Initialization Sequence Completed")
    [opened] = wait_for(lambda: world.sessions(tenant))
    assert opened["username"] == "alice"
    client.fetch(vpn.server_address, serve_once(vpn.server_address), UP, DOWN)
    client.stop()
    [closed] = wait_for(lambda: world.history(tenant), 30)
    up, down = vpn.carried()  # all of it but the last handful of packets, and the first before there was a session
    assert UP < closed["octets_in"] <= up
    assert DOWN < closed["octets_out"] <= down
    assert closed["octets_in"] == pytest.approx(up, rel=0.05)
    assert closed["octets_out"] == pytest.approx(down, rel=0.05)

    world.set(tenant, "alice", state=DISABLED)
    refused = vpn.connect("alice", "secret")
    refused.wait_for("AUTH_FAILED")
    stranger = vpn.connect("alice", "guess")
    stranger.wait_for("AUTH_FAILED")
    assert "Initialization Sequence Completed" not in refused.log() + stranger.log()
    assert world.sessions(tenant) == []
    reasons = wait_for(
        lambda: (
            {
                reason
                for (reason,) in world.query("SELECT reason FROM aaa.refused_packet WHERE tenant_id = %s", tenant.id)
            }
            == {"disabled", "wrong_password"}
        )
    )
    assert reasons
