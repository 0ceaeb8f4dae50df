"""A process's RadSec side over memory, and routers that connect to it."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from types import SimpleNamespace
from typing import Any, cast

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509 import load_pem_x509_certificate
from OpenSSL import SSL
from OpenSSL.crypto import X509

from infra import clock
from infra.certificates import make_authority, make_client_certificate, make_server_certificate
from radius_cluster.counters import Counters
from radius_cluster.listen.receive import Request
from radius_cluster.radsec.connection import Connection
from radius_cluster.radsec.credentials import Credential
from radius_cluster.radsec.frames import Frames
from radius_cluster.radsec.hub import Hub
from radius_cluster.watch.watches import Watches
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.md5 import hmac_md5, md5
from radius_cluster.wire.packet import Packet, parse
from tenants.network.packet_watch import PacketWatch

SECRET = b"radsec"
TENANT, NAS = 7, 3
AUTHORITY = make_authority("Cloud", clock.now())
SERVER = make_server_certificate(AUTHORITY, ["radsec.example"], clock.now())
CLIENT = make_client_certificate(AUTHORITY, "router", clock.now())


def fingerprint(pem: bytes) -> str:
    return load_pem_x509_certificate(pem).fingerprint(SHA256()).hex()


def nas_of(number: int = NAS) -> Any:
    return SimpleNamespace(
        id=number, tenant=SimpleNamespace(id=TENANT), identifier=b"t-nas1", secret=SECRET, required=False, seen=7,
        counts={}, touched=False, heard=False, last_source=("", 0), accepted=0, stored=0,
    )  # fmt: skip


def credential_of(
    nas_id: int = NAS, tenant_id: int = TENANT, expires_at: float = 0.0, withdrawn: bool = False
) -> Credential:
    row = {"id": 1, "tenant_id": tenant_id, "nas_id": nas_id, "withdrawn": withdrawn, "expires_at": expires_at}
    return Credential(row, None)


class Transport:
    """What the event loop would give."""

    def __init__(self) -> None:
        self.written = b""
        self.is_closed = self.is_aborted = False
        self.reads = True

    def get_extra_info(self, name: str) -> Any:
        return ("192.0.2.1", 4000) if name == "peername" else None

    def set_write_buffer_limits(self, high: int) -> None:
        assert high == 256 * 1024

    def write(self, data: bytes) -> None:
        assert not self.is_closed
        self.written += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_aborted = True

    def is_reading(self) -> bool:
        return self.reads

    def resume_reading(self) -> None:
        self.reads = True

    def pause_reading(self) -> None:
        self.reads = False


class Router:
    """The peer of one connection."""

    def __init__(self, cloud: "Cloud", certificate: Any = CLIENT) -> None:
        context = SSL.Context(SSL.TLS_CLIENT_METHOD)
        store = context.get_cert_store()
        assert store is not None
        store.add_cert(X509.from_cryptography(load_pem_x509_certificate(AUTHORITY.certificate_pem)))
        context.use_certificate(load_pem_x509_certificate(certificate.certificate_pem))
        context.use_privatekey(load_pem_private_key(certificate.key_pem, None))  # type: ignore[arg-type]
        self.tls = SSL.Connection(context, None)
        self.tls.set_connect_state()
        self.transport = Transport()
        self.connection = Connection(cloud.hub)
        self._frames = Frames()
        self.connection.connection_made(cast(asyncio.Transport, self.transport))

    def shake_hands(self) -> "Router":
        for _ in range(4):
            with suppress(SSL.WantReadError):
                self.tls.do_handshake()
            self.carry()
        return self

    def send(self, *packets: bytes) -> None:
        self.tls.sendall(b"".join(packets))
        self.carry()

    def send_octets(self, data: bytes) -> None:
        """Not of TLS."""
        self.connection.data_received(data)

    async def received(self) -> list[Packet]:
        await asyncio.sleep(0)  # those of one turn leave together
        self.carry()
        plain = b""
        with suppress(SSL.WantReadError, SSL.ZeroReturnError):
            while True:
                plain += self.tls.recv(65_536)
        found = [parse(data) for data in self._frames.feed(plain)]
        assert all(isinstance(packet, Packet) for packet in found)
        return cast(list[Packet], found)

    def carry(self) -> None:
        """What either has for the other."""
        with suppress(SSL.WantReadError):
            while data := self.tls.bio_read(65_536):
                self.connection.data_received(data)
        if self.transport.written:
            self.tls.bio_write(self.transport.written)
            self.transport.written = b""

    @property
    def server_certificate(self) -> bytes:
        """What the server showed."""
        shown = self.tls.get_peer_certificate(as_cryptography=True)
        assert shown is not None
        return shown.public_bytes(Encoding.PEM)

    @property
    def is_in(self) -> bool:
        return self.connection.nas is not None and self.connection.is_open


class Cloud:
    """A hub and what it was given."""

    def __init__(self, credential: Credential | None = None, *, has_certificate: bool = True) -> None:
        self.taken: list[Request] = []
        self.counters = Counters()
        self.router_known = nas_of()
        self.nas = {NAS: self.router_known}
        self.watches = Watches()
        self.used: list[str] = []
        server = SimpleNamespace(chain_pem=SERVER.certificate_pem, key_pem=SERVER.key_pem, authority=AUTHORITY)
        self.credentials = SimpleNamespace(
            by_identity={fingerprint(CLIENT.certificate_pem): credential or credential_of()},
            find_key=lambda _identity: None,
            used=lambda _credential, source: self.used.append(source),
            server=server if has_certificate else None,
        )
        handlers = {codes.ACCESS_REQUEST: self.taken.append, codes.ACCOUNTING_REQUEST: self.taken.append}
        parts: Any = SimpleNamespace(nas=self.nas), self.credentials, self.counters, handlers
        self.hub = Hub(*parts, watches=self.watches)
        self.hub.refresh()

    def router(self, certificate: Any = CLIENT) -> Router:
        return Router(self, certificate).shake_hands()

    def counted(self, reason: str) -> int:
        dropped = f"dropped:{reason}"
        of_nas = sum(count for (_, outcome), count in self.router_known.counts.items() if outcome == dropped)
        return of_nas + sum(count for (_, (_, outcome)), count in self.counters.nobody.items() if outcome == dropped)

    def refused(self) -> list[tuple[str, int, int | None]]:
        return [(one.reason, one.tenant_id, one.nas_id) for one in self.counters.refusals.values()]

    def watch(self, **about: Any) -> Any:
        self.watches.hear(PacketWatch("token", TENANT, **about).announcement(300))
        return list(self.watches)[-1]


def run(story: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(story())


def login(number: int = 1, body: bytes = b"") -> bytes:
    head = bytes((codes.ACCESS_REQUEST, number % 256)) + (38 + 7 + len(body)).to_bytes(2, "big")
    authenticator = number.to_bytes(16, "big")
    body = encode.text(codes.USER_NAME, "alice") + body
    return head + authenticator + b"\x50\x12" + hmac_md5(
        SECRET, head + authenticator + b"\x50\x12" + bytes(16) + body) + body  # fmt: skip


def report(number: int = 1) -> bytes:
    body = encode.text(codes.USER_NAME, "alice")
    head = bytes((codes.ACCOUNTING_REQUEST, number)) + (20 + len(body)).to_bytes(2, "big")
    return head + md5(head + bytes(16) + body + SECRET).digest() + body
