"""IPv6 in accounting (RAD-4): prefixes that come after the Start, octets that routers count apart."""

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.radius import Client, Processes, World

LINK = encode.octets(codes.FRAMED_IPV6_PREFIX, bytes.fromhex("0040 20010db800000001"))
HOME = encode.octets(codes.DELEGATED_IPV6_PREFIX, bytes.fromhex("0038 20010db800ab"))
OTHER_HOME = encode.octets(codes.DELEGATED_IPV6_PREFIX, bytes.fromhex("0038 20010db800cd"))
HOST = encode.octets(codes.FRAMED_IPV6_ADDRESS, bytes.fromhex("20010db8000000000000000000000007"))


def _prefixes(row: dict) -> tuple[str | None, str | None]:
    return row["framed_ipv6_prefix"], row["delegated_ipv6_prefix"]


def test_prefixes_that_come_after_the_start(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    router: Client = client(identifier)
    assert router.account(ACCT_START, "s1", "alice")
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=60, octets_in=1, extra=LINK)
    assert _prefixes(world.sessions(tenant)[0]) == ("2001:db8:0:1::/64", None)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=120, octets_in=2, extra=LINK + HOME)
    assert _prefixes(world.sessions(tenant)[0]) == ("2001:db8:0:1::/64", "2001:db8:ab::/56")
    # a report without them takes nothing away, another prefix replaces the first
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=180, octets_in=3)
    assert router.account(ACCT_INTERIM, "s1", "alice", seconds=240, octets_in=4, extra=OTHER_HOME)
    assert _prefixes(world.sessions(tenant)[0]) == ("2001:db8:0:1::/64", "2001:db8:cd::/56")
    assert router.account(ACCT_STOP, "s1", "alice", seconds=300, octets_in=5)
    assert _prefixes(world.history(tenant)[0]) == ("2001:db8:0:1::/64", "2001:db8:cd::/56")
    # a short session tells them only in its Stop; one whose counters began again takes the exact path
    assert router.account(ACCT_START, "s2", "alice")
    assert router.account(ACCT_STOP, "s2", "alice", seconds=9, octets_in=5, extra=HOST + HOME)
    assert router.account(ACCT_START, "s3", "alice")
    assert router.account(ACCT_INTERIM, "s3", "alice", seconds=60, octets_in=50)
    assert router.account(ACCT_INTERIM, "s3", "alice", seconds=120, octets_in=5, extra=HOST + HOME)
    assert _prefixes(world.sessions(tenant)[0]) == ("2001:db8::7/128", "2001:db8:ab::/56")
    assert router.account(ACCT_STOP, "s3", "alice", seconds=130, octets_in=6)
    closed = {row["session_id"]: _prefixes(row) for row in world.history(tenant)}
    assert closed["s2"] == closed["s3"] == ("2001:db8::7/128", "2001:db8:ab::/56")


@pytest.mark.parametrize(("make", "vendor"), [("huawei", 2011), ("h3c", 25506)])
def test_octets_of_ipv6_are_added_where_the_make_counts_them_apart(
    world: World, processes: Processes, client, make: str, vendor: int
) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant, vendor=make)
    _, other = world.nas(tenant, "nas2", vendor="juniper")
    _, turned = world.nas(tenant, "nas3", vendor=make, invert_directions=True)
    world.subscriber(tenant, "alice")
    processes.start()
    apart = (
        encode.vendor_number(vendor, 144, 30)
        + encode.vendor_number(vendor, 145, 700)
        + encode.vendor_number(vendor, 149, 1)  # gigawords down
    )
    for name, expected in (
        (identifier, (130, 1_700 + 2**32)),
        (other, (100, 1_000)),  # a Junos counts both in Acct-Input-Octets
        (turned, (1_700 + 2**32, 130)),
    ):
        router: Client = client(name)
        assert router.account(ACCT_START, "s1", "alice")
        assert router.account(ACCT_INTERIM, "s1", "alice", seconds=60, octets_in=100, octets_out=1_000, extra=apart)
        [session] = world.sessions(tenant)
        assert (session["octets_in"], session["octets_out"]) == expected
        assert router.account(ACCT_STOP, "s1", "alice", seconds=60, octets_in=100, octets_out=1_000, extra=apart)
