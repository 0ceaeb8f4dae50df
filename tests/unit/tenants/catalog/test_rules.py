"""What a plan may be (PLN-2, PLN-5; issue 2 and 3, "Bad input, named")."""

from decimal import Decimal

import pytest

from tenants.catalog.errors import BadName, BadPrice, OutOfRange
from tenants.catalog.models import PLAN_KINDS
from tenants.catalog.rules import KINDS, PlanFields, check_name, check_number, parse_price, plan_field_errors


def test_every_kind_of_the_database_has_a_rule() -> None:
    assert set(KINDS) == set(PLAN_KINDS)


@pytest.mark.parametrize(
    ("text", "price"), [("50", "50.00"), ("0", "0.00"), ("-0", "0.00"), (" 9.9 ", "9.90"), ("999999999.99", None)]
)
def test_prices(text: str, price: str | None) -> None:
    assert str(parse_price(text)) == (price or text)


@pytest.mark.parametrize("text", ["-1", "1.234", "NaN", "Infinity", "1e15", "1000000000", "", "ten", "1,50", "0.001"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(BadPrice):
        parse_price(text)


def test_a_price_stays_exact() -> None:
    assert parse_price("0.10") + parse_price("0.20") == Decimal("0.30")


@pytest.mark.parametrize("name", ["", "   ", "a\x00b", "a\nb", "x" * 61])
def test_what_is_no_name(name: str) -> None:
    with pytest.raises(BadName):
        check_name(name)


def test_names_lose_outer_blanks() -> None:
    assert check_name("  100M 包月 ") == "100M 包月"


@pytest.mark.parametrize("number", [-1, 1001])
def test_bounds_of_numbers(number: int) -> None:
    with pytest.raises(OutOfRange):
        check_number(number, 0, 1000, what="x", field="x")


# fields → (field, code) of each error
FIELD_CASES = [
    (PlanFields("month"), []),
    (PlanFields("prepaid-month"), []),
    (PlanFields("natural-day"), []),
    (PlanFields("month", quota_octets=1), [("quota_gb", "plan_field_forbidden")]),
    (PlanFields("year", validity_days=3), [("validity_days", "plan_field_forbidden")]),
    (PlanFields("traffic"), [("quota_gb", "plan_field_needed"), ("validity_days", "plan_field_needed")]),
    (PlanFields("traffic", quota_octets=1, validity_days=30), []),
    (PlanFields("traffic", quota_octets=0, validity_days=30), [("quota_gb", "out_of_range")]),
    (PlanFields("traffic", quota_octets=1, validity_days=0), [("validity_days", "out_of_range")]),
    (
        PlanFields("traffic", quota_octets=1, quota_seconds=1, validity_days=1),
        [("quota_hours", "plan_field_forbidden")],
    ),
    (PlanFields("hours", quota_seconds=3600, validity_days=30), []),
    (PlanFields("hours", validity_days=30), [("quota_hours", "plan_field_needed")]),
    (PlanFields("hours-per-day", quota_seconds=3600), []),
    (PlanFields("hours-per-month", quota_seconds=3600, validity_days=30), []),
    (PlanFields("traffic-per-day", quota_octets=1), []),
    (
        PlanFields("traffic-per-month", quota_seconds=1),
        [("quota_gb", "plan_field_needed"), ("quota_hours", "plan_field_forbidden")],
    ),
    (PlanFields("traffic-per-day", quota_octets=1, quota_end="throttle", throttled=True), []),
    (PlanFields("traffic-per-day", quota_octets=1, quota_end="throttle"), [("throttle_up", "plan_field_needed")]),
    (PlanFields("traffic-per-day", quota_octets=1, throttled=True), [("throttle_up", "plan_field_forbidden")]),
    (PlanFields("traffic-per-day", quota_octets=1, quota_end="slow"), [("quota_end", "bad_choice")]),
    (PlanFields("month", quota_end="throttle", throttled=True), [("quota_end", "plan_field_forbidden")]),
    (PlanFields("decade"), [("kind", "bad_plan_kind")]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "expected"), FIELD_CASES)
def test_fields_of_kinds(fields: PlanFields, expected: list[tuple[str, str]]) -> None:
    assert [(error.field, error.code) for error in plan_field_errors(fields)] == expected
