"""Every component alone, in a real browser."""

from dataclasses import replace

import pytest

from portals.app import create_app
from tests.fixtures.browser import assert_accessible, assert_fits, press_g_and

pytestmark = pytest.mark.browser


@pytest.fixture
def app(settings):
    made = create_app(replace(settings, demo=True))
    yield made
    made.extensions["broadloom"].dispose()


@pytest.mark.parametrize("show", ["", "panel", "empty", "toast", "403", "404"])
def test_components_are_accessible_and_fit(open_page, show):
    for phone, dark, language in ((False, False, "en"), (True, False, "zh"), (False, True, "zh"), (True, True, "en")):
        page = open_page(phone=phone, dark=dark, language=language)
        page.goto(f"/_components?show={show}")
        assert_accessible(page)
        assert_fits(page)


def test_a_chart_is_drawn_and_has_its_table(page):
    page.goto("/_components")
    page.locator("[data-chart] canvas").first.wait_for()
    page.get_by_text("Show as a table").click()
    assert page.get_by_role("cell", name="9.6").is_visible()


def test_keys_reach_search_and_menu(page):
    page.goto("/_components?show=empty")
    page.keyboard.press("/")
    assert page.locator("#q").evaluate("e => e === document.activeElement")
    page.keyboard.press("Escape")
    press_g_and(page, "h")
    page.wait_for_url("**/_components")


def test_selecting_rows_opens_the_bulk_bar(page):
    page.goto("/_components")
    page.get_by_label("Select sz28402").check()
    page.get_by_label("Select sz28403").check()
    assert page.get_by_text("2 selected").is_visible()
    page.get_by_role("button", name="Select all 10,000").click()
    assert page.get_by_text("All 10,000 selected").is_visible()
    page.get_by_role("button", name="Select none").click()
    assert not page.get_by_role("button", name="Select all 10,000").is_visible()


def test_the_stepper_and_the_password_button(page):
    page.goto("/_components")
    page.get_by_role("button", name="One more").click()
    assert page.get_by_label("Quantity").input_value() == "3"
    page.get_by_label("Password", exact=True).fill("abc")
    page.get_by_role("button", name="Show the password").click()
    assert page.get_by_label("Password", exact=True).get_attribute("type") == "text"


def test_columns_are_chosen_and_kept(page):
    page.goto("/_components")
    page.get_by_text("Columns", exact=True).click()
    page.locator("label", has_text="Remark").get_by_role("checkbox").check()
    page.get_by_role("button", name="Show these columns").click()
    page.get_by_role("columnheader", name="Remark").wait_for()
    page.goto("/_components")
    assert page.get_by_role("columnheader", name="Remark").is_visible()


def test_escape_closes_the_panel_and_frees_the_page(page):
    page.goto("/_components?show=panel")
    assert page.locator(".bl-app").evaluate("e => e.inert")
    page.keyboard.press("Escape")
    page.wait_for_url("**/_components")


def test_the_menu_opens_on_a_phone(phone):
    phone.goto("/_components")
    assert not phone.get_by_role("link", name="Subscribers").is_visible()
    phone.get_by_role("button", name="Menu").click()
    assert phone.get_by_role("link", name="Subscribers").is_visible()
