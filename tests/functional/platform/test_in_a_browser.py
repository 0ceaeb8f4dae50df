"""The platform console in a real browser: panels over the page, keys, readable for everybody."""

import pytest

from tests.fixtures.browser import assert_accessible, assert_fits, press_g_and
from tests.functional.platform.conftest import EMAIL, PASSWORD

pytestmark = pytest.mark.browser
PAGES = ("", "tenants/", "sign-ups/", "engines/", "jobs/", "cells/", "support/", "log/", "password")


def enter(page):
    page.goto("/platform/login")
    page.fill("#f-email", EMAIL)
    page.fill("#f-password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/platform/")


@pytest.mark.parametrize("look", [{"phone": True, "language": "zh"}, {"dark": True}], ids=["phone", "dark"])
def test_every_page_fits_and_is_accessible(door, tenant, open_page, look):
    page = open_page(**look)
    enter(page)
    for path in (*PAGES, f"tenants/{tenant.id}", f"tenants/{tenant.id}/support", f"tenants/{tenant.id}/suspend"):
        page.goto(f"/platform/{path}")
        assert_fits(page)
        assert_accessible(page)


def test_a_support_login_begins_in_a_panel_and_leads_inside(door, tenant, open_page):
    page = open_page(expected_errors=("422",))
    enter(page)
    page.goto(f"/platform/tenants/{tenant.id}")
    page.click("text=Support login >> nth=1")
    page.wait_for_selector("#panel .panel")
    assert_accessible(page)
    page.fill("#f-reason", "abc")
    page.click(".pf button[type=submit]")
    page.wait_for_selector("text=A reason is needed")
    assert page.input_value("#f-reason") == "abc"
    page.fill("#f-reason", "ticket 2041")
    page.click(".pf button[type=submit]")
    page.wait_for_url("**/platform/support/*")
    page.click(f"text=Enter {tenant.name}")
    page.wait_for_url(f"**/t/{tenant.slug}/admin/")
    assert "ticket 2041" in page.inner_text(".sup-b")
    page.click("text=Leave now")
    page.wait_for_url(f"**/t/{tenant.slug}/admin/login*")


def test_keys_lead_through_the_menu(door, open_page):
    page = open_page()
    enter(page)
    press_g_and(page, "t")
    page.wait_for_url("**/platform/tenants/")
    page.keyboard.press("/")
    page.keyboard.type("nobody")
    page.keyboard.press("Enter")
    page.wait_for_selector("text=Nothing fits these conditions.")
