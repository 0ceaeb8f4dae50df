"""How values are written."""

from datetime import timedelta
from decimal import Decimal

import pytest
from flask import Flask

from infra import clock
from portals.shared.formats import duration, money, octets, rate, relative
from portals.shared.i18n import init_languages


@pytest.fixture(autouse=True)
def english():
    app = Flask("test", template_folder=None)
    init_languages(app)
    with app.test_request_context("/?lang=en"):
        yield


def test_money_has_two_decimals_and_a_real_minus():
    assert money(Decimal("1234.5")) == "1,234.50"
    assert money(Decimal("-10")) == "−10.00"


@pytest.mark.parametrize(
    ("count", "text"),
    [(None, "—"), (0, "0 MB"), (5 * 1024**3, "5.00 GB"), (412 * 1024**2, "412 MB"), (3 * 1024**4, "3.00 TB")],
)
def test_octets(count, text):
    assert octets(count) == text


@pytest.mark.parametrize(
    ("bits", "text"), [(100_000_000, "100M"), (1_500_000_000, "1.5G"), (512_000, "512k"), (9, "9")]
)
def test_rates(bits, text):
    assert rate(bits) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (12, "12 s"),
        (90, "1 min"),
        (28_560, "7 h 56 min"),
        (43 * 3600, "1 day 19 h"),
        (86400 * 2, "2 days"),
        (-5, "0 s"),
    ],
)
def test_durations(seconds, text):
    assert duration(seconds) == text


def test_relative_times():
    assert relative(clock.now() + timedelta(days=2, minutes=1)) == "in 2 days"
    assert relative(clock.now() - timedelta(minutes=3, seconds=1)) == "3 min ago"
