"""The State attribute: the conversation itself, or the name of the process that has it.

``version(1) ‖ kind ‖ owner length ‖ owner ‖ sealed``. What methods without TLS need fits into the seal, so any process
of the cluster that has the key can go on with it. A TLS session cannot be written down: its State names its owner, in
clear, and a process that is not the owner forwards the packet. The seal is bound to ``binding`` (tenant and NAS), so a
State of one router is nothing at another, and it carries its own expiry.
"""

import struct
from dataclasses import dataclass
from typing import Final

from infra.crypto import DecryptionError, SecretBox

_VERSION: Final = 1
_PORTABLE: Final = 0
_OWNED: Final = 1
_PURPOSE: Final = b"eap-state"
_PORTABLE_FORM: Final = struct.Struct(">IBBB16s16s16s")
_OWNED_FORM: Final = struct.Struct(">I8s")

# Stages of a portable conversation
STARTED: Final = 0
STARTED_AFTER_NAK: Final = 1
VERIFIED: Final = 2  # the password was right; the peer has yet to confirm the server's proof


@dataclass(frozen=True, slots=True)
class Portable:
    """A conversation that any process can continue."""

    expires_at_seconds: int
    method: int
    identifier: int  # of the EAP request that was sent
    stage: int
    challenge: bytes = bytes(16)
    send_key: bytes = bytes(16)
    receive_key: bytes = bytes(16)
    user_name: str = ""


@dataclass(frozen=True, slots=True)
class Owned:
    """A conversation that lives in a process."""

    expires_at_seconds: int
    conversation: bytes  # 8 octets


def seal_portable(box: SecretBox, value: Portable, binding: bytes) -> bytes:
    """The State of a portable conversation."""
    plain = _PORTABLE_FORM.pack(
        value.expires_at_seconds,
        value.method,
        value.identifier,
        value.stage,
        value.challenge,
        value.send_key,
        value.receive_key,
    )
    return _seal(box, _PORTABLE, b"", plain + value.user_name.encode(), binding)


def seal_owned(box: SecretBox, value: Owned, owner: str, binding: bytes) -> bytes:
    """The State of a conversation that ``owner`` has."""
    return _seal(box, _OWNED, owner.encode(), _OWNED_FORM.pack(value.expires_at_seconds, value.conversation), binding)


def owner_of(state: bytes) -> str:
    """The process that must answer this request; "" when any can. Not verified: only forward to processes you know."""
    if len(state) < 3 or state[0] != _VERSION or state[1] != _OWNED:
        return ""
    return state[3 : 3 + state[2]].decode("utf-8", "replace")


def open_state(box: SecretBox, state: bytes, binding: bytes) -> Portable | Owned | None:
    """What the State says, or None when it is not ours, altered, or of another NAS. The caller checks the expiry."""
    if len(state) < 3 or state[0] != _VERSION or len(state) < 3 + state[2]:
        return None
    head = state[: 3 + state[2]]
    try:
        plain = box.open(state[len(head) :], _PURPOSE + head + binding)
    except DecryptionError:
        return None
    if state[1] == _OWNED and len(plain) == _OWNED_FORM.size:
        return Owned(*_OWNED_FORM.unpack(plain))
    if state[1] != _PORTABLE or len(plain) < _PORTABLE_FORM.size:
        return None
    expires, method, identifier, stage, challenge, send_key, receive_key = _PORTABLE_FORM.unpack_from(plain)
    name = plain[_PORTABLE_FORM.size :].decode()
    return Portable(expires, method, identifier, stage, challenge, send_key, receive_key, name)


def _seal(box: SecretBox, kind: int, owner: bytes, plain: bytes, binding: bytes) -> bytes:
    head = bytes((_VERSION, kind, len(owner))) + owner
    return head + box.seal(plain, _PURPOSE + head + binding)
