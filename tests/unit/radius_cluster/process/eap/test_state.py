"""The State attribute: what was put in comes out, for its router, and nothing else does."""

import pytest

from infra.crypto import SecretBox
from radius_cluster.process.eap.state import Owned, Portable, open_state, owner_of, seal_owned, seal_portable

BOX = SecretBox(bytes(range(32)))
NAS = b"7/1"
PORTABLE = Portable(1_800_000_060, 26, 255, 2, b"c" * 16, b"s" * 16, b"r" * 16, "alice@例子")
OWNED = Owned(1_800_000_060, b"12345678")
OWNER = "h" * 48 + ":4194304"


@pytest.mark.parametrize("value", [PORTABLE, Portable(0, 1, 0, 0), OWNED])
def test_what_was_put_in_comes_out(value: Portable | Owned) -> None:
    if isinstance(value, Portable):
        state, owner = seal_portable(BOX, value, NAS), ""
    else:
        state, owner = seal_owned(BOX, value, OWNER, NAS), OWNER
    assert len(state) <= 253
    assert open_state(BOX, state, NAS) == value
    assert owner_of(state) == owner
    assert open_state(BOX, state, b"7/2") is None
    assert open_state(SecretBox(bytes(32)), state, NAS) is None
    for at in range(len(state)):
        changed = bytearray(state)
        changed[at] ^= 1
        assert open_state(BOX, bytes(changed), NAS) is None
        assert open_state(BOX, state[:at], NAS) is None
        assert owner_of(state[:at]) in (owner, owner[: max(0, at - 3)])
    assert open_state(BOX, state + b"x", NAS) is None


def test_a_state_of_another_version_names_nobody() -> None:
    state = seal_owned(BOX, OWNED, OWNER, NAS)
    assert owner_of(b"\x02" + state[1:]) == ""
    assert owner_of(b"") == ""
