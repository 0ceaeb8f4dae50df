"""Millions of mutated packets where ``fuzz_socket`` does not come: ``python -m tests.bench.fuzz_edges [count] [seed]``.

Balancers' headers before datagrams, RadSec streams and what is in them, EAP conversations and the methods in their
tunnels, Status-Server, a hostile router's answers to Disconnects. Nothing may raise, nothing that was changed may be
believed, memory may not grow. Ends with exit code 1 otherwise.
"""

import logging
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from ipaddress import ip_address
from types import SimpleNamespace
from typing import Any

import structlog

from infra.certificates import make_authority, make_server_certificate
from radius_cluster.counters import Counters
from radius_cluster.listen.duplicates import Duplicates
from radius_cluster.process.eap.inner import Finished, InnerMethod, Verify
from radius_cluster.process.eap.message import (
    IDENTITY,
    MD5_CHALLENGE,
    MSCHAPV2,
    PEAP,
    RESPONSE,
    TLV,
    TTLS,
    encode_message,
)
from radius_cluster.process.eap.peap import PeapInner
from radius_cluster.process.eap.server import EapServer
from radius_cluster.process.eap.steps import Accept, Ask, Challenge, Reject
from radius_cluster.process.eap.tls_profile import TlsProfile
from radius_cluster.process.eap.ttls import TtlsInner, encode_avp
from radius_cluster.radsec.frames import FrameError, Frames
from radius_cluster.radsec.hub import Hub
from radius_cluster.wire import codes
from radius_cluster.wire.coa import encode_dynamic_request, encode_dynamic_response, read_dynamic_reply
from radius_cluster.wire.md5 import hmac_md5, md5
from radius_cluster.wire.packet import Packet, parse, verify_request
from radius_cluster.wire.proxy_protocol import ProxyHeader, encode_proxy_header, read_proxy_header
from tests.bench.fuzz_codec import SECRET, mutate
from tests.golden.read import read_golden

BELIEVED = "BELIEVED"
_CHALLENGE = bytes(range(16))
_ISSUED = datetime(2027, 1, 1, tzinfo=UTC)
Attempt = Callable[[random.Random], str]


def within_length(data: bytes) -> bytes:
    """Without the padding beyond its length field (RFC 2865, 3): such a packet is the same packet."""
    return data[: int.from_bytes(data[2:4], "big")]


def signed(code: int, body: bytes, secret: bytes = SECRET) -> bytes:
    """A request with Message-Authenticator, and the authenticator that its code has."""
    head = bytes((code, 7)) + (38 + len(body)).to_bytes(2, "big")
    is_sum = code == codes.ACCOUNTING_REQUEST
    authenticator = bytes(16) if is_sum else _CHALLENGE
    body = b"\x50\x12" + hmac_md5(secret, head + authenticator + b"\x50\x12" + bytes(16) + body) + body
    return head + (md5(head + bytes(16) + body + secret).digest() if is_sum else authenticator) + body


def balancers() -> Attempt:
    """Headers of balancers, with packets after them: whatever is read, it is within the datagram."""
    sources = [("192.0.2.7", 40_000), ("2001:db8::7", 65_535)]
    packets = [*read_golden("requests.txt").values(), signed(codes.STATUS_SERVER, b"\x20\x05nas")]
    valid = [
        encode_proxy_header(source, (source[0], 1812), datagram=datagram) + packet
        for source in sources
        for datagram in (False, True)
        for packet in packets
    ]

    def attempt(rnd: random.Random) -> str:
        raw = rnd.choice(valid)
        data = mutate(raw, rnd)
        if rnd.random() < 0.1:
            data = raw[: rnd.randrange(len(raw))]  # a stream that has not come further
        found = read_proxy_header(data)
        if not isinstance(found, ProxyHeader):
            return str(found)
        if not 16 <= found.octets <= len(data):
            return BELIEVED
        if found.source is not None:
            ip_address(found.source[0])
        rest = data[found.octets :]
        packet = parse(rest)
        if isinstance(packet, Packet) and not verify_request(packet, SECRET) and within_length(rest) not in packets:
            return BELIEVED
        return "header"

    return attempt


def streams() -> Attempt:
    """Streams in pieces: none of their octets is lost or comes twice, whatever they are."""
    packets = list(read_golden("requests.txt").values())

    def attempt(rnd: random.Random) -> str:
        whole = b"".join(rnd.choices(packets, k=rnd.randint(1, 4)))
        stream = mutate(whole, rnd)
        frames, read, at = Frames(), b"", 0
        try:
            while at < len(stream):
                size = rnd.randint(1, 300)
                for packet in frames.feed(stream[at : at + size]):
                    if not 20 <= len(packet) == int.from_bytes(packet[2:4], "big"):
                        return BELIEVED
                    read += packet
                at += size
        except FrameError:
            return "cut off"
        return "followed" if stream.startswith(read) else BELIEVED

    return attempt


def radsec_requests() -> Attempt:
    """What a router with a connection may send in it: only what verifies is decided."""
    secret = b"radsec"
    name = b"\x01\x07alice"
    valid = [
        signed(codes.ACCESS_REQUEST, name + b"\x02\x12" + bytes(16), secret),
        signed(codes.ACCESS_REQUEST, name + b"\x4f\x0c\x02\x01\x00\x0a\x01alice", secret),
        signed(codes.ACCOUNTING_REQUEST, b"\x28\x06\0\0\0\x01\x2c\x04s1" + name, secret),
        signed(codes.STATUS_SERVER, b"", secret),
    ]
    tenant: Any = SimpleNamespace(id=1)
    nas: Any = SimpleNamespace(
        id=1, tenant=tenant, secret=secret, required=False, identifier=b"nas", counts={}, touched=False, seen=7,
        heard=False, last_source=("", 0), accepted=0, stored=0,
    )  # fmt: skip
    decided: list[bytes] = []
    taken = {code: lambda request: decided.append(request.packet.raw) for code in (1, 4)}
    directory: Any = SimpleNamespace(nas={1: nas})
    hub = Hub(directory, None, Counters(), taken)  # type: ignore[arg-type]
    connection: Any = SimpleNamespace(
        nas=nas, identity="x", shown="192.0.2.7:1", source=("192.0.2.7", 1), duplicates=Duplicates(),
        send=lambda _reply, _destination: None,
    )  # fmt: skip

    def attempt(rnd: random.Random) -> str:
        decided.clear()
        raw = rnd.choice(valid)
        data = mutate(raw, rnd)
        if not 20 <= len(data) <= 4096:
            return "no frame"
        data = data[:2] + len(data).to_bytes(2, "big") + data[4:]  # as the stream is cut
        goes_on = hub.take(connection, data, 0.0)
        connection.duplicates.answers.clear()
        connection.duplicates._current.clear()
        hub._counters = Counters()
        nas.counts.clear()
        for one in decided:  # inside TLS a login without EAP needs no Message-Authenticator
            packet = parse(one)
            assert isinstance(packet, Packet)
            bare = one[0] == codes.ACCESS_REQUEST and not packet.message_authenticator_at
            if one not in valid and (not bare or codes.EAP_MESSAGE in packet.places):
                return BELIEVED
        return ("decided" if decided else "passed over") if goes_on else "connection ends"

    return attempt


def eap_conversations() -> Attempt:
    """EAP packets and States: nobody is accepted, and only whole proofs ask for a password."""
    server = EapServer(bytes(range(32)), "one", lambda octets: bytes(octets))
    authority = make_authority("Fuzz CA", _ISSUED)
    issued = make_server_certificate(authority, ["radius.test"], _ISSUED)
    tls = TlsProfile(issued.certificate_pem + authority.certificate_pem, issued.key_pem, session_context=b"fuzz")

    def receive(
        eap: bytes, state: bytes = b"", methods: tuple[int, ...] = (PEAP, TTLS, MSCHAPV2, MD5_CHALLENGE)
    ) -> Any:
        return server.receive(eap, state, binding=b"1/1", now_seconds=1_800_000_000, tls=tls, methods=methods)

    hello = encode_message(RESPONSE, 1, IDENTITY, b"alice")
    answers: list[tuple[bytes, bytes]] = [(hello, b"")]
    proofs = {MD5_CHALLENGE: b"\x10" + bytes(16), MSCHAPV2: b"\x02\x02\x00\x3b\x31" + bytes(49) + b"alice",
              PEAP: b"\x00\x16\x03\x01\x00\x05" + bytes(5), TTLS: b"\x80\0\0\0\x05\x16\x03\x01\x00\x00"}  # fmt: skip
    for method, proof in proofs.items():
        begun = receive(hello, methods=(method,))
        answers.append((encode_message(RESPONSE, 2, method, proof), begun.state))
        answers.append((encode_message(RESPONSE, 2, 3, bytes((TTLS, MSCHAPV2))), begun.state))

    def attempt(rnd: random.Random) -> str:
        eap, state = rnd.choice(answers)
        sealed = mutate(state, rnd) if state and rnd.random() < 0.3 else state
        step = receive(mutate(eap, rnd) if rnd.random() < 0.9 else eap, sealed)
        if isinstance(step, Ask):
            if sealed != state:
                return BELIEVED
            step = server.answer(step, "the password", now_seconds=1_800_000_000)
        if isinstance(step, Accept):
            return BELIEVED
        if isinstance(step, Challenge | Reject) and len(step.attributes()) > 4_000:
            return BELIEVED
        for conversation in list(server._conversations.values()):
            server._drop(conversation)
        return type(step).__name__

    return attempt


def inner_methods() -> Attempt:
    """Inside a tunnel, which anybody may set up: no order of packets ends well without a verified password."""
    identity, confirmation = bytes((IDENTITY,)) + b"alice", bytes((MSCHAPV2, 3))
    response = bytes((MSCHAPV2, 2, 1, 0, 59, 49)) + bytes(49) + b"alice"
    result = encode_message(RESPONSE, 3, TLV, b"\x80\x03\x00\x02\x00\x01")
    for_peap = [identity, response, confirmation, result, b""]
    name, identifier = encode_avp(0, 1, b"alice"), b"\x2a"
    for_ttls = [
        b"",
        name + encode_avp(0, 2, b"guess".ljust(16, b"\0")),
        name + encode_avp(0, 60, _CHALLENGE) + encode_avp(0, 3, identifier + bytes(16)),
        name + encode_avp(311, 11, _CHALLENGE) + encode_avp(311, 25, identifier + bytes(49)),
    ]

    def attempt(rnd: random.Random) -> str:
        inner: InnerMethod
        if rnd.random() < 0.5:
            inner, packets = PeapInner(_CHALLENGE), for_peap
        else:
            inner, packets = TtlsInner(lambda _octets: _CHALLENGE + identifier), for_ttls
        inner.begin("")
        outcome = "waits"
        for number in range(4):
            plain = packets[number % len(packets)] if rnd.random() < 0.5 else rnd.choice(packets)
            step = inner.receive(mutate(plain, rnd) if rnd.random() < 0.5 else plain)
            if isinstance(step, Finished):
                return BELIEVED
            if isinstance(step, Verify):
                if step.check.verify("the password"):
                    return BELIEVED
                outcome = "asks"
        return outcome

    return attempt


def routers_answers() -> Attempt:
    """What comes back to a Disconnect: only what the router signed for this very request."""
    request = encode_dynamic_request(codes.DISCONNECT_REQUEST, 5, SECRET, b"\x01\x07alice", 1)
    other = encode_dynamic_request(codes.COA_REQUEST, 5, SECRET, b"\x01\x07alice", 1)
    parsed = [parse(one) for one in (request, other)]
    assert all(isinstance(one, Packet) for one in parsed)
    cause = b"\x65\x06\0\0\x01\xf7\x12\x09no such"
    answers = [
        encode_dynamic_response(code, one, secret, cause)  # type: ignore[arg-type]
        for code in (codes.DISCONNECT_ACK, codes.DISCONNECT_NAK, codes.COA_ACK, codes.ACCESS_ACCEPT)
        for one in parsed
        for secret in (SECRET, b"another")
    ]
    right = {answers[0], answers[4]}

    def attempt(rnd: random.Random) -> str:
        raw = rnd.choice(answers)
        data = mutate(raw, rnd) if rnd.random() < 0.9 else raw
        reply = read_dynamic_reply(data, request, SECRET)
        if isinstance(reply, str):
            return BELIEVED if within_length(data) in right else reply
        return "the router's own" if within_length(data) in right else BELIEVED

    return attempt


KINDS = (balancers, streams, radsec_requests, eap_conversations, inner_methods, routers_answers)


def main(count: int, seed: int) -> int:
    """Exit code 1 when something was believed, or memory grew."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rnd = random.Random(seed)
    wrong = False
    for kind in KINDS:
        attempt, outcomes = kind(), Counter[str]()
        started, memory_kib = time.perf_counter(), 0
        for number in range(count // len(KINDS)):
            outcomes[attempt(rnd)] += 1
            if number == count // len(KINDS) // 5:
                memory_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory_kib
        wrong = wrong or bool(outcomes[BELIEVED]) or grown_kib > 2_048
        seconds = time.perf_counter() - started
        print(f"{kind.__name__}: {sum(outcomes.values())} in {seconds:.0f} s, memory grown by {grown_kib} KiB:"
              f" {dict(outcomes)}", flush=True)  # fmt: skip
    return int(wrong)


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    sys.exit(main(arguments[0] if arguments else 1_000_000, arguments[1] if len(arguments) > 1 else 1))
