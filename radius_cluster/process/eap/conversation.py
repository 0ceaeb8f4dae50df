"""A TLS conversation that lives in this process: the tunnel, the method inside it, and where they stand."""

from typing import Final

from radius_cluster.process.eap.checks import Check, CheckResumed, CheckVerified, password_digest
from radius_cluster.process.eap.inner import InnerMethod, InnerStep, Send
from radius_cluster.process.eap.message import TTLS
from radius_cluster.process.eap.peap import PeapInner
from radius_cluster.process.eap.tls_profile import TlsProfile
from radius_cluster.process.eap.ttls import TtlsInner
from radius_cluster.process.eap.tunnel import Tunnel, TunnelError

_OVERHEAD: Final = 5  # EAP header and type octet
_MOST_ROUNDS: Final = 60  # of a conversation; a full handshake in pieces of 100 octets takes about 30


class Conversation:
    """PEAP or TTLS with one peer. ``key`` is its name in the State."""

    __slots__ = (
        "_begun",
        "_digest",
        "_inner",
        "_kind",
        "_most_octets",
        "_profile",
        "_resumed",
        "_rounds",
        "_tunnel",
        "expires_at_seconds",
        "identifier",
        "key",
        "last_answer",
        "last_request",
        "waiting",
    )

    def __init__(
        self, key: bytes, kind: int, identifier: int, profile: TlsProfile, challenge: bytes, most_octets: int
    ) -> None:
        self.key = key
        self.identifier = identifier  # of the EAP request that the peer has to answer
        self.expires_at_seconds = 0
        self.last_request = b""
        self.last_answer = b""
        self.waiting = False  # for a look-up
        self._kind = kind
        self._profile = profile
        self._most_octets = most_octets - _OVERHEAD
        self._tunnel = Tunnel(profile.context)
        self._inner: InnerMethod = TtlsInner(self._implicit_challenge) if kind == TTLS else PeapInner(challenge)
        self._begun = False
        self._rounds = 0
        self._resumed: tuple[str, bytes] | None = None
        self._digest = b""

    @property
    def kind(self) -> int:
        """PEAP or TTLS."""
        return self._kind

    @property
    def method(self) -> str:
        """For the log."""
        return self._inner.method

    def receive(self, data: bytes, now_seconds: int) -> InnerStep:
        """One EAP response. A ``Send`` asks for ``next_piece``; raises TunnelError."""
        self._rounds += 1
        if self._rounds > _MOST_ROUNDS:
            raise TunnelError("too many rounds")
        if not self._tunnel.receive(data):
            return Send(b"")  # acknowledge a piece
        if self._tunnel.has_more_to_send:
            return Send(b"")  # a piece of ours was acknowledged, or the handshake goes on
        if not self._tunnel.established:
            return Send(b"")
        plain, self._tunnel.plain = self._tunnel.plain, b""
        if not self._begun:
            self._begun = True
            self._resumed = self._profile.resumed(self._tunnel.session_key(), now_seconds)
            step = self._inner.begin(self._resumed[0] if self._resumed else "")
            if not plain or not isinstance(step, Send) or step.plain:
                return self._carry(step)
        return self._carry(self._inner.receive(plain))

    def verified(self, password: str) -> InnerStep:
        """The proof was right."""
        self._digest = password_digest(password)
        return self._carry(self._inner.verified(password))

    def closing_check(self) -> Check:
        """What is left to check when the inner method is finished."""
        return CheckResumed(self._resumed[1]) if self._resumed else CheckVerified()

    def next_piece(self) -> bytes:
        """The data of the next EAP request."""
        return self._tunnel.next_piece(self._most_octets)

    def succeed(self, user_name: str, now_seconds: int) -> tuple[bytes, bytes]:
        """The (send, receive) keys; the session may be resumed from now on."""
        label = b"ttls keying material" if self._kind == TTLS else b"client EAP encryption"
        material = self._tunnel.export(label, 64)
        if not self._resumed:
            self._profile.remember(self._tunnel.session_key(), user_name, self._digest, now_seconds)
        self._tunnel.close(keep_session=True)
        return material[32:], material[:32]

    def fail(self) -> None:
        """Nobody may resume this session."""
        self._tunnel.close(keep_session=False)

    def _carry(self, step: InnerStep) -> InnerStep:
        if isinstance(step, Send) and step.plain:
            self._tunnel.send(step.plain)
        return step

    def _implicit_challenge(self, octets: int) -> bytes:
        return self._tunnel.export(b"ttls challenge", octets)
