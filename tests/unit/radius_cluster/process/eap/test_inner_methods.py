"""The methods inside a tunnel, step by step: what each accepts at which step, and nothing else (RAD-2).

Whoever has come as far as here has only set up a tunnel, which anybody may.
"""

import hashlib

import pytest

from radius_cluster.process.eap.checks import CheckChap, CheckMschap2, CheckPap
from radius_cluster.process.eap.inner import Failed, Finished, InnerStep, Send, Verify
from radius_cluster.process.eap.message import IDENTITY, MSCHAPV2, NAK, RESPONSE, TLV, encode_message
from radius_cluster.process.eap.peap import PeapInner
from radius_cluster.process.eap.ttls import TtlsInner, encode_avp, parse_avps
from tests.unit.radius_cluster.process.eap.supplicant import mschapv2_data

CHALLENGE = bytes(range(100, 116))
IMPLICIT = CHALLENGE + b"\x2a"  # what both ends of a TTLS tunnel derive: 16 octets of challenge, one of identifier
PASSWORD = "correct horse"
NAME = encode_avp(0, 1, b"alice")
MICROSOFT = 311
RESULT_SUCCESS, RESULT_FAILURE = bytes.fromhex("800300020001"), bytes.fromhex("800300020002")

# What a PEAP peer may send, by its kind
IDENTITY_RESPONSE = bytes((IDENTITY,)) + b"alice"
CONFIRMATION = bytes((MSCHAPV2, 3))
SUCCESS_TLV = encode_message(RESPONSE, 3, TLV, RESULT_SUCCESS)


def implicit(octets: int) -> bytes:
    assert octets == 17
    return IMPLICIT


def chap(identifier: int = 0x2A, challenge: bytes = CHALLENGE, password: str = PASSWORD) -> bytes:
    digest = hashlib.md5(bytes((identifier,)) + password.encode() + challenge).digest()
    return NAME + encode_avp(0, 60, challenge) + encode_avp(0, 3, bytes((identifier,)) + digest)


def mschap2(identifier: int = 0x2A, challenge: bytes = CHALLENGE, response: bytes | None = None) -> bytes:
    if response is None:
        asked = b"\x01" + bytes((identifier,)) + b"\0\0\x10" + challenge
        data = mschapv2_data(asked, PASSWORD)  # opcode, identifier, length, 49, 16 + 8 + 24 octets, flags, name
        response = bytes((identifier, 0)) + data[5:53]
    return NAME + encode_avp(MICROSOFT, 11, challenge) + encode_avp(MICROSOFT, 25, response)


def asked_for(plain: bytes) -> InnerStep:
    return TtlsInner(implicit).receive(plain)


def why(step: InnerStep) -> str:
    return step.detail if isinstance(step, Failed) else f"no failure: {step}"


class TestTtls:
    def test_pap(self) -> None:
        inner = TtlsInner(implicit)
        assert inner.begin("") == Send(b"")
        assert inner.receive(b"") == Send(b"")  # the peer's acknowledgement of the handshake
        padded = encode_avp(0, 2, PASSWORD.encode().ljust(16, b"\0"))
        assert inner.receive(NAME + padded) == Verify("alice", CheckPap(PASSWORD.encode()))
        assert inner.method == "TTLS/PAP"
        assert inner.verified(PASSWORD) == Finished("alice")

    def test_chap(self) -> None:
        inner = TtlsInner(implicit)
        step = inner.receive(chap())
        assert isinstance(step, Verify)
        assert isinstance(step.check, CheckChap)
        assert (step.user_name, inner.method) == ("alice", "TTLS/CHAP")
        assert step.check.verify(PASSWORD)
        assert not step.check.verify("wrong")
        assert inner.verified(PASSWORD) == Finished("alice")

    def test_mschapv2_owes_the_peer_a_proof(self) -> None:
        inner = TtlsInner(implicit)
        step = inner.receive(mschap2())
        assert isinstance(step, Verify)
        assert isinstance(step.check, CheckMschap2)
        assert (step.user_name, inner.method) == ("alice", "TTLS/MSCHAPv2")
        assert step.check.verify(PASSWORD)
        assert not step.check.verify("wrong")
        proof = inner.verified(PASSWORD)
        assert isinstance(proof, Send)
        # RFC 5281, 11.2.4: the MS-CHAP2-Success AVP, vendor-specific and mandatory; identifier, then S= and 40 digits
        assert proof.plain[:13] == bytes.fromhex("0000001a c0 000037 00000137 2a")
        assert proof.plain[13:] == step.check.proof(PASSWORD) + b"\0"
        assert inner.receive(b"") == Finished("alice")  # the peer believes it

    @pytest.mark.parametrize("method", [chap, mschap2])
    def test_a_challenge_that_the_peer_chose_proves_nothing(self, method) -> None:
        """RFC 5281, 11.1: else a response that was heard elsewhere could be used again."""
        assert isinstance(asked_for(method()), Verify)
        assert why(asked_for(method(challenge=bytes(16)))) == "no inner method that is served"
        assert why(asked_for(method(identifier=0x2B))) == "no inner method that is served"
        assert why(asked_for(method(challenge=CHALLENGE + b"\0"))) == "no inner method that is served"

    def test_responses_of_other_lengths_are_none(self) -> None:
        for extra in (encode_avp(0, 3, b"\x2a" + bytes(15)), encode_avp(0, 3, b"\x2a" + bytes(17))):
            assert why(asked_for(NAME + encode_avp(0, 60, CHALLENGE) + extra)) == "no inner method that is served"
        for octets in (49, 51):
            response = b"\x2a" + bytes(octets - 1)
            assert why(asked_for(mschap2(response=response))) == "no inner method that is served"

    def test_nobody_is_finished_before_the_password_was_verified(self) -> None:
        inner = TtlsInner(implicit)
        for _ in range(3):
            assert inner.receive(b"") == Send(b"")
        inner.receive(mschap2())
        assert inner.receive(b"") == Send(b"")

    def test_without_a_name_or_a_method(self) -> None:
        password = encode_avp(0, 2, b"x")
        assert why(asked_for(password)) == "no inner user name"
        assert why(asked_for(encode_avp(0, 1, b"") + password)) == "no inner user name"
        assert why(asked_for(NAME)) == "no inner method that is served"
        assert why(asked_for(NAME[:-1] + password)) == "bad AVPs"

    def test_a_resumed_session_needs_no_more(self) -> None:
        inner = TtlsInner(implicit)
        assert inner.begin("alice") == Finished("alice")
        assert (inner.method, inner.user_name) == ("TTLS/resumed", "alice")


class TestAvps:
    def test_values_of_any_length_are_read_again(self) -> None:
        data = b"".join(encode_avp(0, code, bytes(code)) for code in range(1, 9)) + encode_avp(9, 1, b"v")
        assert parse_avps(data) == {**{(0, code): bytes(code) for code in range(1, 9)}, (9, 1): b"v"}
        assert len(data) % 4 == 0
        assert parse_avps(b"") == {}

    def test_the_form(self) -> None:
        assert encode_avp(0, 1, b"alice") == bytes.fromhex("00000001 40 00000d") + b"alice\0\0\0"
        assert encode_avp(311, 25, b"x") == bytes.fromhex("00000019 c0 00000d 00000137") + b"x\0\0\0"
        assert parse_avps(bytes.fromhex("00000001 00 00000d") + b"alice") == {(0, 1): b"alice"}  # the last unpadded
        assert parse_avps(bytes.fromhex("00000001 00 000008")) == {(0, 1): b""}
        assert parse_avps(bytes.fromhex("00000019 80 00000c 00000137")) == {(311, 25): b""}

    def test_the_first_of_each_counts(self) -> None:
        assert parse_avps(encode_avp(0, 1, b"alice") + encode_avp(0, 1, b"bob")) == {(0, 1): b"alice"}

    @pytest.mark.parametrize(
        "wrong",
        [
            "00000001 00 0000",  # a head that is cut
            "00000001 00 000007",  # shorter than its head
            "00000019 80 00000b 00000137",  # than the head with a vendor
            "00000001 00 00000e 616c696365",  # past the end
            "00000001 00 000009 61000000 00000001",  # the second is cut
        ],
    )
    def test_wrong_lengths(self, wrong: str) -> None:
        assert parse_avps(bytes.fromhex(wrong)) is None


class TestPeap:
    def at(self, step: int) -> PeapInner:
        """A conversation that waits for the peer's identity, response, confirmation, result (0 to 3)."""
        inner = PeapInner(CHALLENGE)
        assert inner.begin("") == Send(b"\x01")
        if step > 0:
            inner.receive(IDENTITY_RESPONSE)
        if step > 1:
            assert isinstance(inner.receive(self.response()), Verify)
            inner.verified(PASSWORD)
        if step > 2:
            inner.receive(CONFIRMATION)
        return inner

    def response(self, password: str = PASSWORD) -> bytes:
        return bytes((MSCHAPV2,)) + mschapv2_data(b"\x01\x01\0\0\x10" + CHALLENGE, password)

    def test_the_whole_way(self) -> None:
        inner = PeapInner(CHALLENGE)
        assert inner.begin("") == Send(b"\x01")  # inner packets have no header …
        challenge = bytes.fromhex("1a 01 01 001e 10") + CHALLENGE + b"broadloom"
        assert inner.receive(IDENTITY_RESPONSE) == Send(challenge)
        step = inner.receive(self.response())
        assert isinstance(step, Verify)
        assert isinstance(step.check, CheckMschap2)
        assert step.user_name == "alice"
        assert step.check.verify(PASSWORD)
        assert not step.check.verify("wrong")
        proof = inner.verified(PASSWORD)
        assert proof == Send(bytes.fromhex("1a 03 01 0033") + step.check.proof(PASSWORD) + b" M=OK")
        assert inner.receive(CONFIRMATION) == Send(bytes.fromhex("0103000b 21") + RESULT_SUCCESS)  # … but the result
        assert inner.receive(SUCCESS_TLV) == Finished("alice")
        assert inner.method == "PEAP/MSCHAPv2"

    def test_a_resumed_session_goes_straight_to_the_result(self) -> None:
        inner = PeapInner(CHALLENGE)
        assert inner.begin("alice") == Send(bytes.fromhex("0101000b 21") + RESULT_SUCCESS)
        assert inner.receive(encode_message(RESPONSE, 1, TLV, RESULT_SUCCESS)) == Finished("alice")
        assert inner.method == "PEAP/resumed"

    @pytest.mark.parametrize("step", range(4))
    def test_no_step_can_be_left_out_or_taken_twice(self, step: int) -> None:
        """A result before the password would let anybody in."""
        packets = [IDENTITY_RESPONSE, self.response(), CONFIRMATION, SUCCESS_TLV]
        for number, packet in enumerate(packets):
            failed = isinstance(self.at(step).receive(packet), Failed)
            assert failed == (number != step), (step, number)

    def test_headers_of_inner_packets_may_be_there(self) -> None:
        inner = self.at(0)
        assert isinstance(inner.receive(encode_message(RESPONSE, 0, IDENTITY, b"alice")), Send)
        assert inner.user_name == "alice"
        looks_like = self.at(0)  # a name that begins as a header would: its length says that it is none
        assert isinstance(looks_like.receive(b"\x01\x07\x00\x09\x01name"), Send)
        assert looks_like.user_name == "\x07\ufffd\t\x01name"

    def test_what_cannot_go_on(self) -> None:
        assert why(self.at(0).receive(b"")) == "empty inner packet"
        assert why(self.at(0).receive(bytes((IDENTITY,)))) == "no inner user name"
        assert why(self.at(1).receive(bytes((NAK, 6)))) == "the peer wants another inner method"
        assert why(self.at(1).receive(bytes((MSCHAPV2, 2, 1)))) == "bad inner MSCHAPv2 response"
        assert why(self.at(2).receive(bytes((MSCHAPV2, 4)))) == "the peer did not believe the server's proof"
        refused = encode_message(RESPONSE, 3, TLV, RESULT_FAILURE)
        assert why(self.at(3).receive(refused)) == "the peer's result is failure"
        assert why(self.at(3).receive(bytes((IDENTITY,)) + b"bob")) == "unexpected inner packet"
