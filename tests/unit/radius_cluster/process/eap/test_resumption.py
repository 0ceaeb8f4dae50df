"""Resumed TLS sessions: who is spared the password, and who never is."""

import pytest

from radius_cluster.process.eap.message import (
    PEAP,
    TTLS,
)
from radius_cluster.process.eap.steps import Accept, Reject
from tests.unit.radius_cluster.process.eap.cluster import NOW, PASSWORD, Cluster, profile
from tests.unit.radius_cluster.process.eap.supplicant import (
    TlsSupplicant,
)


@pytest.mark.parametrize("kind", [TTLS, PEAP])
def test_resumption(cluster: Cluster, kind: int) -> None:
    full = TlsSupplicant(kind, PASSWORD)
    first, _ = cluster.converse(full)
    assert isinstance(first, Accept)
    short = TlsSupplicant(kind, "not asked for", full.session())
    second, _ = cluster.converse(short)
    assert isinstance(second, Accept)
    assert second.user_name == "alice"
    assert second.method.endswith("/resumed")
    assert short.rounds < full.rounds
    assert (second.send_key, second.receive_key) == short.keys()


def test_resumption_is_refused_once_the_password_changed(cluster: Cluster) -> None:
    full = TlsSupplicant(TTLS, PASSWORD)
    cluster.converse(full)
    refused, _ = cluster.converse(TlsSupplicant(TTLS, PASSWORD, full.session()), "a new password")
    assert isinstance(refused, Reject)
    assert refused.reason == "wrong_password"


@pytest.mark.parametrize(("kind", "method"), [(TTLS, "TTLS/PAP"), (PEAP, "PEAP/MSCHAPv2")])
def test_resumption_after_its_time_asks_for_the_password(cluster: Cluster, kind: int, method: str) -> None:
    full = TlsSupplicant(kind, PASSWORD)
    cluster.converse(full)
    later, _ = cluster.converse(TlsSupplicant(kind, PASSWORD, full.session()), now=NOW + 3601)
    assert isinstance(later, Accept)
    assert later.method == method


def test_a_refused_tunnel_is_never_resumed(cluster: Cluster) -> None:
    """The handshake went well, the password did not: its session must not open the door (the "fast reconnect" trap)."""
    full = TlsSupplicant(TTLS, "wrong")
    reject, _ = cluster.converse(full)
    assert isinstance(reject, Reject)
    again, _ = cluster.converse(TlsSupplicant(TTLS, "wrong", full.session()))
    assert isinstance(again, Reject)
    assert again.reason == "wrong_password"  # it was asked for one


def test_no_resumption_where_it_is_switched_off() -> None:
    cluster = Cluster()
    cluster.tls["one"] = profile(resume_seconds=0)
    full = TlsSupplicant(PEAP, PASSWORD)
    cluster.converse(full)
    accept, _ = cluster.converse(TlsSupplicant(PEAP, PASSWORD, full.session()))
    assert isinstance(accept, Accept)
    assert accept.method == "PEAP/MSCHAPv2"
