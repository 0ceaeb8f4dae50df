"""A plain reader can check any amount: each line tells its arithmetic (issue 3)."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from portals.shared.explain_line import explain_line
from portals.shared.i18n import init_languages

DIFFERENCE: dict[str, Any] = {
    "old_daily": "1.64",
    "new_daily": "1.86",
    "days_left": 10,
    "automatic": True,
    "raw": "2.20",
    "computed": "2.00",
    "credited": "0.00",
    "old_plan": "2M month",
    "old_price": "50.00",
    "old_days": "30.5",
    "new_plan": "3M quarter",
    "new_price": "170.00",
    "new_days": "91.5",
}
DAILY = "2M month 50.00 ÷ 30.5 days = 1.64 a day; 3M quarter 170.00 ÷ 91.5 days = 1.86 a day; "
REFUND = {
    "balance": "10.00",
    "price_paid": "50.00",
    "unused_percent": "40.00",
    "unused_value": "20.00",
    "proposed": "30.00",
}


@pytest.fixture
def app() -> Flask:
    app = Flask("test", template_folder=None)
    init_languages(app)
    return app


@pytest.mark.parametrize(
    ("kind", "facts", "amount", "text"),
    [
        ("plan", {"plan": "2M", "price": "50.00", "quantity": 3}, "150", "2M: 50.00 × 3 = 150.00"),
        ("difference", DIFFERENCE, "2", DAILY + "(1.86 − 1.64) × 10 whole days left = 2.20; rounded to 2.00"),
        (
            "difference",
            DIFFERENCE,
            "5",
            DAILY + "(1.86 − 1.64) × 10 whole days left = 2.20; rounded to 2.00; charged by hand: 5.00",
        ),
        (
            "difference",
            {**DIFFERENCE, "by_quota": True},
            "2",
            DAILY + "(1.86 − 1.64) × 10 days that the unused quota stands for = 2.20; rounded to 2.00",
        ),
        (
            "arrears",
            {"order": "D7", "owed": "100.00", "paid_before": "30.00", "still_owed": "0.00"},
            "70",
            "order D7: owed 100.00, of it paid before 30.00, still owed after this 0.00",
        ),
        (
            "difference",
            {"old_daily": "1.86", "new_daily": "1.64", "days_left": 10, "computed": "0.00"},
            "0",
            "(1.64 − 1.86) × 10 whole days left = −2.20; a negative difference counts as 0",
        ),
        (
            "difference",
            {"old_daily": "1.86", "new_daily": "1.64", "days_left": 10, "computed": "-2.00", "credited": "2.00"},
            "0",
            "(1.64 − 1.86) × 10 whole days left = −2.20; rounded to −2.00; 2.00 is credited to the balance",
        ),
        ("promotion", {"promotion": "Autumn", "gift": "amount", "value": "10"}, "-10", "Autumn: 10.00 off"),
        ("promotion", {"promotion": "Autumn", "gift": "months", "value": "2"}, "0", "Autumn: 2 months on top"),
        ("discount", {"percent": "15.00", "fixed": None, "list_price": "10.00"}, "-1.5", "15 % off 10.00 = 1.50"),
        ("discount", {"percent": None, "fixed": "5", "list_price": "100"}, "-10", "5.00 off each, of 100.00"),
        ("install", {"proposed": "100"}, "80", "the settings propose 100.00; entered by hand: 80.00"),
        ("inherited", {"order": "O1"}, "10", "what was not the plan's own price in order O1"),
        (
            "arrears",
            {"order": "O1", "owed": "50", "still_owed": "30"},
            "20",
            "order O1: owed 50.00, still owed after this 30.00",
        ),
        ("refund", REFUND, "-30", "balance 10.00 + paid 50.00 × 40.00 % unused (20.00) = 30.00"),
        (
            "refund",
            REFUND,
            "-25",
            "balance 10.00 + paid 50.00 × 40.00 % unused (20.00) = 30.00; paid out by hand: 25.00",
        ),
        (
            "pack",
            {"plan": None, "octets": 2**30, "seconds": 5400, "validity_days": 7},
            "5",
            "1.00 GB · 1.5 h · valid 7 days",
        ),
        ("plan", {"order": "O1"}, "-50", "takes back this line of order O1"),
        ("top-up", {"reason": "found under the door"}, "50", "found under the door"),
        ("manual", {}, "50", ""),
    ],
)
def test_in_words_and_figures(app: Flask, kind: str, facts: dict[str, Any], amount: str, text: str) -> None:
    with app.test_request_context("/?lang=en"):
        assert explain_line(kind, facts, Decimal(amount)) == text


def test_in_chinese(app: Flask) -> None:
    with app.test_request_context("/?lang=zh"):
        assert explain_line("difference", DIFFERENCE, Decimal(2)) == (
            "2M month 50.00 ÷ 30.5 天 = 每天 1.64; 3M quarter 170.00 ÷ 91.5 天 = 每天 1.86; "
            "（1.86 − 1.64）× 剩余整 10 天 = 2.20; 取整为 2.00"
        )
        assert explain_line("refund", REFUND, Decimal(-30)) == "余额 10.00 + 已付 50.00 × 未用 40.00%（20.00）= 30.00"
