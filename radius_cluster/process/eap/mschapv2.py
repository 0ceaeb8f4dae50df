"""EAP-MSCHAPv2, on its own and inside PEAP (draft-kamath-pppext-eap-mschapv2)."""

from typing import Final

from radius_cluster.process.eap.checks import CheckMschap2

_CHALLENGE: Final = 1
_RESPONSE: Final = 2
_SUCCESS: Final = 3
SERVER_NAME: Final = b"broadloom"


def encode_challenge(identifier: int, challenge: bytes) -> bytes:
    """The data of the first request; ``challenge`` has 16 octets."""
    return _encode(_CHALLENGE, identifier, bytes((16,)) + challenge + SERVER_NAME)


def encode_success(identifier: int, proof: bytes) -> bytes:
    """The data of the second request: the server's proof."""
    return _encode(_SUCCESS, identifier, proof + b" M=OK")


def parse_response(data: bytes, challenge: bytes) -> CheckMschap2 | None:
    """The peer's response to the challenge, or None."""
    # opcode, identifier, length (2), value size, peer challenge (16), reserved (8), response (24), flags, name
    if len(data) < 54 or data[0] != _RESPONSE or data[4] != 49:
        return None
    return CheckMschap2(data[1], challenge, data[5:21], data[29:53], data[54:])


def is_success_confirmation(data: bytes) -> bool:
    """Whether the peer believed the server's proof."""
    return data[:1] == bytes((_SUCCESS,))


def _encode(opcode: int, identifier: int, value: bytes) -> bytes:
    return bytes((opcode, identifier)) + (4 + len(value)).to_bytes(2, "big") + value
