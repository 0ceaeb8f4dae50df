"""The site in a real browser: readable for everybody, on both widths, in both themes and languages."""

import re
import secrets

import pytest

from tests.fixtures.browser import assert_accessible, assert_fits

pytestmark = pytest.mark.browser
PAGES = ("/", "/sign-up", "/login", "/terms", "/privacy", "/verify/nothing")


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("wide", [True, False])
def test_every_page_is_accessible_and_fits(open_page, wide, dark):
    for language in ("zh", "en"):
        page = open_page(phone=not wide, dark=dark, language=language, expected_errors=("410",))
        for path in PAGES:
            page.goto(path)
            assert_accessible(page)
            assert_fits(page)


def test_signing_up_with_a_mistake_first(open_page):
    page = open_page(expected_errors=("422",))
    slug = f"isp-{secrets.token_hex(4)}"
    page.goto("/sign-up")
    page.get_by_label("Company or brand").fill("Qingteng Broadband")
    page.get_by_label("Your name").fill("Liu Fang")
    page.get_by_label("Login address").fill("www")
    page.get_by_text("The address www is reserved").wait_for()
    page.get_by_label("Phone").fill("139 2460 8812")
    page.get_by_label("E-mail").fill(f"liufang@{slug}.example")
    page.get_by_label("Password", exact=True).fill("12345678")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("alert").get_by_text("2 things to correct").wait_for()
    assert_accessible(page)
    assert page.get_by_label("Company or brand").input_value() == "Qingteng Broadband"
    assert page.get_by_label("Password", exact=True).input_value() == ""

    page.get_by_role("link", name=re.compile("Login address")).click()
    page.get_by_label("Login address").fill(slug)
    page.get_by_text(f"{slug} is free").wait_for()
    page.get_by_label("Password", exact=True).fill("rain on a tin roof")
    page.get_by_text("strong").wait_for()
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    assert_accessible(page)


def test_signing_up_works_without_scripts(chromium, live_url):
    context = chromium.new_context(java_script_enabled=False, base_url=live_url)
    page = context.new_page()
    page.goto("/sign-up?lang=en")
    page.get_by_role("button", name="Sign up").click()
    page.get_by_text("7 things to correct").wait_for()
    context.close()


def test_the_theme_button_is_remembered(page):
    page.goto("/")
    page.get_by_role("button", name="Switch theme").click()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"
