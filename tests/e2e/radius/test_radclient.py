"""FreeRADIUS's own radclient against real processes: what a network engineer would try first."""

from pathlib import Path

import pytest

from tests.fixtures.radclient import NEEDS_RADCLIENT, Radclient
from tests.fixtures.radius import SECRET, Processes, World, wait_for

pytestmark = [pytest.mark.radius_client, NEEDS_RADCLIENT]


@pytest.fixture
def isp(world: World, processes: Processes, tmp_path: Path):
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    processes.start()
    ports = processes.settings.radius_auth_port, processes.settings.radius_acct_port
    return tenant, Radclient(ports, identifier, SECRET, tmp_path)


@pytest.mark.parametrize("attribute", ["User-Password", "CHAP-Password", "MS-CHAP-Password"])
def test_methods(world: World, isp, attribute: str) -> None:
    tenant, radclient = isp
    world.subscriber(tenant, "alice", "s3cret-word", max_sessions=0)
    asked = 'User-Name = "alice"\nMessage-Authenticator = 0x00\n'
    answer = radclient("auth", f'{asked}{attribute} = "s3cret-word"')
    assert "Received Access-Accept" in answer
    assert 'Mikrotik-Rate-Limit = "10M/50M"' in answer
    assert "Framed-Pool = " in answer
    assert "Session-Timeout = 86400" in answer
    if attribute == "MS-CHAP-Password":
        assert "MS-CHAP-MPPE-Keys" in answer
    refused = radclient("auth", f'{asked}{attribute} = "another word"')
    assert "Received Access-Reject" in refused
    assert "Wrong password" in refused


def test_status_server(isp) -> None:
    _, radclient = isp
    assert "Received Access-Accept" in radclient("status", "Message-Authenticator = 0x00")


def test_accounting(world: World, isp) -> None:
    tenant, radclient = isp
    world.subscriber(tenant, "alice")
    common = 'User-Name = "alice"\nAcct-Session-Id = "81c00001"\nFramed-IP-Address = 100.64.0.5\n'
    assert "Accounting-Response" in radclient("acct", common + "Acct-Status-Type = Start")
    assert str(world.sessions(tenant)[0]["framed_ip"]) == "100.64.0.5"
    five_gigabytes = "Acct-Output-Gigawords = 1\nAcct-Output-Octets = 1073741824\nAcct-Input-Octets = 77\n"
    report = common + five_gigabytes + "Acct-Session-Time = 300\n"
    assert "Accounting-Response" in radclient("acct", report + "Acct-Status-Type = Interim-Update")
    assert world.sessions(tenant)[0]["octets_out"] == 5 * 1024**3
    assert "Accounting-Response" in radclient(
        "acct", report + "Acct-Terminate-Cause = User-Request\nAcct-Status-Type = Stop"
    )
    assert world.sessions(tenant) == []
    [closed] = world.history(tenant)
    assert (closed["octets_out"], closed["cause"]) == (5 * 1024**3, 1)
    assert world.usage(tenant) == (77, 5 * 1024**3, 300)


def test_wrong_secret_is_met_with_silence(world: World, isp) -> None:
    tenant, radclient = isp
    world.subscriber(tenant, "alice")
    answer = radclient("auth", 'User-Name = "alice"\nUser-Password = "secret"\nMessage-Authenticator = 0x00', "other")
    assert "No reply" in answer or "not responding" in answer.lower()
    wait_for(
        lambda: world.query(
            "SELECT 1 FROM aaa.refused_packet WHERE tenant_id = %s AND reason = 'wrong_secret'", tenant.id
        )
    )
