"""HMAC-MD5 beside that of the standard library."""

import hmac

import pytest

from radius_cluster.wire import md5
from radius_cluster.wire.md5 import hmac_md5


@pytest.mark.parametrize("size", [1, 16, 63, 64, 65, 128, 300])
def test_secrets_of_any_length(size: int) -> None:
    secret = bytes(number % 256 for number in range(size))
    for message in (b"", b"x", bytes(4096)):
        assert hmac_md5(secret, message) == hmac.digest(secret, message, "md5")


def test_keyed_states_are_kept_but_not_without_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(md5, "_MOST_SECRETS", 3)
    monkeypatch.setattr(md5, "_keyed", {})
    for number in range(10):
        secret = b"secret %d" % number
        assert hmac_md5(secret, b"x") == hmac.digest(secret, b"x", "md5")
        assert secret in md5._keyed
        assert len(md5._keyed) <= 3
