"""The EAP state machine with a fake supplicant: where packets arrive, what a State is worth, who is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL

from radius_cluster.process.eap import state
from radius_cluster.process.eap.message import (
    FAILURE,
    MD5_CHALLENGE,
    MSCHAPV2,
    PEAP,
    SUCCESS,
    TTLS,
    encode_message,
)
from radius_cluster.process.eap.server import ALL_METHODS, CONVERSATION_SECONDS, EapServer
from radius_cluster.process.eap.steps import Accept, Ask, Challenge, Discard, Forward, Reject, Step
from radius_cluster.wire import mschap
from radius_cluster.wire.packet import Packet, encode_access_response, parse
from tests.unit.radius_cluster.process.eap.cluster import (
    KEY,
    NAS,
    NOW,
    PASSWORD,
    Cluster,
)
from tests.unit.radius_cluster.process.eap.supplicant import (
    TlsSupplicant,
    client_context,
    identity,
    md5_response,
    mschapv2_response,
    nak,
)


def test_md5_continues_at_another_process(cluster: Cluster) -> None:
    step = cluster.start(MD5_CHALLENGE)
    ask = cluster.receive(cluster.other, md5_response(step.eap, PASSWORD), step.state)
    assert isinstance(ask, Ask)
    assert ask.user_name == "alice"
    accept = cluster.other.answer(ask, PASSWORD, now_seconds=NOW)
    assert isinstance(accept, Accept)
    assert accept.eap == bytes((SUCCESS, ask.identifier, 0, 4))
    assert (accept.method, accept.send_key) == ("EAP-MD5", b"")


def test_mschapv2_continues_at_another_process_each_time(cluster: Cluster) -> None:
    step = cluster.start(MSCHAPV2)
    ask = cluster.receive(cluster.other, mschapv2_response(step.eap, PASSWORD), step.state)
    assert isinstance(ask, Ask)
    proof = cluster.other.answer(ask, PASSWORD, now_seconds=NOW)
    assert isinstance(proof, Challenge)
    assert b"S=" in proof.eap
    last = cluster.receive(cluster.one, mschapv2_response(proof.eap, PASSWORD), proof.state)
    assert isinstance(last, Ask)  # asked again: the access decision wants a fresh row
    accept = cluster.one.answer(last, "changed in the meantime", now_seconds=NOW)
    assert isinstance(accept, Accept)
    assert (accept.user_name, accept.method) == ("alice", "EAP-MSCHAPv2")
    assert len(accept.send_key) == len(accept.receive_key) == 16
    assert accept.send_key != accept.receive_key


@pytest.mark.parametrize("method", [MD5_CHALLENGE, MSCHAPV2])
@pytest.mark.parametrize(("known", "reason"), [("another", "wrong_password"), (None, "unknown_user")])
def test_refusals(cluster: Cluster, method: int, known: str | None, reason: str) -> None:
    step = cluster.start(method)
    respond = md5_response if method == MD5_CHALLENGE else mschapv2_response
    ask = cluster.receive(cluster.one, respond(step.eap, PASSWORD), step.state)
    assert isinstance(ask, Ask)
    reject = cluster.one.answer(ask, known, now_seconds=NOW)
    assert reject == Reject(reason, bytes((FAILURE, ask.identifier, 0, 4)), "alice")


def test_a_windows_domain_takes_no_part_in_the_proof(cluster: Cluster) -> None:
    step = cluster.start(MSCHAPV2, b"OFFICE\\alice")
    ask = cluster.receive(cluster.one, mschapv2_response(step.eap, PASSWORD, b"OFFICE\\alice"), step.state)
    assert isinstance(ask, Ask)
    assert ask.user_name == "OFFICE\\alice"  # whose account that is, the caller knows
    assert isinstance(cluster.one.answer(ask, PASSWORD, now_seconds=NOW), Challenge)


def test_a_state_is_worth_nothing_elsewhere_later_or_altered(cluster: Cluster) -> None:
    step = cluster.start(MD5_CHALLENGE)
    response = md5_response(step.eap, PASSWORD)
    assert cluster.receive(cluster.one, response, step.state, binding=b"8/1") == Discard("eap_foreign_state")
    late = cluster.receive(cluster.one, response, step.state, now=NOW + CONVERSATION_SECONDS + 1)
    assert isinstance(late, Reject)
    assert late.reason == "eap_timed_out"
    for at in range(len(step.state)):
        altered = step.state[:at] + bytes((step.state[at] ^ 1,)) + step.state[at + 1 :]
        assert cluster.receive(cluster.one, response, altered) in (Discard("eap_foreign_state"), Forward("")) or at == 1
    stranger = EapServer(bytes(32), "one")
    assert cluster.receive(stranger, response, step.state) == Discard("eap_foreign_state")


def test_packets_that_do_not_belong(cluster: Cluster) -> None:
    step = cluster.start(MD5_CHALLENGE)
    wrong = md5_response(step.eap[:1] + b"\x63" + step.eap[2:], PASSWORD)
    assert cluster.receive(cluster.one, wrong, step.state) == Discard("eap_wrong_identifier")
    assert cluster.receive(cluster.one, md5_response(step.eap, PASSWORD)) == Discard("eap_without_state")
    assert cluster.receive(cluster.one, b"\x02\x01\x00") == Discard("eap_malformed")
    assert cluster.receive(cluster.one, b"\x01" + identity()[1:]) == Discard("eap_malformed")
    other_method = mschapv2_response(step.eap[:5] + b"\x01\x01\x00\x15\x10" + bytes(16), PASSWORD)
    assert isinstance(cluster.receive(cluster.one, other_method, step.state), Reject)


def test_start_without_identity_is_asked_for_one(cluster: Cluster) -> None:
    step = cluster.receive(cluster.one, b"")
    assert isinstance(step, Challenge)
    answered = cluster.receive(cluster.other, identity(identifier=step.eap[1]), step.state)
    assert isinstance(answered, Challenge)
    assert answered.eap[4] == PEAP


def test_negotiation(cluster: Cluster) -> None:
    step = cluster.receive(cluster.one, identity())
    assert isinstance(step, Challenge)
    assert step.eap[4] == PEAP
    wanted = cluster.receive(cluster.other, nak(step.eap, 13, MSCHAPV2, MD5_CHALLENGE), step.state)
    assert isinstance(wanted, Challenge)
    assert wanted.eap[4] == MSCHAPV2
    again = cluster.receive(cluster.other, nak(wanted.eap, MD5_CHALLENGE), wanted.state)
    assert isinstance(again, Reject)
    nothing = cluster.receive(cluster.other, nak(step.eap, 13), step.state)
    assert isinstance(nothing, Reject)
    assert nothing.reason == "eap_no_common_method"
    assert isinstance(cluster.receive(cluster.one, identity(), methods=()), Reject)


def test_without_a_certificate_only_methods_without_tunnel_are_offered(cluster: Cluster) -> None:
    step = cluster.one.receive(identity(), b"", binding=NAS, now_seconds=NOW, tls=None)
    assert isinstance(step, Challenge)
    assert step.eap[4] == MSCHAPV2


@pytest.mark.parametrize("name", [b"", b"x" * 121, "名".encode() * 41, b"\xff" * 60])
def test_identities_that_no_subscriber_has(cluster: Cluster, name: bytes) -> None:
    step = cluster.receive(cluster.one, identity(name))
    assert isinstance(step, Reject)
    assert step.reason == "unknown_user"


def test_the_longest_identity_still_fits_a_state(cluster: Cluster) -> None:
    step = cluster.start(MSCHAPV2, b"x" * 120)
    assert len(step.state) <= 253
    long_owner = EapServer(KEY, "n" * 64)
    first = cluster.receive(long_owner, identity(), methods=(TTLS,))
    assert isinstance(first, Challenge)
    owned = cluster.receive(long_owner, TlsSupplicant(TTLS, PASSWORD).respond(first.eap), first.state)
    assert isinstance(owned, Challenge)
    assert len(owned.state) <= 253
    assert state.owner_of(owned.state) == "n" * 64


@pytest.mark.parametrize(("kind", "method"), [(TTLS, "TTLS/PAP"), (PEAP, "PEAP/MSCHAPv2")])
@pytest.mark.parametrize("framed_mtu", [0, 200, 500, 1500])
def test_tunnels(cluster: Cluster, kind: int, method: str, framed_mtu: int) -> None:
    supplicant = TlsSupplicant(kind, PASSWORD)
    accept, steps = cluster.converse(supplicant, framed_mtu=framed_mtu)
    assert isinstance(accept, Accept)
    assert (accept.user_name, accept.method) == ("alice", method)
    assert (accept.send_key, accept.receive_key) == supplicant.keys()
    sizes = [len(step.eap) for step in steps if isinstance(step, Challenge)]
    assert max(sizes) <= (framed_mtu - 4 if framed_mtu else 1024)
    assert cluster.one.conversations == 0


@pytest.mark.parametrize("kind", [TTLS, PEAP])
@pytest.mark.parametrize(("known", "reason"), [("another", "wrong_password"), (None, "unknown_user")])
def test_tunnels_refuse(cluster: Cluster, kind: int, known: str | None, reason: str) -> None:
    supplicant = TlsSupplicant(kind, PASSWORD)
    reject, _ = cluster.converse(supplicant, known)
    assert isinstance(reject, Reject)
    assert (reject.reason, reject.user_name) == (reason, "alice")
    assert cluster.one.conversations == 0


def test_a_tunnel_starts_anywhere_and_then_belongs_to_its_process(cluster: Cluster) -> None:
    supplicant = TlsSupplicant(TTLS, PASSWORD)
    step = cluster.start(TTLS)
    taken = cluster.receive(cluster.other, supplicant.respond(step.eap), step.state)
    assert isinstance(taken, Challenge)
    hello = supplicant.respond(taken.eap)
    assert cluster.receive(cluster.one, hello, taken.state) == Forward("other")
    assert isinstance(cluster.receive(cluster.other, hello, taken.state), Challenge)


def test_a_tunnel_whose_process_restarted_is_refused(cluster: Cluster) -> None:
    supplicant = TlsSupplicant(TTLS, PASSWORD)
    step = cluster.start(TTLS)
    taken = cluster.receive(cluster.one, supplicant.respond(step.eap), step.state)
    assert isinstance(taken, Challenge)
    reborn = EapServer(KEY, "one")
    lost = cluster.receive(reborn, supplicant.respond(taken.eap), taken.state)
    assert isinstance(lost, Reject)
    assert lost.reason == "eap_conversation_lost"


def test_a_repeated_packet_gets_the_same_answer(cluster: Cluster) -> None:
    supplicant = TlsSupplicant(PEAP, PASSWORD)
    step = cluster.start(PEAP)
    first = cluster.receive(cluster.one, supplicant.respond(step.eap), step.state)
    assert isinstance(first, Challenge)
    second_response = supplicant.respond(first.eap)
    second = cluster.receive(cluster.one, second_response, first.state)
    repeated = cluster.receive(cluster.one, second_response, first.state)
    assert isinstance(second, Challenge)
    assert isinstance(repeated, Challenge)
    assert repeated.eap == second.eap


def test_silent_peers_are_forgotten(cluster: Cluster) -> None:
    step = cluster.start(PEAP)
    cluster.receive(cluster.one, TlsSupplicant(PEAP, PASSWORD).respond(step.eap), step.state)
    assert cluster.one.conversations == 1
    assert cluster.one.forget_old(NOW + CONVERSATION_SECONDS) == 0
    assert cluster.one.forget_old(NOW + CONVERSATION_SECONDS + 1) == 1
    assert cluster.one.conversations == 0


def test_tls_garbage_is_refused(cluster: Cluster) -> None:
    step = cluster.start(PEAP)
    rubbish = encode_message(2, step.eap[1], PEAP, b"\0" + b"\x16\x03\x01\x00\x05hello")
    reject = cluster.receive(cluster.one, rubbish, step.state)
    assert isinstance(reject, Reject)
    assert reject.reason == "eap_tls_failed"
    endless = cluster.start(TTLS)
    answer: Step = endless
    for _ in range(400):
        assert isinstance(answer, Challenge)
        piece = encode_message(2, answer.eap[1], TTLS, b"\x40" + bytes(1300))
        answer = cluster.receive(cluster.one, piece, answer.state)
        if isinstance(answer, Reject):
            break
    assert isinstance(answer, Reject)
    assert cluster.one.conversations == 0


def test_old_tls_is_refused(cluster: Cluster) -> None:
    reject, _ = cluster.converse(TlsSupplicant(PEAP, PASSWORD, context=client_context(SSL.TLS1_1_VERSION)))
    assert isinstance(reject, Reject)
    assert reject.reason == "eap_tls_failed"


def test_attributes_of_the_answers(cluster: Cluster) -> None:
    secret = b"radius-secret"
    supplicant = TlsSupplicant(PEAP, PASSWORD)
    accept, steps = cluster.converse(supplicant)
    assert isinstance(accept, Accept)
    request = parse(bytes((1, 5, 0, 31)) + bytes(range(16)) + b"\x01\x0banonymous")
    assert isinstance(request, Packet)
    reply = parse(encode_access_response(2, request, secret, accept.attributes(request, secret, b"salt")))
    assert isinstance(reply, Packet)
    assert reply.eap_message() == accept.eap
    assert reply.text(1) == "alice"  # what the NAS shall account, not "anonymous"
    keys = [reply.vendor(311, kind) or b"" for kind in (16, 17)]
    revealed = [mschap.reveal_mppe_key(key, request.authenticator, secret) for key in keys]
    assert revealed == [accept.send_key, accept.receive_key]
    refused = parse(encode_access_response(3, request, secret, accept.refusal))
    assert isinstance(refused, Packet)
    assert refused.eap_message() == bytes((FAILURE, accept.eap[1], 0, 4))
    longest = max((step for step in steps if isinstance(step, Challenge)), key=lambda step: len(step.eap))
    challenge = parse(encode_access_response(11, request, secret, longest.attributes()))
    assert isinstance(challenge, Packet)
    assert challenge.eap_message() == longest.eap
    assert len(challenge.all(79)) > 1
    assert challenge.attributes[24] == longest.state


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.binary(max_size=253))
def test_any_bytes_get_a_step(eap: bytes, state_attribute: bytes) -> None:
    FUZZED.receive(FUZZED.one, eap, state_attribute)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(ALL_METHODS), st.binary(max_size=200))
def test_any_data_of_a_method_gets_a_step(method: int, data: bytes) -> None:
    step = FUZZED.start(method)
    FUZZED.receive(FUZZED.one, encode_message(2, step.eap[1], method, data), step.state)


@settings(max_examples=60, deadline=None)
@given(st.binary(min_size=1, max_size=200), st.sampled_from([TTLS, PEAP]))
def test_any_bytes_inside_a_tunnel_get_a_step(plain: bytes, kind: int) -> None:
    class Fuzzing(TlsSupplicant):
        def _avps(self) -> bytes:
            return plain

        def _inner(self, received: bytes) -> bytes:
            return plain

    outcome: Callable[..., tuple[Accept | Reject, list[Step]]] = FUZZED.converse
    final, _ = outcome(Fuzzing(kind, PASSWORD))
    assert isinstance(final, Reject) or plain  # a lucky PAP message would have to spell the password


FUZZED = Cluster()
