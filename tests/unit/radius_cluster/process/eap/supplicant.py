"""A fake supplicant: the other end of each method, for tests without a network."""

import hashlib

from OpenSSL import SSL

from radius_cluster.process.eap.message import (
    IDENTITY,
    MD5_CHALLENGE,
    MSCHAPV2,
    PEAP,
    RESPONSE,
    TLV,
    TTLS,
    encode_message,
    parse_eap,
)
from radius_cluster.process.eap.ttls import encode_avp
from radius_cluster.wire.mschap import challenge_hash, challenge_response, nt_hash

PEER_CHALLENGE = bytes(range(16, 32))
_LABELS = {TTLS: b"ttls keying material", PEAP: b"client EAP encryption"}


def identity(name: bytes = b"alice", identifier: int = 1) -> bytes:
    return encode_message(RESPONSE, identifier, IDENTITY, name)


def nak(request: bytes, *wanted: int) -> bytes:
    return encode_message(RESPONSE, request[1], 3, bytes(wanted))


def md5_response(request: bytes, password: str) -> bytes:
    challenge = request[6:22]
    digest = hashlib.md5(request[1:2] + password.encode() + challenge).digest()
    return encode_message(RESPONSE, request[1], MD5_CHALLENGE, b"\x10" + digest + b"alice")


def mschapv2_data(request_data: bytes, password: str, name: bytes = b"alice") -> bytes:
    """The data of the answer to an EAP-MSCHAPv2 request's data."""
    if request_data[0] == 3:  # the server's proof
        return b"\x03"
    hashed = challenge_hash(PEER_CHALLENGE, request_data[5:21], name)
    response = challenge_response(hashed, nt_hash(password))
    value = b"\x31" + PEER_CHALLENGE + bytes(8) + response + b"\0" + name
    return b"\x02" + request_data[1:2] + (4 + len(value)).to_bytes(2, "big") + value


def mschapv2_response(request: bytes, password: str, name: bytes = b"alice") -> bytes:
    return encode_message(RESPONSE, request[1], MSCHAPV2, mschapv2_data(request[5:], password, name))


def client_context(version: int = SSL.TLS1_2_VERSION) -> SSL.Context:
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    context.set_cipher_list(b"ALL:@SECLEVEL=0")
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    context.set_options(SSL.OP_NO_TICKET)
    return context


CLIENT_CONTEXT = client_context()  # sessions belong to their context


class TlsSupplicant:
    """PEAP/MSCHAPv2 or TTLS/PAP; ``respond`` turns the server's EAP request into the next response."""

    def __init__(
        self,
        kind: int,
        password: str,
        session: SSL.Session | None = None,
        context: SSL.Context = CLIENT_CONTEXT,
        name: bytes = b"alice",
    ) -> None:
        self.connection = SSL.Connection(context, None)
        self.connection.set_connect_state()
        if session is not None:
            self.connection.set_session(session)
        self.kind = kind
        self.password = password
        self.name = name
        self.established = False
        self.incoming = b""
        self.rounds = 0

    def respond(self, request: bytes) -> bytes:
        self.rounds += 1
        message = parse_eap(request)
        assert message is not None
        assert message.kind == self.kind
        flags, body = message.data[0], message.data[1:]
        if flags & 0x80:
            body = body[4:]
        self.incoming += body
        if flags & 0x40:
            return self._encode(message.identifier, b"")
        whole, self.incoming = self.incoming, b""
        return self._encode(message.identifier, self._answer(whole))

    def keys(self) -> tuple[bytes, bytes]:
        """The server's (send, receive) keys."""
        material = self.connection.export_keying_material(_LABELS[self.kind], 64)
        return material[32:], material[:32]

    def session(self) -> SSL.Session | None:
        return self.connection.get_session()

    def _answer(self, whole: bytes) -> bytes:
        plain = b""
        if whole:
            self.connection.bio_write(whole)
        try:
            if not self.established:
                self.connection.do_handshake()
                self.established = True
                if self.kind == TTLS:
                    self.connection.send(self._avps())
            plain = self.connection.recv(4096)
        except SSL.WantReadError:
            pass
        if plain:
            self.connection.send(self._inner(plain))
        return self._flush()

    def _inner(self, plain: bytes) -> bytes:
        if plain == bytes((IDENTITY,)):
            return bytes((IDENTITY,)) + self.name
        if plain[0] == MSCHAPV2:
            return bytes((MSCHAPV2,)) + mschapv2_data(plain[1:], self.password, self.name)
        assert plain[4] == TLV
        return encode_message(RESPONSE, plain[1], TLV, plain[5:])

    def _avps(self) -> bytes:
        return encode_avp(0, 1, self.name) + encode_avp(0, 2, self.password.encode().ljust(16, b"\0"))

    def _flush(self) -> bytes:
        out = b""
        try:
            while True:
                out += self.connection.bio_read(16_384)
        except SSL.WantReadError:
            return out

    def _encode(self, identifier: int, data: bytes) -> bytes:
        return encode_message(RESPONSE, identifier, self.kind, b"\0" + data)
