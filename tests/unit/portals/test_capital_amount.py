"""Amounts in the numerals of a Chinese receipt."""

from decimal import Decimal

import pytest

from portals.shared.capital_amount import in_capitals


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("0", "零元整"),
        ("0.05", "伍分"),
        ("0.50", "伍角整"),
        ("1.00", "壹元整"),
        ("10.00", "壹拾元整"),
        ("50.00", "伍拾元整"),
        ("130.05", "壹佰叁拾元零伍分"),
        ("160.50", "壹佰陆拾元伍角整"),
        ("1004.56", "壹仟零肆元伍角陆分"),
        ("10000.00", "壹万元整"),
        ("10500.00", "壹万零伍佰元整"),
        ("100000001.00", "壹亿零壹元整"),
        ("20300400.00", "贰仟零叁拾万零肆佰元整"),
        ("-98.00", "玖拾捌元整"),
    ],
)
def test_in_capitals(amount: str, text: str) -> None:
    assert in_capitals(Decimal(amount)) == text
