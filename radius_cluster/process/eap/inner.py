"""What a method inside a TLS tunnel wants done next."""

from dataclasses import dataclass
from typing import Protocol

from radius_cluster.process.eap.checks import Check


@dataclass(frozen=True, slots=True)
class Send:
    """Send this to the peer through the tunnel; b"" waits for the peer to begin."""

    plain: bytes


@dataclass(frozen=True, slots=True)
class Verify:
    """Look the user up and check the proof, then call ``verified``."""

    user_name: str
    check: Check


@dataclass(frozen=True, slots=True)
class Finished:
    """The user is who he says; ``verified`` was called before."""

    user_name: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The conversation cannot go on."""

    detail: str


InnerStep = Send | Verify | Finished | Failed


class InnerMethod(Protocol):
    """Phase 2 of PEAP or TTLS. ``method`` names it for the log, once it is known."""

    method: str

    def begin(self, resumed_user: str) -> InnerStep:
        """The tunnel stands; ``resumed_user`` is "" unless an earlier conversation's session was resumed."""
        ...

    def receive(self, plain: bytes) -> InnerStep:
        """The peer sent this through the tunnel (b"" = an acknowledgement)."""
        ...

    def verified(self, password: str) -> InnerStep:
        """The proof of the last ``Verify`` was right."""
        ...
