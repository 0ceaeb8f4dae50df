"""Which addresses may become a fixed one, and how the wish for one is kept beside other bindings (SUB-8)."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_address

import pytest

from tenants.subscribers import address_wish as wish

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "address",
    ["0.0.0.0", "0.1.2.3", "127.0.0.1", "169.254.7.7", "224.0.0.1", "240.0.0.1", "255.255.255.254", "255.255.255.255",
     "::", "::1", "fe80::1", "ff02::1"],
)  # fmt: skip
def test_no_host_can_have_it(address: str) -> None:
    assert wish.implausible(ip_address(address))


@pytest.mark.parametrize(
    "address", ["10.0.0.0", "100.64.3.255", "192.168.1.1", "203.0.113.9", "2001:db8::7", "fd00::7"]
)
def test_a_host_can_have_it(address: str) -> None:
    assert not wish.implausible(ip_address(address))


def test_the_wish_stands_beside_that_for_the_router_and_keeps_its_first_instant() -> None:
    both = wish.with_address(wish.with_router({}, True), NOW)
    assert (wish.wants_router(both), wish.wants_address(both), wish.wanted_since(both)) == (True, True, NOW)
    again = wish.with_refusal(wish.with_address(both, NOW + timedelta(days=1)), "127.0.0.1")
    assert (wish.wanted_since(again), wish.not_taken(again)) == (NOW, "127.0.0.1")
    alone = wish.with_router(again, False)
    assert (wish.wants_router(alone), wish.wants_address(alone)) == (False, True)
    assert wish.with_address(alone, None) == {}
    assert wish.with_address(again, None) == {"learn": ["nas"]}
    assert not wish.wants_router(None)
    assert not wish.wants_address(None)
    assert wish.not_taken(None) == ""
