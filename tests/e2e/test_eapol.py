"""wpa_supplicant's eapol_test against the EAP state machine: all methods, keys, refusals, pieces, resumption."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from radius_cluster.process.eap.message import MD5_CHALLENGE, MSCHAPV2, PEAP, TTLS
from radius_cluster.process.eap.steps import Accept, Challenge, Forward, Reject
from tests.e2e.eap_server import SECRET, EapTestServer

pytestmark = [
    pytest.mark.radius_client,
    pytest.mark.skipif(shutil.which("eapol_test") is None, reason="eapol_test is not installed"),
]

METHODS = {
    "EAP-MD5": 'eap=MD5\n identity="alice"',
    "EAP-MSCHAPv2": 'eap=MSCHAPV2\n identity="alice"',
    "PEAP/MSCHAPv2": 'eap=PEAP\n identity="alice"\n anonymous_identity="anonymous"\n phase2="auth=MSCHAPV2"',
    "TTLS/PAP": 'eap=TTLS\n identity="alice"\n anonymous_identity="anonymous"\n phase2="auth=PAP"',
    "TTLS/CHAP": 'eap=TTLS\n identity="alice"\n anonymous_identity="anonymous"\n phase2="auth=CHAP"',
    "TTLS/MSCHAPv2": 'eap=TTLS\n identity="alice"\n anonymous_identity="anonymous"\n phase2="auth=MSCHAPV2"',
}
TUNNELLED = [name for name in METHODS if "/" in name]


@pytest.fixture
def server() -> Iterator[EapTestServer]:
    running = EapTestServer()
    yield running
    running.close()


def eapol_test(
    server: EapTestServer, folder: Path, method: str, *options: str, password: str = "correct horse", extra: str = ""
) -> subprocess.CompletedProcess[str]:
    (folder / "ca.pem").write_bytes(server.authority.certificate_pem)
    config = folder / "network.conf"
    tunnel = f' ca_cert="{folder}/ca.pem"\n domain_match="radius.test"\n' if method in TUNNELLED else ""
    config.write_text(f'network={{\n key_mgmt=WPA-EAP\n {METHODS[method]}\n password="{password}"\n{tunnel}{extra}}}\n')
    keys = ["-n"] if method == "EAP-MD5" else []  # it has none
    command = [
        "eapol_test",
        "-c",
        str(config),
        "-p",
        str(server.port),
        "-s",
        SECRET.decode(),
        "-t",
        "10",
        *keys,
        *options,
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("method", METHODS)
def test_right_password(server: EapTestServer, tmp_path: Path, method: str) -> None:
    result = eapol_test(server, tmp_path, method)
    assert result.returncode == 0, result.stdout[-3000:]
    assert result.stdout.rstrip().endswith("SUCCESS")
    if method != "EAP-MD5":
        assert "MPPE keys OK: 1  mismatch: 0" in result.stdout
    accept = server.steps[-1]
    assert isinstance(accept, Accept)
    assert (accept.user_name, accept.method) == ("alice", method)
    if method in TUNNELLED:
        assert any(isinstance(step, Forward) for step in server.steps)  # it did reach the other process


@pytest.mark.parametrize("method", METHODS)
def test_wrong_password(server: EapTestServer, tmp_path: Path, method: str) -> None:
    result = eapol_test(server, tmp_path, method, password="wrong")
    assert result.returncode != 0
    assert result.stdout.rstrip().endswith("FAILURE")
    reject = server.steps[-1]
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.user_name) == ("wrong_password", "alice")
    assert all(one.conversations == 0 for one in server.servers.values())


def test_unknown_user(server: EapTestServer, tmp_path: Path) -> None:
    server.users = {"bob": "correct horse"}
    result = eapol_test(server, tmp_path, "PEAP/MSCHAPv2")
    assert result.returncode != 0
    reject = server.steps[-1]
    assert isinstance(reject, Reject)
    assert reject.reason == "unknown_user"


@pytest.mark.parametrize("method", TUNNELLED)
def test_pieces_of_500_octets_both_ways(server: EapTestServer, tmp_path: Path, method: str) -> None:
    """``fragment_size`` makes the supplicant cut, Framed-MTU the server (which counts 4 octets of 802.1X header)."""
    result = eapol_test(server, tmp_path, method, "-N", "12:d:500", extra=" fragment_size=500\n")
    assert result.returncode == 0, result.stdout[-3000:]
    assert "MPPE keys OK: 1  mismatch: 0" in result.stdout
    sizes = [len(step.eap) for step in server.steps if isinstance(step, Challenge)]
    assert max(sizes) == 496
    assert sizes.count(496) >= 2  # the certificate chain did go out in pieces


@pytest.mark.parametrize("method", TUNNELLED)
def test_pieces_of_100_octets(server: EapTestServer, tmp_path: Path, method: str) -> None:
    result = eapol_test(server, tmp_path, method, extra=" fragment_size=100\n")
    assert result.returncode == 0, result.stdout[-3000:]


@pytest.mark.parametrize("method", TUNNELLED)
def test_resumption(tmp_path: Path, method: str) -> None:
    server = EapTestServer(processes=1)  # resumption is a process's own
    try:
        result = eapol_test(server, tmp_path, method, "-r", "1")
    finally:
        server.close()
    assert result.returncode == 0, result.stdout[-3000:]
    assert "MPPE keys OK: 2  mismatch: 0" in result.stdout
    accepts = [step for step in server.steps if isinstance(step, Accept)]
    assert [accept.method for accept in accepts] == [method, method.partition("/")[0] + "/resumed"]
    assert accepts[0].send_key != accepts[1].send_key


def test_resumption_at_another_process_is_a_full_handshake(server: EapTestServer, tmp_path: Path) -> None:
    result = eapol_test(server, tmp_path, "TTLS/PAP", "-r", "3")
    assert result.returncode == 0, result.stdout[-3000:]
    assert "MPPE keys OK: 4  mismatch: 0" in result.stdout


@pytest.mark.parametrize(
    ("method", "kind"), [("EAP-MD5", MD5_CHALLENGE), ("EAP-MSCHAPv2", MSCHAPV2), ("TTLS/PAP", TTLS)]
)
def test_negotiation_by_nak(server: EapTestServer, tmp_path: Path, method: str, kind: int) -> None:
    """The server offers PEAP first; the peer wants another."""
    assert server.methods[0] == PEAP
    assert eapol_test(server, tmp_path, method).returncode == 0
    server.methods = (PEAP,)
    assert eapol_test(server, tmp_path, method).returncode != 0
    reject = server.steps[-1]
    assert isinstance(reject, Reject)
    assert reject.reason == "eap_no_common_method"


def test_a_supplicant_that_does_not_trust_the_authority(server: EapTestServer, tmp_path: Path) -> None:
    other = EapTestServer()
    try:
        server.authority = other.authority
        result = eapol_test(server, tmp_path, "PEAP/MSCHAPv2")
    finally:
        other.close()
    assert result.returncode != 0
    reject = server.steps[-1]
    assert isinstance(reject, Reject)
    assert reject.reason == "eap_tls_failed"
