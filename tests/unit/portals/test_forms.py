"""What somebody typed: kept, read, and refused beside its field."""

from decimal import Decimal
from functools import partial

import pytest
from flask import Flask
from werkzeug.datastructures import MultiDict

from portals.shared.forms import Form
from portals.shared.i18n import init_languages
from tenants.kernel.errors import InvalidInputs
from tenants.kernel.units import rate_bps
from tenants.registry.errors import SlugTaken, WeakPassword


@pytest.fixture(autouse=True)
def english():
    app = Flask("test", template_folder=None)
    init_languages(app)
    with app.test_request_context("/?lang=en"):
        yield


@pytest.mark.parametrize(
    ("typed", "amount"),
    [
        ("50", "50"),
        ("¥49.90", "49.90"),
        ("1,234.5", "1234.5"),
        (" 0 ", "0"),
        ("0.01", "0.01"),
        (".5", "0.5"),
        ("7.", "7"),
    ],
)
def test_an_amount_is_read_exactly(typed, amount):
    form = Form({"price": typed})
    assert form.amount("price") == Decimal(amount)
    assert form.ok


@pytest.mark.parametrize(
    "typed",
    ["", "x", "1.234", "-1", "NaN", "Infinity", "1e99", "五十", "49,90", "1,23,456", "1.000", "1e3", "1_0", "−", "."],
)
def test_a_wrong_amount_is_refused_beside_its_field_and_kept(typed):
    form = Form({"price": typed})
    assert form.amount("price") is None
    assert list(form.errors) == ["price"]
    assert form.value("price") == typed


def test_the_minus_that_pages_print_is_a_minus():
    assert Form({"price": "−20.50"}).amount("price", negative=True) == Decimal("-20.50")


@pytest.mark.parametrize("typed", ["", "1.5", "x", "0", "1000", "²", "1" * 30])
def test_a_wrong_number_is_refused(typed):
    form = Form({"count": typed})
    assert form.integer("count", lowest=1, highest=999) is None
    assert form.error("count")


def test_a_missing_too_long_or_invisible_text_is_refused():
    form = Form({"a": "  ", "b": "x" * 300, "c": "a\x00b"})
    form.text("a", required=True)
    form.text("b")
    form.text("c")
    assert list(form.errors) == ["a", "b", "c"]


def test_a_password_is_never_shown_again():
    form = Form({"password": "secret words", "name": "Li"})
    assert form.value("password") == ""
    assert form.value("name") == "Li"


def test_the_key_is_kept_while_a_form_is_corrected():
    first = Form(None)
    assert len(first.key) >= 16
    sent = Form({"key": "a" * 24})
    assert sent.key == sent.key == "a" * 24


def test_several_refusals_go_to_their_fields_in_order_and_into_the_summary():
    form = Form({"slug": "demo"}, {"slug": "Address"})
    form.reject(InvalidInputs([SlugTaken(field="slug", slug="demo"), WeakPassword(field="password", why="too short")]))
    assert form.summary() == [
        ("slug", "Address: The address demo is taken; choose another."),
        ("password", "The password is too weak: too short."),
    ]


def test_fields_that_come_several_times():
    form = Form(MultiDict([("id", "1"), ("id", "2")]))
    assert form.values("id") == ["1", "2"]


def test_a_refusal_ends_the_block_and_stands_beside_its_field():
    form = Form({"down": "2 Mbit"})
    with form.refusals():
        rate_bps("2 Mbit", field="down")
        raise AssertionError("not reached")
    with form.refusals(field="speed"):
        rate_bps("2 Mbit", field="down")
    assert list(form.errors) == ["down", "speed"]
    with pytest.raises(ZeroDivisionError), form.refusals():
        _ = 1 / 0  # a fault of ours is no refusal


def test_a_text_is_converted_by_the_business():
    form = Form({"up": "2M", "down": "0", "burst": ""})
    assert form.converted("up", rate_bps) == 2_000_000
    assert form.converted("burst", rate_bps) is None
    assert form.ok
    assert form.converted("down", partial(rate_bps, field="down")) is None
    assert form.converted("threshold", rate_bps, required=True) is None
    assert list(form.errors) == ["down", "threshold"]
