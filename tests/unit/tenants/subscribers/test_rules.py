"""What may be typed about an account, and what state it shows (SUB-4, SUB-5)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tenants.kernel.errors import BusinessError
from tenants.subscribers import rules
from tenants.subscribers.rules import shown_state

NOW = datetime(2026, 5, 15, 12, tzinfo=UTC)


@dataclass
class Row:
    state: str = "active"
    activated_at: datetime | None = NOW - timedelta(days=10)
    receivable: Decimal = Decimal(0)
    never_expires: bool = False
    expires_at: datetime = NOW + timedelta(days=30)


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        (Row(), "normal"),
        (Row(expires_at=NOW + timedelta(days=3, microseconds=1)), "normal"),
        (Row(expires_at=NOW + timedelta(days=3)), "expiring"),
        (Row(expires_at=NOW + timedelta(microseconds=1)), "expiring"),
        (Row(expires_at=NOW), "expired"),
        (Row(expires_at=NOW - timedelta(days=400)), "expired"),
        (Row(expires_at=NOW, never_expires=True), "normal"),
        (Row(receivable=Decimal("0.01")), "arrears"),
        (Row(receivable=Decimal(1), expires_at=NOW), "arrears"),
        (Row(activated_at=None), "not_activated"),
        (Row(activated_at=None, receivable=Decimal(1)), "not_activated"),
        (Row(state="held", receivable=Decimal(1)), "held"),
        (Row(state="disabled", activated_at=None), "disabled"),
        (Row(state="closed", expires_at=NOW), "closed"),
    ],
)
def test_shown_state(row: Row, expected: str) -> None:
    assert shown_state(row, NOW, 3) == expected


@pytest.mark.parametrize("name", ["a", "x" * 63, "张三", "138-0000@isp", "A.b_c", "O'Brien", "%_\\"])
def test_user_names(name: str) -> None:
    assert rules.check_username(name) == name


@pytest.mark.parametrize("name", ["AA-BB-CC-DD-EE-0F", "aa:bb:cc:dd:ee:0f", "Aabb.ccdd.ee0f"])
def test_a_user_name_that_is_a_device_s_address_is_written_as_logins_look_for_it(name: str) -> None:
    assert rules.check_username(name) == "aa:bb:cc:dd:ee:0f"


@pytest.mark.parametrize(
    "name", ["075512345678", "aabbccddee0f", "0755-1234-5678", "AA-BB-CC-DD-EE", "aa:bb-cc:dd-ee:0f"]
)
def test_what_may_be_a_number_or_a_word_stays_as_it_is(name: str) -> None:
    assert rules.check_username(name) == name


BAD = [
    (rules.check_username, ["", " ", "a b", "x" * 64, "a\tb", "a\x00", "a\u200bb", "a\u00a0b", "a\n"]),
    (rules.check_password, ["", "x" * 65, "a\x00", "a\nb", "密" * 60]),
    (rules.normalise_mac, ["aa:bb:cc:dd:ee", "gg:bb:cc:dd:ee:ff", "aabbccddeeff00", "hello", "aa:bb:cc:dd:ee:f"]),
    (rules.check_address, ["10.0.0.256", "10.0.0", "router", "::g"]),
    (rules.check_phone, ["12", "abc", "1" * 21, "+", "138 0000 x"]),
    (rules.check_email, ["a", "a@", "@b.c", "a b@c.d", "a@b"]),
]


@pytest.mark.parametrize(("check", "text"), [(check, text) for check, texts in BAD for text in texts])
def test_what_is_refused(check: Callable[[str], str], text: str) -> None:
    with pytest.raises(BusinessError) as refused:
        check(text)
    assert refused.value.field
    assert refused.value.sentence().endswith(".")


@pytest.mark.parametrize(
    "text", ["AA-BB-CC-DD-EE-FF", "aabb.ccdd.eeff", "AABBCCDDEEFF", " aa:bb:cc:dd:ee:ff ", "aa bb cc dd ee ff"]
)
def test_mac_notations(text: str) -> None:
    assert rules.normalise_mac(text) == "aa:bb:cc:dd:ee:ff"


def test_nothing_stays_nothing() -> None:
    assert rules.normalise_mac(" ") == rules.check_phone("") == rules.check_email(" ") == ""
    assert rules.check_address("") is None


def test_addresses_take_their_usual_form() -> None:
    assert rules.check_address("2001:DB8:0::1") == "2001:db8::1"
