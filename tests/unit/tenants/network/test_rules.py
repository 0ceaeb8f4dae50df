"""Identifiers, secrets, addresses and ports of routers (NET-2; issue 2, "Bad input, named")."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.kernel.errors import BusinessError
from tenants.network import rules
from tenants.network.errors import (
    AddressNeeded,
    BadAddress,
    BadCoaPort,
    BadDdnsName,
    BadIdentifier,
    BadSecret,
    IdentifierOutsidePrefix,
    UnknownVendor,
)


@pytest.mark.parametrize("identifier", ["acme-r1", "acme-Main Street 2", "acme-北区"])
def test_good_identifiers(identifier: str) -> None:
    assert rules.check_identifier(identifier, "acme") == identifier


@pytest.mark.parametrize(
    "identifier", ["", " acme-r1", "acme-r1 ", "acme-\x07r", "acme-a\nb", "acme-a\u2028b", "acme-" + "x" * 60]
)
def test_bad_identifiers(identifier: str) -> None:
    with pytest.raises(BadIdentifier):
        rules.check_identifier(identifier, "acme")


@pytest.mark.parametrize("identifier", ["r1", "acme", "acme-", "Acme-r1", "other-r1", "acmer-1"])
def test_identifiers_outside_the_prefix(identifier: str) -> None:
    with pytest.raises(IdentifierOutsidePrefix) as caught:
        rules.check_identifier(identifier, "acme")
    rules.check_identifier(caught.value.params["example"], "acme")  # the proposal is possible


@given(st.text(), st.integers(1, 999))
def test_a_made_identifier_is_always_possible(name: str, number: int) -> None:
    made = rules.identifier_from_name("acme", name, number)
    assert rules.check_identifier(made, "acme") == made


def test_made_identifiers_do_not_repeat_the_prefix() -> None:
    assert rules.identifier_from_name("acme", "Acme Main Street") == "acme-main-street"
    assert rules.identifier_from_name("acme", "民治") == "acme-nas"
    assert rules.identifier_from_name("acme", "hAP", 2) == "acme-hap2"
    assert rules.identifier_from_name("acme", "r1", 2) == "acme-r1-2"


def test_secrets_that_are_made_are_good_and_differ() -> None:
    made = {rules.new_secret() for _ in range(100)}
    assert len(made) == 100
    for secret in made:
        assert rules.check_secret(secret) == secret
        assert not set(secret) & set("0O1lI\"'\\$?")


@pytest.mark.parametrize(
    "secret", ["", "short", "1234567", "with blank1", "密码密码密码密码", "tab\tinside", "x" * 61, "nul\x00inside"]
)
def test_bad_secrets(secret: str) -> None:
    with pytest.raises(BadSecret):
        rules.check_secret(secret)


@pytest.mark.parametrize("address", ["203.0.113.5", " 203.0.113.5 ", "2001:db8::1"])
def test_good_addresses(address: str) -> None:
    assert str(rules.check_address(address)) == address.strip()


@pytest.mark.parametrize(
    "address",
    [
        "300.1.1.1",
        "router",
        "203.0.113.5:1812",
        "203.0.113.0/24",
        "0.0.0.0",
        "224.0.0.1",
        "::",
        "255.255.255.255",
        "fe80::1%eth0",
        "1",
    ],
)
def test_bad_addresses(address: str) -> None:
    with pytest.raises(BadAddress):
        rules.check_address(address)


@pytest.mark.parametrize("name", ["nodots", "-a.example", "a..example", "http://a.example", "a b.example", "x" * 300])
def test_bad_ddns_names(name: str) -> None:
    with pytest.raises(BadDdnsName):
        rules.check_ddns_name(name)


def test_recognition_by_address_needs_one() -> None:
    with pytest.raises(AddressNeeded):
        rules.check_auth_mode("address", None, "")
    with pytest.raises(AddressNeeded):
        rules.check_auth_mode("ddns", None, "")
    assert rules.check_auth_mode("ddns", None, "a.example") == "ddns"


def test_ports_and_vendors() -> None:
    for port in (0, -1, 65536):
        with pytest.raises(BadCoaPort):
            rules.check_coa_port(port)
    with pytest.raises(UnknownVendor, match="mikrotik"):
        rules.check_vendor("microtik")


@given(st.text())
def test_nothing_but_business_errors_come_out(text: str) -> None:
    for check in (
        rules.check_secret,
        rules.check_address,
        rules.check_ddns_name,
        rules.check_vendor,
        rules.check_timezone,
    ):
        with suppress(BusinessError):
            check(text)
