"""Why a packet was dropped before any account was looked at, in plain words, and what to do (TEN-4, RAD-9)."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class PacketReason:
    """Both texts are translated by their English sentence."""

    message: str
    remedy: str


PACKET_REASONS: Final[dict[str, PacketReason]] = {
    "unknown_nas": PacketReason(
        "The packet names an identifier that no router has.",
        "Set the router's identity exactly to the identifier shown here, or register a router under the name it sends.",
    ),
    "wrong_secret": PacketReason(
        "The shared secrets differ: the check value in the packet is not the one that the registered secret gives.",
        "Paste the part with the secret into the router once more and dial again; often one character is missing.",
    ),
    "no_message_authenticator": PacketReason(
        "The packet carries no Message-Authenticator, so it could have been forged.",
        "Update the router's software or switch the attribute on; only if neither is possible, set this router to "
        "optional.",
    ),
    "malformed": PacketReason(
        "The packet is not a correct RADIUS packet.",
        "Check that the right port is used and that nothing on the way alters the packets.",
    ),
    "wrong_port": PacketReason(
        "The packet came to the wrong port.",
        "Authentication and accounting have ports of their own; compare them with the router's.",
    ),
}
_MALFORMED = frozenset({"truncated", "bad_length", "unknown_code", "bad_attribute"})


def packet_reason(code: str) -> PacketReason | None:
    """The words for a dropped packet, None for reasons that concern an account (``access.reasons`` has those)."""
    return PACKET_REASONS.get("malformed" if code in _MALFORMED else code)
