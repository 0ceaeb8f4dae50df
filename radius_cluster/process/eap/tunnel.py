"""A TLS session carried in EAP packets (RFC 5216, 2.1.5): fragments in, fragments out, plain text between."""

from typing import Final

from OpenSSL import SSL

_LENGTH: Final = 0x80
_MORE: Final = 0x40
START: Final = 0x20
_MOST_OCTETS: Final = 65_536  # of one TLS message in pieces; certificate chains have a few thousand
_MOST_PLAIN: Final = 16_384  # octets of an inner message, which has some hundred; its length would not fit 16 bits


class TunnelError(Exception):
    """The TLS session failed, or its pieces make no sense; the text is for the log."""


class Tunnel:
    """One TLS session over memory; ``plain`` are the octets that came through it since they were last taken."""

    __slots__ = ("_connection", "_incoming", "_outgoing", "established", "plain")

    def __init__(self, context: SSL.Context) -> None:
        self._connection = SSL.Connection(context, None)
        self._connection.set_accept_state()
        self._incoming = b""
        self._outgoing = b""
        self.established = False
        self.plain = b""

    @property
    def has_more_to_send(self) -> bool:
        """Whether pieces of the last message wait for the peer's acknowledgement."""
        return bool(self._outgoing)

    def receive(self, data: bytes) -> bool:
        """Take the data of one EAP response. Whether a whole message has arrived; if not, acknowledge the piece.

        Raises :class:`TunnelError`.
        """
        flags, body = (data[0], data[1:]) if data else (0, b"")
        if flags & _LENGTH:
            if len(body) < 4:
                raise TunnelError("length missing")
            body = body[4:]
        self._incoming += body
        if len(self._incoming) > _MOST_OCTETS:
            raise TunnelError("message too long")
        if flags & _MORE:
            return False
        message, self._incoming = self._incoming, b""
        if message:
            self._outgoing = b""  # the peer goes on: what was not fetched is not wanted
            self._feed(message)
        return True

    def send(self, plain: bytes) -> None:
        """Encrypt and queue plain text. Raises :class:`TunnelError`."""
        try:
            self._connection.send(plain)
        except SSL.Error as error:
            raise TunnelError(f"cannot send: {error}") from error
        self._collect()

    def next_piece(self, most_octets: int) -> bytes:
        """The data of the next EAP request: a piece of at most ``most_octets``; an empty one is an acknowledgement."""
        room = most_octets - 1
        if len(self._outgoing) <= room:
            piece, self._outgoing = self._outgoing, b""
            return b"\0" + piece
        # The length stands in each piece but the last; peers read it from the first.
        room -= 4
        head = bytes((_LENGTH | _MORE,)) + len(self._outgoing).to_bytes(4, "big")
        piece, self._outgoing = self._outgoing[:room], self._outgoing[room:]
        return head + piece

    def export(self, label: bytes, octets: int) -> bytes:
        """Key material of the session (RFC 5705)."""
        return self._connection.export_keying_material(label, octets)

    def session_key(self) -> bytes:
        """What a session and its resumptions have in common: the master secret. Never leaves the process."""
        return self._connection.master_key() or b""

    def close(self, keep_session: bool) -> None:
        """End it. A session that is not kept is forgotten by OpenSSL, so that it cannot be resumed."""
        if keep_session:
            self._connection.set_shutdown(SSL.SENT_SHUTDOWN | SSL.RECEIVED_SHUTDOWN)

    def _feed(self, message: bytes) -> None:
        try:
            self._connection.bio_write(message)
            if not self.established:
                self._connection.do_handshake()
                self.established = True
            while len(self.plain) <= _MOST_PLAIN:
                self.plain += self._connection.recv(16_384)
            raise TunnelError("too much at once")
        except SSL.WantReadError:
            pass
        except (SSL.Error, SSL.ZeroReturnError) as error:
            self._collect()  # an alert may tell the peer why
            raise TunnelError(f"TLS: {error}") from error
        self._collect()

    def _collect(self) -> None:
        try:
            while True:
                self._outgoing += self._connection.bio_read(16_384)
        except SSL.WantReadError:
            pass
