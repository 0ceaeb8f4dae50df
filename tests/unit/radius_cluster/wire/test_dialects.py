"""Dialects: what each vendor's Accept and CoA carry, and how an ISP's own dialect is checked (NET-3)."""

import re
from pathlib import Path

import pytest

from infra.radius_text.dialects import dialect_for, parse_dialect, shipped_dialects
from infra.radius_text.lines import TextProblems, encode_lines
from infra.radius_text.placeholders import SAMPLES, mikrotik_rate_limit
from infra.radius_text.profile import ReplyProfile
from radius_cluster.wire import attributes as encode
from radius_cluster.wire.dialects import (
    encode_coa_profile,
    encode_extra,
    encode_octet_limits,
    encode_profile,
    encode_timeout,
)
from tests.golden.read import read_golden

PLAIN = ReplyProfile(up_bps=20_000_000, down_bps=100_000_000, pool="pool-100m")
FULL = ReplyProfile(
    up_bps=20_000_000,
    down_bps=100_000_000,
    burst_up_bps=40_000_000,
    burst_down_bps=200_000_000,
    threshold_up_bps=15_000_000,
    threshold_down_bps=80_000_000,
    burst_seconds=8,
    minimum_up_bps=1_000_000,
    minimum_down_bps=2_000_000,
    priority=3,
    pool="pool-100m",
    dns1="192.0.2.53",
    dns2="192.0.2.54",
    ipv6_pool="v6-link",
    delegated_ipv6_pool="v6-home",
    address_list="expiring",
    user_group="home",
    qos_profile="q100",
    qos_profile_up="q100-in",
    qos_profile_down="q100-out",
    service="rate(20m,100m)",
    domain="isp",
    virtual_router="default",
    redirect_url="http://portal.example/",
    idle_timeout_seconds=600,
    interim_seconds=300,
    max_sessions=2,
)

EXPIRED = ReplyProfile(
    up_bps=1_000_000,
    down_bps=1_000_000,
    pool="pool-expired",
    address_list="expired",
    user_group="expired",
    qos_profile="expired",
    service="walled-garden",
    redirect_url="http://pay.example/",
    dns1="192.0.2.53",
    interim_seconds=300,
)


@pytest.mark.parametrize("key", sorted(shipped_dialects()))
def test_expired_accounts_are_led_to_their_place(key: str) -> None:
    """NET-4, CAP-3: pool, ACL or service, and rate, in the words of each vendor."""
    expected = read_golden(f"dialect-{key}.txt")["Accept of an expired account: pool, ACL, redirect, 1M"]
    assert encode_profile(dialect_for(key), EXPIRED) == expected
    assert b"pool-expired" in expected
    assert b"expired" in expected.replace(b"pool-expired", b"") or b"walled-garden" in expected


@pytest.mark.parametrize("key", sorted(shipped_dialects()))
def test_accept_is_the_golden_one(key: str) -> None:
    dialect = dialect_for(key)
    expected = read_golden(f"dialect-{key}.txt")
    assert encode_profile(dialect, PLAIN) == expected["Accept of 20M up, 100M down, pool-100m"]
    assert encode_profile(dialect, FULL) == expected["Accept of a profile with everything set"]
    assert encode_coa_profile(dialect, FULL, previous_service="old") == expected["CoA of the same profile"]
    moved = expected.get("CoA of another end: 2 hours from the beginning, 1 from now", b"")
    assert encode_timeout(dialect, total_seconds=7200, left_seconds=3600) == moved
    limits = encode_octet_limits(dialect, total_octets=5 * 1024**3, up_octets=1, down_octets=4 * 1024**3)
    assert limits == expected["Octet limits: 5 GiB in all, 1 octet up, 4 GiB down"]


@pytest.mark.parametrize(
    ("profile", "expected"),
    [
        (ReplyProfile(up_bps=2_000_000, down_bps=10_000_000), "2M/10M"),
        (ReplyProfile(up_bps=400_000, down_bps=1_500_000), "400k/1500k"),
        (ReplyProfile(up_bps=64_500, down_bps=128_001), "64500/128001"),
        (ReplyProfile(up_bps=1_000_000), ""),
        # the example of RouterOS' documentation
        (
            ReplyProfile(
                up_bps=400_000,
                down_bps=2_000_000,
                burst_up_bps=800_000,
                burst_down_bps=4_000_000,
                threshold_up_bps=300_000,
                threshold_down_bps=1_500_000,
                burst_seconds=10,
                priority=8,
            ),
            "400k/2M 800k/4M 300k/1500k 10/10 8",
        ),
        (ReplyProfile(up_bps=1_000_000, down_bps=2_000_000, burst_down_bps=4_000_000), "1M/2M 1M/4M"),
        (
            ReplyProfile(up_bps=1_000_000, down_bps=2_000_000, burst_down_bps=4_000_000, burst_seconds=5),
            "1M/2M 1M/4M 1M/2M 5/5",
        ),
        (ReplyProfile(up_bps=1_000_000, down_bps=2_000_000, priority=1), "1M/2M 0/0 0/0 0/0 1"),
        (
            ReplyProfile(up_bps=1_000_000, down_bps=2_000_000, minimum_down_bps=500_000),
            "1M/2M 0/0 0/0 0/0 8 0/500k",
        ),
        # a threshold or a time without a burst means nothing
        (ReplyProfile(up_bps=1_000_000, down_bps=2_000_000, threshold_up_bps=1, burst_seconds=9), "1M/2M"),
    ],
)
def test_mikrotik_rate_limit(profile: ReplyProfile, expected: str) -> None:
    assert mikrotik_rate_limit(profile) == expected


def test_invert_exchanges_the_directions() -> None:
    dialect = dialect_for("mikrotik")
    assert b"100M/20M" in encode_profile(dialect, PLAIN, invert=True)
    assert b"100M/20M" in encode_coa_profile(dialect, PLAIN, invert=True)
    assert encode_octet_limits(dialect, up_octets=7, invert=True) == encode_octet_limits(dialect, down_octets=7)


def test_rate_unit_of_a_nas_overrides_the_dialects() -> None:
    zte, ikuai = dialect_for("zte"), dialect_for("ikuai")
    assert encode.vendor_number(3902, 83, 100_000_000) in encode_profile(zte, PLAIN)
    assert encode.vendor_number(3902, 83, 100_000) in encode_profile(zte, PLAIN, rate_unit="kbit/s")
    assert encode.vendor_number(10055, 2, 100_000) in encode_profile(ikuai, PLAIN)
    assert encode.vendor_number(10055, 2, 12_500) in encode_profile(ikuai, PLAIN, rate_unit="kB/s")


def test_rates_beyond_32_bits_are_sent_as_the_most() -> None:
    profile = ReplyProfile(up_bps=10_000_000_000, down_bps=10_000_000_000)
    assert encode.vendor_number(2011, 5, 0xFFFFFFFF) in encode_profile(dialect_for("huawei"), profile)
    assert b"10000M/10000M" in encode_profile(dialect_for("mikrotik"), profile)


def test_octet_limit_gigawords_of_mikrotik() -> None:
    limits = encode_octet_limits(dialect_for("mikrotik"), total_octets=5 * 2**30)
    assert limits == encode.vendor_number(14988, 17, 2**30) + encode.vendor_number(14988, 18, 1)
    assert encode_octet_limits(dialect_for("mikrotik"), total_octets=0) == encode.vendor_number(14988, 17, 0)


def test_a_service_that_stays_is_not_deactivated() -> None:
    juniper = dialect_for("juniper")
    assert b"old" in encode_coa_profile(juniper, FULL, previous_service="old")
    assert encode_coa_profile(juniper, ReplyProfile(service="old"), previous_service="old") == b""
    with_rate = encode_coa_profile(juniper, ReplyProfile(down_bps=6_000_000, service="old"), previous_service="old")
    assert with_rate.endswith(b"T02 6m")  # and the service is not activated once more


def test_unknown_vendor_is_answered_in_the_standard_dialect() -> None:
    assert dialect_for("generic") is dialect_for("nobody-knows") is dialect_for("standard")


def test_own_dialect_is_the_same_form() -> None:
    own = parse_dialect(
        "acme",
        "title ACME\nrate-unit kbit/s\n\n[accept]\nWISPr-Bandwidth-Max-Up = {up}\n"
        "Reply-Message = {up}k up\n[coa]\n# none\n",
    )
    expected = encode.vendor_number(14122, 7, 20_000) + encode.text(18, "20000k up")
    assert encode_profile(own, PLAIN) == expected
    assert encode_coa_profile(own, PLAIN) == b""


def test_problems_name_their_lines() -> None:
    text = "\n".join(
        [
            "rate-unit furlongs",
            "coa-port 70000",
            "identify Colour",
            "colour blue",
            "[accept]",
            "Foo = {up}",
            "Framed-IP-Address = {pool}",
            "WISPr-Bandwidth-Max-Up = {upp}",
            "Message-Authenticator = 0x00",
            "Tunnel-Password = x",
            "Framed-Pool:1 = x",
            "Framed-Pool",
            "[reject]",
        ]
    )
    with pytest.raises(TextProblems) as caught:
        parse_dialect("x", text)
    assert [(p.line, p.code) for p in caught.value.problems] == [
        (1, "setting"),
        (2, "setting"),
        (3, "setting"),
        (4, "setting"),
        (6, "unknown_attribute"),
        (7, "address"),
        (8, "placeholder"),
        (9, "reserved"),
        (10, "encrypted"),
        (11, "tag"),
        (12, "form"),
        (13, "section"),
    ]
    with pytest.raises(TextProblems, match="accept"):
        parse_dialect("x", "title nothing")


def test_extra_attributes() -> None:
    text = 'Framed-Filter-Id = x\nSession-Timeout = "3600"\n# remark\n\nCisco-AVPair = "ip:inacl#1={x}"'
    with pytest.raises(TextProblems, match="line 1: no dictionary knows"):
        encode_extra(text)
    good = encode_extra(text.partition("\n")[2])
    assert good == encode.number(27, 3600) + encode.vendor_text(9, 1, "ip:inacl#1={x}")


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("Service-Type = Framed-User", b"\0\0\0\x02"),
        ("Session-Timeout = 0x10", b"\0\0\0\x10"),
        ("Framed-IPv6-Prefix = 2001:db8:1::/48", b"\x00\x30\x20\x01\x0d\xb8\x00\x01"),
        ("Framed-IPv6-Address = 2001:db8::1", b"\x20\x01\x0d\xb8" + bytes(11) + b"\x01"),
        ("Framed-Interface-Id = 0:0:0:1", bytes(7) + b"\x01"),
        ("Tunnel-Type:1 = VLAN", b"\x01\0\0\x0d"),
        ("Tunnel-Private-Group-Id:1 = 200", b"\x01200"),
        ("Event-Timestamp = 2026-01-01T00:00:00+00:00", (1767225600).to_bytes(4, "big")),
        ("Huawei-Domain-Name := isp", b"isp"),
    ],
)
def test_values_by_type(line: str, value: bytes) -> None:
    assert [encoded for _, _, encoded in encode_lines(line)] == [value]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("Session-Timeout = 4294967296", "range"),
        ("Session-Timeout = -1", "number"),
        ("Service-Type = Nonsense", "number"),
        ("Framed-IP-Address = 1.2.3.256", "address"),
        ("Framed-IPv6-Address = 1.2.3.4", "address"),
        ("Framed-IPv6-Prefix = 2001:db8::1/48", "prefix"),
        ("Framed-Interface-Id = 1", "interface_id"),
        ("Event-Timestamp = yesterday", "date"),
        ("Event-Timestamp = 2026-01-01T00:00:00", "date"),
        ("Class-Of = 1", "unknown_attribute"),
        ("Class = x", "reserved"),
        (f"Framed-Pool = {'x' * 254}", "length"),
        (f"Huawei-Domain-Name = {'x' * 248}", "length"),
        ('Framed-Pool = ""', "empty"),
        ("Framed-Pool = a\tb", "control"),
    ],
)
def test_values_that_are_refused(line: str, code: str) -> None:
    with pytest.raises(TextProblems) as caught:
        encode_lines(line)
    assert [problem.code for problem in caught.value.problems] == [code]


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("mikrotik-ratelimit = 1M", "Mikrotik-Rate-Limit"),
        ("Service-Type = Framed", "framed-user"),
        ("Nonsense = 1", ""),
        ("Service-Type = x", ""),
        ("Tunnel-Type:1 = VLAM", "vlan"),
    ],
)
def test_what_was_probably_meant(line: str, meant: str) -> None:
    with pytest.raises(TextProblems) as caught:
        encode_lines(line)
    [problem] = caught.value.problems
    assert meant in problem.meant.split(" / ")
    assert problem.meant in problem.message


def test_every_placeholder_is_documented() -> None:
    text = (Path(__file__).parents[4] / "docs" / "dialects.md").read_text("utf-8")
    table = text.partition("## Placeholders")[2]
    assert set(re.findall(r"`([a-z0-9_]+)`", table)) == set(SAMPLES)
