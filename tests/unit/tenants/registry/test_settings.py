"""The catalogue of settings and what is accepted for each (TEN-9, issue 3's contract)."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.registry.errors import BadSetting, UnknownSetting
from tenants.registry.settings import as_text, find_setting, from_stored, parse
from tenants.registry.settings_catalogue import CATALOGUE, DEFAULTS, GROUPS

CONTRACT = """timezone not_a_change_seconds bind_original_group auto_difference difference_only difference_rounding
downgrade_credit reversal_seconds reversal_cutoff_hour arrears_days
arrears_cancel_days unified_expiry_hour install_fee"""


def test_the_keys_that_outside_checks_use_are_there() -> None:
    assert set(CONTRACT.split()) <= set(CATALOGUE)


def test_defaults_are_those_of_the_billing_rules() -> None:
    assert DEFAULTS.not_a_change_seconds == 259_200  # 3 days
    assert DEFAULTS.reversal_seconds == 3600  # 1 h
    assert DEFAULTS.reversal_cutoff_hour == 23
    assert DEFAULTS.unified_expiry_hour is None
    assert DEFAULTS.difference_rounding == "whole"
    assert DEFAULTS.gigabyte == str(1024**3)
    assert DEFAULTS.megabit == "1000000"


@pytest.mark.parametrize("setting", CATALOGUE.values(), ids=CATALOGUE)
def test_each_setting_explains_itself_and_accepts_its_default(setting: Any) -> None:
    assert setting.group in GROUPS
    assert setting.label
    assert setting.help.endswith(".")
    assert parse(setting, as_text(setting.default)) == setting.default
    assert from_stored(setting, setting.default) == setting.default


@pytest.mark.parametrize(
    ("key", "raw", "value"),
    [
        ("arrears_days", " 5 ", 5),
        ("bind_original_group", "ON", True),
        ("bind_original_group", "0", False),
        ("unified_expiry_hour", "", None),
        ("unified_expiry_hour", "none", None),
        ("unified_expiry_hour", "0", 0),
        ("install_fee", "99.5", Decimal("99.50")),
        ("timezone", "America/New_York", "America/New_York"),
        ("required_fields", "phone, name", ("phone", "name")),
        ("accent_color", "#0B6670", "#0b6670"),
        ("contact_text", "Line 1\nLine 2", "Line 1\nLine 2"),
    ],
)
def test_what_is_accepted(key: str, raw: str, value: object) -> None:
    assert parse(find_setting(key), raw) == value


@pytest.mark.parametrize(
    ("key", "raw"),
    [
        ("arrears_days", "-1"), ("arrears_days", "366"), ("arrears_days", "1.5"), ("arrears_days", ""),
        ("arrears_days", "９" * 30), ("unified_expiry_hour", "24"), ("install_fee", "1.005"), ("install_fee", "NaN"),
        ("install_fee", "-1"), ("install_fee", "1e15"), ("timezone", "Mars/Olympus"), ("timezone", "../etc/passwd"),
        ("bind_original_group", "maybe"), ("difference_rounding", "up"), ("required_fields", "phone shoe"),
        ("accent_color", "red"), ("system_name", "x" * 61), ("system_name", "a\x00b"), ("interim_seconds", "59"),
    ],
)  # fmt: skip
def test_what_is_refused(key: str, raw: str) -> None:
    with pytest.raises(BadSetting) as caught:
        parse(find_setting(key), raw)
    assert caught.value.field == key


def test_unknown_keys() -> None:
    with pytest.raises(UnknownSetting, match="settings list"):
        find_setting("colour_of_the_sky")


@given(st.sampled_from(sorted(CATALOGUE)), st.text())
def test_nothing_else_comes_out(key: str, raw: str) -> None:
    try:
        value = parse(find_setting(key), raw)
    except BadSetting:
        return
    assert parse(find_setting(key), as_text(value)) == value
