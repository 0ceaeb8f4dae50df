"""A watch of packets (RAD-7): what portals and the processes of the cluster tell each other of it.

Whoever watches makes a token. It is told to the processes by NOTIFY and kept nowhere: Redis knows its check sum, and
what was seen lies there for a moment, sealed under it. So nothing that Redis may have written to its disk can be read
once the watch is over.
"""

import json
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import Any, Final

from infra.crypto import DecryptionError, SecretBox
from infra.redis_keys import tenant_key

CHANNEL: Final = "broadloom_watch"
MOST_PACKETS: Final = 500  # of one watch
MOST_MINUTES: Final = 15
USUAL_MINUTES: Final = 5
TOLD_EVERY_SECONDS: Final = 2.0  # whoever watches says so again
LIVES_SECONDS: Final = 10.0  # without being told so the processes forget it
KEPT_SECONDS: Final = 60  # what was seen, after the last packet or the last look at it
_PURPOSE: Final = b"packet-watch"
_SEPARATORS: Final = str.maketrans("", "", ":-. ")
_HEX: Final = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class PacketWatch:
    """What is watched: a router, a login name, or both. ``name`` is as :func:`name_key` writes it, "" for any;
    ``account_id`` is the account of that name, so that its accounting is seen under whatever name the router writes."""

    token: str
    tenant_id: int
    nas_id: int | None = None
    name: str = ""
    account_id: int | None = None

    def announcement(self, left_seconds: float) -> str:
        """For NOTIFY; 0 seconds end it."""
        return json.dumps({"watch": asdict(self), "left": left_seconds})

    @staticmethod
    def heard(text: str) -> "tuple[PacketWatch, float]":
        """What was announced: the watch, and how long it may still last. Raises ValueError, KeyError, TypeError."""
        told = json.loads(text)
        return PacketWatch(**told["watch"]), float(told["left"])

    def key(self, *parts: str) -> str:
        """Its name in Redis."""
        return watch_key(self.tenant_id, self.token, *parts)

    def seal(self, document: dict[str, Any]) -> bytes:
        """What Redis may see of it."""
        return box_of(self.token).seal(json.dumps(document, ensure_ascii=False).encode(), _PURPOSE)


def name_key(name: str) -> str:
    """A login name however it is written: letters small, a MAC as ``aa:bb:cc:dd:ee:ff``."""
    folded = name.strip().casefold()
    digits = folded.translate(_SEPARATORS)
    if len(digits) == 12 and _HEX.issuperset(digits):
        return ":".join(digits[at : at + 2] for at in range(0, 12, 2))
    return folded


def watch_key(tenant_id: int, token: str, *parts: str) -> str:
    """The name in Redis of the watch with this token."""
    return tenant_key(tenant_id, "watch", sha256(token.encode()).hexdigest()[:32], *parts)


def box_of(token: str) -> SecretBox:
    """What is seen under this token is sealed with it."""
    return SecretBox(sha256(b"packet-watch:" + token.encode()).digest())


def opened(token: str, sealed: bytes) -> dict[str, Any] | None:
    """What was sealed under this token; None for anything else."""
    try:
        document = json.loads(box_of(token).open(sealed, _PURPOSE))
    except (DecryptionError, ValueError):
        return None
    return document if isinstance(document, dict) else None
