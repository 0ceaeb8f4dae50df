"""Worked examples beyond the golden cases: the tables in tests/golden/billing, each with its arithmetic beside it."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from tenants.billing.rules import daily_price, new_expiry, price_difference
from tenants.billing.rules_arrears import Owed, cancel_until, cut_off, reversal_until, spread
from tenants.billing.rules_promotion import DiscountRule
from tenants.billing.rules_purchase import price_purchase
from tenants.billing.rules_refund import proposed_refund, unused_share
from tests.fixtures.billing_terms import plan, promotion
from tests.fixtures.local_time import SHANGHAI, at, show
from tests.golden.read import Row, golden_rows


def each_row(name: str) -> pytest.MarkDecorator:
    """The test runs once for every row of the table."""
    return pytest.mark.parametrize("row", golden_rows(name), ids=lambda row: " ".join(row.values()))


def number(text: str) -> int | None:
    return None if text == "-" else int(text)


def amount(text: str) -> Decimal | None:
    return None if text == "-" else Decimal(text)


def amounts(text: str) -> list[Decimal]:
    return [] if text == "-" else [Decimal(word) for word in text.split()]


@each_row("daily_prices")
def test_daily_price(row: Row) -> None:
    assert daily_price(plan(row["kind"], row["price"])) == Decimal(row["daily"])


@each_row("expiries")
def test_expiry(row: Row) -> None:
    zone = ZoneInfo(row["zone"])
    start = at(row["start"], zone)
    bought = plan(row["kind"], validity_days=number(row["validity"]))
    end = new_expiry(start, bought, int(row["quantity"]), number(row["hour"]), start, zone)
    assert show(end, zone) == row["end"]


@each_row("differences")
def test_difference(row: Row) -> None:
    found = price_difference(
        plan(*row["old"].split()),
        plan(*row["new"].split()),
        expires_at=at(row["expiry"]),
        now=at(row["now"]),
        rounding=row["rounding"],
        downgrade_credit=row["credit"] == "yes",
    )
    assert (found.amount, found.credit) == (Decimal(row["charged"]), Decimal(row["credited"]))


@each_row("purchases")
def test_purchase(row: Row) -> None:
    now = at("2015-05-01 12:00:00")
    percent, fixed = amount(row["percent"]), amount(row["fixed"])
    kind, _, terms = row["promotion"].partition(" ")
    priced = price_purchase(
        plan("month", row["price"]),
        quantity=int(row["quantity"]),
        start=now,
        now=now,
        zone=SHANGHAI,
        unified_hour=None,
        promotions=[promotion(kind, *terms.split())] if terms else [],
        discounts=[DiscountRule(1, None, percent, fixed, None)] if percent or fixed else [],
    )
    assert ", ".join(f"{line.kind} {line.amount:.2f}" for line in priced.lines) == row["lines"]
    assert priced.total == Decimal(row["total"]) == sum(line.amount for line in priced.lines)
    assert show(priced.expires_at)[:13] == row["expiry"]


@each_row("arrears")
def test_arrears_windows(row: Row) -> None:
    expiry = at(row["expiry"])
    assert show(cut_off(expiry, int(row["allowed"]), SHANGHAI)) == row["cut"]
    assert show(cancel_until(expiry, int(row["cancel"]), SHANGHAI)) == row["until"]


@each_row("spreads")
def test_money_pays_the_oldest_first(row: Row) -> None:
    found, left = spread(Decimal(row["money"]), [Owed(i, owed) for i, owed in enumerate(amounts(row["owed"]))])
    assert [part for _, part in found] == amounts(row["parts"])
    assert left == Decimal(row["rest"])


@each_row("refunds")
def test_refund(row: Row) -> None:
    used = number(row["used"])
    share = unused_share(
        started_at=at(row["start"]),
        expires_at=at(row["expiry"]),
        now=at(row["now"]),
        gift_seconds=int(row["gifts"]) * 86_400,
        quota=None if used is None else 100,
        used=used or 0,
    )
    assert proposed_refund(Decimal(row["balance"]), Decimal(row["price"]), share) == Decimal(row["proposal"])


@each_row("reversals")
def test_reversal_window(row: Row) -> None:
    until = reversal_until(at(row["ordered"]), int(row["window"]), number(row["hour"]), SHANGHAI)
    assert show(until) == row["until"]
