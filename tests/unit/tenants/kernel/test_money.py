"""Amounts as people type them, and the one rounding."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.kernel.money import BadAmount, amount, cents, show, whole


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("50", "50.00"),
        ("50.5", "50.50"),
        ("0", "0.00"),
        (" 7.10 ", "7.10"),
        ("-0", "0.00"),
        ("1.100", "1.10"),
        (".5", "0.50"),
    ],
)
def test_amounts_that_are_taken(text: str, expected: str) -> None:
    assert show(amount(text)) == expected


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1.005", "decimals"), ("NaN", "not_a_number"), ("Infinity", "not_a_number"), ("1e3", "not_a_number"),
        ("1000000000000000", "too_large"), ("1000000000", "too_large"), ("-1", "negative"), ("", "not_a_number"),
        ("５０", "not_a_number"), ("1_000", "not_a_number"), ("1,50", "not_a_number"), ("--5", "not_a_number"),
        (Decimal("sNaN"), "not_a_number"), (Decimal("0.001"), "decimals"),
    ],
)  # fmt: skip
def test_amounts_that_are_refused(text: object, why: str) -> None:
    with pytest.raises(BadAmount) as refused:
        amount(text)
    assert refused.value.params["why"] == why


def test_floats_and_bools_are_programming_errors() -> None:
    for value in (1.5, True):
        with pytest.raises(TypeError):
            amount(value)


@pytest.mark.parametrize(
    ("exact", "rounded"), [("0.005", "0.01"), ("-0.005", "-0.01"), ("2.675", "2.68"), ("1.6393", "1.64")]
)
def test_cents_round_half_up(exact: str, rounded: str) -> None:
    assert cents(Decimal(exact)) == Decimal(rounded)


@pytest.mark.parametrize(("exact", "rounded"), [("2.2", 2), ("9.9", 10), ("2.5", 3), ("-2.5", -3), ("0.49", 0)])
def test_whole_units_round_half_up(exact: str, rounded: int) -> None:
    assert whole(Decimal(exact)) == rounded


@given(st.integers(-(10**10), 10**10))
def test_text_and_amount_are_each_others_inverse(hundredths: int) -> None:
    value = Decimal(hundredths) / 100
    assert amount(show(value), negative=True) == value
