"""What all RadSec connections of a process share: who they are, where their packets go, and what is counted."""

import time
from collections.abc import Callable, Mapping
from typing import Final

import structlog

from radius_cluster.counters import ACCT_DUPLICATE, AUTH_DUPLICATE, STATUS, Counters, Refusal, dropped
from radius_cluster.listen.receive import DUPLICATE, Request
from radius_cluster.radsec.connection import Connection
from radius_cluster.radsec.credentials import Credentials
from radius_cluster.radsec.tls import TlsServer, TlsSession
from radius_cluster.routing.directory import Directory
from radius_cluster.watch.watches import Watches
from radius_cluster.wire.codes import (
    ACCESS_REQUEST,
    ACCOUNTING_REQUEST,
    COA_ACK,
    COA_NAK,
    DISCONNECT_ACK,
    DISCONNECT_NAK,
    EAP_MESSAGE,
    STATUS_SERVER,
    USER_NAME,
)
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.packet import (
    NO_MESSAGE_AUTHENTICATOR,
    Packet,
    encode_status_response,
    parse,
    verify_request,
)
from radius_cluster.wire.proxy_protocol import TrustedBalancers

LOG = structlog.get_logger(__name__)

CONNECTED: Final = ("radsec", "connected")
MOST_CONNECTIONS: Final = 8_192
MOST_OF_ONE_NAS: Final = 16
_SILENT_SECONDS: Final = 30.0  # of a connection that another one of its router may take the place of
_ANSWERS_TO_OURS: Final = (COA_ACK, COA_NAK, DISCONNECT_ACK, DISCONNECT_NAK)
# Reasons of this file beside those of wire and receive
UNKNOWN_CREDENTIAL: Final = "radsec_unknown"
WITHDRAWN_CREDENTIAL: Final = "radsec_withdrawn"

Handlers = Mapping[int, Callable[[Request], None]]


class Hub:
    """One per process."""

    def __init__(
        self,
        directory: Directory,
        credentials: Credentials,
        counters: Counters,
        handlers: Handlers,
        balancers: str = "",
        watches: Watches | None = None,
    ) -> None:
        self._watches = watches or Watches()
        self.balancers = TrustedBalancers(balancers)
        self.credentials = credentials
        self.on_answer: Callable[[Connection, bytes], None] = lambda _connection, _packet: None
        self.on_change: Callable[[], None] = lambda: None  # which routers are connected
        self._directory = directory
        self._counters = counters
        self._handlers = handlers
        self._tls: TlsServer | None = None
        self._connections: set[Connection] = set()
        self._entering: dict[Connection, None] = {}  # those at their handshake, the oldest first
        self.by_nas: dict[int, list[Connection]] = {}

    @property
    def connections(self) -> int:
        """How many there are, those at their handshake included."""
        return len(self._connections)

    def refresh(self) -> None:
        """Credentials have changed: end connections that may no longer be; a new server certificate is used next."""
        server = self.credentials.server
        if server is not None and (self._tls is None or self._tls.chain_pem != server.chain_pem):
            authority = server.authority.certificate_pem
            self._tls = TlsServer(server.chain_pem, server.key_pem, authority, self.credentials.find_key)
        now = time.time()
        for connection in [one for of_nas in self.by_nas.values() for one in of_nas]:
            found = self.credentials.by_identity.get(connection.identity)
            if found is None or not found.is_valid(now):
                LOG.info("radsec_withdrawn", source=connection.shown, identity=connection.identity)
                connection.close()

    def accept(self, connection: Connection) -> TlsSession | None:
        """A new connection; None when there are too many."""
        if self._tls is None or (len(self._connections) >= MOST_CONNECTIONS and not self._end_the_slowest()):
            return None
        self._connections.add(connection)
        self._entering[connection] = None
        return self._tls.session()

    def _end_the_slowest(self) -> bool:
        """Who connects and shakes no hands keeps no router out: routers need a fraction of a second for it."""
        slowest = next(iter(self._entering), None)
        if slowest is None:
            return False
        slowest.abort("too_many")
        self._connections.discard(slowest)
        del self._entering[slowest]
        return True

    def enter(self, connection: Connection, tls: TlsSession) -> bool:
        """The handshake is over: which router is it? False: it may not come in."""
        self._entering.pop(connection, None)
        identity = tls.identity()
        connection.identity = identity
        found = self.credentials.by_identity.get(identity)
        if found is None:
            self.refuse(connection, UNKNOWN_CREDENTIAL, identity)
            return False
        nas = self._directory.nas.get(found.nas_id)
        if nas is None or nas.tenant.id != found.tenant_id:
            self.refuse(connection, "unknown_nas", identity, found.tenant_id)
            return False
        if not found.is_valid(time.time()):
            self.refuse(connection, WITHDRAWN_CREDENTIAL, identity, found.tenant_id, found.nas_id)
            return False
        others = self.by_nas.setdefault(nas.id, [])
        if len(others) >= MOST_OF_ONE_NAS and not _end_a_silent(others):
            self.refuse(connection, "too_many", identity, found.tenant_id, found.nas_id)
            return False
        connection.nas = nas
        others.append(connection)
        self.credentials.used(found, connection.shown)
        self._counters.count(nas, CONNECTED)
        LOG.info("radsec_connected", nas=_name(nas.identifier), source=connection.shown, tls=tls.protocol())
        self.on_change()
        return True

    def leave(self, connection: Connection) -> None:
        """A connection is over."""
        self._connections.discard(connection)
        self._entering.pop(connection, None)
        nas = connection.nas
        if nas is None:
            return
        of_nas = self.by_nas.get(nas.id, [])
        if connection in of_nas:
            of_nas.remove(connection)
            LOG.info("radsec_disconnected", nas=_name(nas.identifier), source=connection.shown)
        if not of_nas:
            self.by_nas.pop(nas.id, None)
        self.on_change()

    def take(self, connection: Connection, data: bytes, now: float) -> bool:
        """One packet. False: it shows that the stream cannot be trusted, end the connection (RFC 6613, 2.6.4)."""
        nas = connection.nas
        assert nas is not None
        if self._directory.nas.get(nas.id) is not nas:  # removed meanwhile
            self.refuse(connection, "unknown_nas", connection.identity, nas.tenant.id)
            return False
        key = data[:20]  # the connection has its own answers
        answers = connection.duplicates.answers
        if key in answers:
            reply = answers[key]
            if reply is not None:
                connection.send(reply, connection.source)
            self._counters.count(nas, ACCT_DUPLICATE if data[0] == ACCOUNTING_REQUEST else AUTH_DUPLICATE)
            if self._watches.by_tenant:
                again = parse(data)
                known = None if isinstance(again, str) else again
                self._watches.dropped(nas.tenant.id, nas, known, data, connection.source, DUPLICATE, now, reply)
            return True
        packet = parse(data)
        if isinstance(packet, str):
            self.refuse(connection, packet, "", nas.tenant.id, nas.id, data[0])
            self._watches.dropped(nas.tenant.id, nas, None, data, connection.source, packet, now)
            return False
        code = packet.code
        if code in _ANSWERS_TO_OURS:
            self.on_answer(connection, data)
            return True
        handler = self._handlers.get(code)
        if handler is None and code != STATUS_SERVER:
            self._counters.count(nas, dropped("other", "unserved_code"))
            return True
        problem = verify_request(packet, nas.secret, nas.required)
        # TLS has vouched for the packet: Proxy-State without Message-Authenticator can do no harm here.
        if problem == NO_MESSAGE_AUTHENTICATOR and code == ACCESS_REQUEST and EAP_MESSAGE not in packet.attributes:
            problem = ""
        if problem:
            self._refuse_packet(connection, packet, problem, now)
            return False
        nas.heard = True
        nas.last_source = connection.source
        if not nas.seen & 1:
            self._counters.first_seen(nas, 0)
        connection.duplicates.begin(key)
        make = self._watches.request if self._watches.by_tenant else Request
        request = make(packet, nas, connection, connection.source, key, now)
        if handler is None:
            self._counters.count(nas, STATUS)
            request.answer(encode_status_response(packet, nas.secret, accounting=False))
        else:
            handler(request)
        return True

    def tick(self, now: float) -> None:
        """Time-outs of all connections; call every half second."""
        for connection in list(self._connections):
            connection.tick(now)

    def close_all(self) -> None:
        """Say goodbye to all."""
        for connection in list(self._connections):
            connection.close()

    def busy(self) -> bool:
        """Whether any connection is still open."""
        return bool(self._connections)

    def refuse(
        self,
        connection: Connection,
        reason: str,
        detail: str,
        tenant_id: int = 0,
        nas_id: int | None = None,
        code: int = 0,
    ) -> None:
        """Count a connection that ends because of its peer, and show it to the tenant where one is known."""
        nas = connection.nas or (self._directory.nas.get(nas_id) if nas_id is not None else None)
        if nas is not None:
            self._counters.count(nas, dropped("radsec", reason))
        else:
            self._counters.count_nobody(tenant_id, dropped("radsec", reason))
        LOG.info("radsec_refused", source=connection.shown, reason=reason, detail=detail)
        if tenant_id:
            self._counters.refuse(self._refusal(connection, reason, tenant_id, nas_id, code))

    def refuse_handshake(self, connection: Connection, tls: TlsSession, detail: str) -> None:
        """TLS itself failed; an expired or withdrawn key is told apart, so that its owner sees why."""
        found = self.credentials.by_identity.get((tls.unknown_key or tls.key_identity).decode("utf-8", "replace"))
        if found is None:
            self.refuse(connection, "radsec_handshake", detail)
        else:
            reason = "wrong_secret" if found.is_valid(time.time()) else WITHDRAWN_CREDENTIAL
            self.refuse(connection, reason, detail, found.tenant_id, found.nas_id)

    def _refuse_packet(self, connection: Connection, packet: Packet, reason: str, now: float) -> None:
        nas = connection.nas
        assert nas is not None
        self._counters.count(nas, dropped("acct" if packet.code == ACCOUNTING_REQUEST else "auth", reason))
        self._watches.dropped(nas.tenant.id, nas, packet, packet.raw, connection.source, reason, now)
        refusal = self._refusal(connection, reason, nas.tenant.id, nas.id, packet.code)
        refusal.username = packet.text(USER_NAME)
        refusal.mac = device_of(packet)
        refusal.at = now
        self._counters.refuse(refusal)

    def _refusal(self, connection: Connection, reason: str, tenant_id: int, nas_id: int | None, code: int) -> Refusal:
        nas = self._directory.nas.get(nas_id) if nas_id is not None else None
        return Refusal(
            tenant_id=tenant_id,
            nas_id=nas_id,
            nas_identifier=_name(nas.identifier) if nas else "",
            source=connection.shown,
            code=code,
            reason=reason,
            username="",
            account_id=None,
            mac="",
            method="radsec",
            at=time.time(),
        )


def _end_a_silent(connections: list[Connection]) -> bool:
    """A line that is cut again and again leaves connections that nobody hears the end of: the one that has been silent
    for the longest gives way."""
    silent = min(connections, key=lambda connection: connection.heard_at)
    if time.monotonic() - silent.heard_at < _SILENT_SECONDS:
        return False
    connections.remove(silent)
    silent.abort("")
    return True


def _name(identifier: bytes) -> str:
    return identifier.decode("utf-8", "replace")
