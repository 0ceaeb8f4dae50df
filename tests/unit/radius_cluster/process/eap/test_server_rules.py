"""Rules of the EAP server one by one: who gets which refusal, what is passed over, what is kept for how long."""

import os

import pytest

from radius_cluster.process.eap import server
from radius_cluster.process.eap.message import IDENTITY, MD5_CHALLENGE, MSCHAPV2, PEAP, RESPONSE, TTLS, encode_message
from radius_cluster.process.eap.server import ALL_METHODS, CONVERSATION_SECONDS, EapServer
from radius_cluster.process.eap.steps import Accept, Ask, Challenge, Discard, Reject, Step
from radius_cluster.wire.mschap import mppe_keys, nt_hash
from tests.unit.radius_cluster.process.eap.cluster import KEY, NAS, NOW, PASSWORD, Cluster
from tests.unit.radius_cluster.process.eap.supplicant import (
    TlsSupplicant,
    identity,
    md5_response,
    mschapv2_data,
    mschapv2_response,
    nak,
)


def failure(identifier: int) -> bytes:
    return bytes((4, identifier, 0, 4))


def refused(step: Step, reason: str, identifier: int, user_name: str = "alice") -> None:
    assert step == Reject(reason, failure(identifier), user_name)


def at_inner_password(cluster: Cluster) -> tuple[TlsSupplicant, Challenge, Ask]:
    """A TTLS conversation whose password is being looked up, and the packet before."""
    supplicant = TlsSupplicant(TTLS, PASSWORD)
    step: Step = cluster.start(TTLS)
    while isinstance(step, Challenge):
        before, eap = step, supplicant.respond(step.eap)
        step = cluster.receive(cluster.one, eap, step.state)
    assert isinstance(step, Ask)
    return supplicant, before, step


def test_identifiers_go_on_by_one_and_around(cluster: Cluster) -> None:
    for first in (0, 41, 254, 255):
        offered = cluster.receive(cluster.one, identity(identifier=first), methods=(MSCHAPV2,))
        assert isinstance(offered, Challenge)
        assert offered.eap[1] == (first + 1) % 256
        ask = cluster.receive(cluster.one, mschapv2_response(offered.eap, PASSWORD), offered.state)
        assert isinstance(ask, Ask)
        proof = cluster.one.answer(ask, PASSWORD, now_seconds=NOW)
        assert isinstance(proof, Challenge)
        assert proof.eap[1] == (first + 2) % 256
        begun = cluster.receive(cluster.one, identity(identifier=first), methods=(PEAP,))
        assert isinstance(begun, Challenge)
        hello = cluster.receive(cluster.one, TlsSupplicant(PEAP, PASSWORD).respond(begun.eap), begun.state)
        assert isinstance(hello, Challenge)
        assert hello.eap[1] == (first + 2) % 256


def test_the_form_of_the_challenges() -> None:
    made = EapServer(KEY, "one", lambda octets: bytes(range(octets)))
    for method, data in (
        (MD5_CHALLENGE, b"\x10" + bytes(range(16)) + b"broadloom"),
        (MSCHAPV2, b"\x01\x02\x00\x1e\x10" + bytes(range(16)) + b"broadloom"),
    ):
        step = made.receive(identity(), b"", binding=NAS, now_seconds=NOW, tls=None, methods=(method,))
        assert isinstance(step, Challenge)
        assert step.eap == encode_message(1, 2, method, data)


def test_keys_of_mschapv2_are_send_and_receive(cluster: Cluster) -> None:
    offered = cluster.start(MSCHAPV2)
    response = mschapv2_data(offered.eap[5:], PASSWORD)[29:53]
    ask = cluster.receive(cluster.one, mschapv2_response(offered.eap, PASSWORD), offered.state)
    assert isinstance(ask, Ask)
    proof = cluster.one.answer(ask, PASSWORD, now_seconds=NOW)
    assert isinstance(proof, Challenge)
    last = cluster.receive(cluster.other, mschapv2_response(proof.eap, PASSWORD), proof.state)
    assert isinstance(last, Ask)
    accept = cluster.other.answer(last, PASSWORD, now_seconds=NOW)
    assert isinstance(accept, Accept)
    assert (accept.send_key, accept.receive_key) == mppe_keys(nt_hash(PASSWORD), response)


def test_who_is_refused_for_what(cluster: Cluster) -> None:
    offered = cluster.start(MSCHAPV2)
    identifier = offered.eap[1]
    again = encode_message(RESPONSE, identifier, IDENTITY, b"bob")  # nobody changes his name on the way
    refused(cluster.receive(cluster.one, again, offered.state), "eap_protocol_error", identifier)
    broken = encode_message(RESPONSE, identifier, MSCHAPV2, b"\x02\x02")
    refused(cluster.receive(cluster.one, broken, offered.state), "eap_protocol_error", identifier)
    unwanted = nak(offered.eap, 99)
    refused(cluster.receive(cluster.one, unwanted, offered.state), "eap_no_common_method", identifier)
    refused(cluster.receive(cluster.one, identity(), methods=()), "eap_no_common_method", 1)
    refused(cluster.receive(cluster.one, identity(b"")), "unknown_user", 1, "")
    started = cluster.receive(cluster.one, b"")
    assert isinstance(started, Challenge)
    other = encode_message(RESPONSE, started.eap[1], MD5_CHALLENGE, b"")
    refused(cluster.receive(cluster.one, other, started.state), "eap_protocol_error", started.eap[1], "")
    tunnel = cluster.start(PEAP)
    hello = TlsSupplicant(PEAP, PASSWORD).respond(tunnel.eap)
    step = cluster.one.receive(hello, tunnel.state, binding=NAS, now_seconds=NOW, tls=None, methods=ALL_METHODS)
    refused(step, "eap_protocol_error", tunnel.eap[1])


@pytest.mark.parametrize("data", [b"", b"\x10" + bytes(15), b"\x0f" + bytes(16)])
def test_md5_responses_of_a_wrong_form(cluster: Cluster, data: bytes) -> None:
    offered = cluster.start(MD5_CHALLENGE)
    response = encode_message(RESPONSE, offered.eap[1], MD5_CHALLENGE, data)
    refused(cluster.receive(cluster.one, response, offered.state), "eap_protocol_error", offered.eap[1])
    nameless = md5_response(offered.eap, PASSWORD)[: 5 + 17]
    ask = cluster.receive(cluster.one, nameless[:2] + b"\0\x16" + nameless[4:], offered.state)
    assert isinstance(ask, Ask)
    assert ask.check.verify(PASSWORD)


def test_an_empty_message_begins_only_without_a_state(cluster: Cluster) -> None:
    offered = cluster.start(MSCHAPV2)
    assert cluster.receive(cluster.one, b"", offered.state) == Discard("eap_malformed")
    begun = cluster.receive(cluster.one, b"")
    assert isinstance(begun, Challenge)
    assert begun.eap == b"\x01\x00\x00\x05\x01"


def test_a_state_is_good_until_its_last_second(cluster: Cluster) -> None:
    offered = cluster.start(MSCHAPV2)
    response = mschapv2_response(offered.eap, PASSWORD)
    last = NOW + CONVERSATION_SECONDS
    assert isinstance(cluster.receive(cluster.one, response, offered.state, now=last), Ask)
    late = cluster.receive(cluster.one, response, offered.state, now=last + 1)
    assert late == Reject("eap_timed_out", failure(offered.eap[1]))


def test_while_a_password_is_looked_up_its_conversation_waits(cluster: Cluster) -> None:
    _supplicant, before, ask = at_inner_password(cluster)
    repeated = encode_message(RESPONSE, before.eap[1], TTLS, b"\0")
    assert cluster.receive(cluster.one, repeated, before.state) == Discard("eap_busy")
    accept = cluster.one.answer(ask, PASSWORD, now_seconds=NOW)
    assert isinstance(accept, Accept)


def test_a_conversation_that_went_while_its_password_was_looked_up(cluster: Cluster) -> None:
    _supplicant, _before, ask = at_inner_password(cluster)
    cluster.one.forget_old(NOW + 2 * CONVERSATION_SECONDS)
    refused(cluster.one.answer(ask, PASSWORD, now_seconds=NOW), "eap_conversation_lost", ask.identifier)


def test_packets_that_are_not_the_next_of_a_tunnel_are_passed_over(cluster: Cluster) -> None:
    supplicant = TlsSupplicant(PEAP, PASSWORD)
    begun = cluster.start(PEAP)
    first = cluster.receive(cluster.one, supplicant.respond(begun.eap), begun.state)
    assert isinstance(first, Challenge)
    right = supplicant.respond(first.eap)
    for wrong in (
        right[:1] + bytes((right[1] ^ 1,)) + right[2:],
        right[:4] + bytes((TTLS,)) + right[5:],
        encode_message(RESPONSE, right[1], MSCHAPV2, b""),
    ):
        assert cluster.receive(cluster.one, wrong, first.state) == Discard("eap_wrong_identifier")
    assert isinstance(cluster.receive(cluster.one, right, first.state), Challenge)  # nothing of it is lost


def test_of_too_many_conversations_the_oldest_goes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_MOST_CONVERSATIONS", 3)
    begun = [cluster.start(PEAP) for _ in range(5)]
    hellos = [TlsSupplicant(PEAP, PASSWORD) for _ in range(5)]
    steps = [
        cluster.receive(cluster.one, hello.respond(one.eap), one.state)
        for hello, one in zip(hellos, begun, strict=True)
    ]
    assert cluster.one.conversations == 3
    outcomes = []
    for hello, step in zip(hellos, steps, strict=True):
        assert isinstance(step, Challenge)
        outcomes.append(type(cluster.receive(cluster.one, hello.respond(step.eap), step.state)))
    assert outcomes == [Reject, Reject, Challenge, Challenge, Challenge]
    late = NOW + CONVERSATION_SECONDS + 1  # those that fell silent go first, all of them
    again = cluster.start(PEAP, now=late)
    cluster.receive(cluster.one, TlsSupplicant(PEAP, PASSWORD).respond(again.eap), again.state, now=late)
    assert cluster.one.conversations == 1


def test_who_never_comes_to_the_point_is_refused(cluster: Cluster) -> None:
    step: Step = cluster.start(TTLS)
    rounds = 0
    while isinstance(step, Challenge):
        rounds += 1
        piece = encode_message(RESPONSE, step.eap[1], TTLS, b"\x40x")  # one octet, and more to come
        step = cluster.receive(cluster.one, piece, step.state)
    assert isinstance(step, Reject)
    assert (step.reason, step.detail, rounds) == ("eap_tls_failed", "too many rounds", 61)
    assert cluster.one.conversations == 0


@pytest.mark.parametrize("kind", [PEAP, TTLS])
def test_more_inside_a_tunnel_than_anybody_has_to_say(cluster: Cluster, kind: int) -> None:
    """An inner packet's length has 16 bits: beyond, nothing could even be put together to be refused."""

    class Talker(TlsSupplicant):
        def _avps(self) -> bytes:
            self.connection.send(os.urandom(16_000))
            return os.urandom(16_000)

        def _inner(self, plain: bytes) -> bytes:
            return self._avps()

    reject, _ = cluster.converse(Talker(kind, PASSWORD))
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.detail) == ("eap_tls_failed", "too much at once")
