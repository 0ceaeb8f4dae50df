"""The staff's portal in a real browser: panels, previews, search, keys (the whole way: test_spine.py)."""

import pytest

from infra.tenant_scope import tenant_scope
from tenants.subscribers.models import Account
from tests.fixtures.accounts import go_online, open_one, sell
from tests.fixtures.browser import assert_accessible, assert_fits
from tests.fixtures.tenants import OWNER_PASSWORD

pytestmark = pytest.mark.browser
PAGES = (
    "/", "/accounts/", "/accounts/new", "/accounts/1/", "/accounts/1/timeline", "/accounts/1/orders",
    "/accounts/1/sessions", "/accounts/1/devices", "/accounts/1/edit", "/accounts/1/op/renew", "/accounts/1/op/manual",
    "/online/", "/online/history", "/online/results", "/refused/", "/counters/", "/money/", "/orders/", "/plans/",
    "/plans/1/", "/plans/new", "/plan-groups/1/edit", "/routers/", "/routers/new", "/regions/", "/settings/",
    "/settings/opening", "/staff/", "/staff/new", "/roles/", "/roles/2/", "/log/", "/log/logins", "/search?q=u1",
    "/password",
)  # fmt: skip


def sign_in(page, tenant) -> str:
    at = f"/t/{tenant.slug}/admin"
    page.goto(f"{at}/login")
    page.get_by_label("User name or e-mail").fill("admin")
    page.get_by_label("Password", exact=True).fill(OWNER_PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_url(f"**{at}/")
    return at


@pytest.mark.timeout(600)  # some forty pages, each read by axe
@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, False), (False, True)])
def test_every_page_is_accessible_and_fits(open_page, tenant, database, phone, dark):
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope), name="Chen Jianguo")
        go_online(scope, account_id, framed_ip="10.0.0.5", mac="bc:d1:77:1c:8e:25", octets_out=7 * 1024**3)
    page = open_page(phone=phone, dark=dark)
    at = sign_in(page, tenant)
    for path in PAGES:
        page.goto(f"{at}{path}")
        assert_accessible(page)
        assert_fits(page)


def test_the_renew_panel_previews_books_and_offers_to_undo(page, tenant, database):
    with tenant_scope(database, tenant) as scope:
        plan = sell(scope, "Home month", price="50.00")
        account_id = open_one(scope, "sz28403", plan, name="Chen Jianguo")
    at = sign_in(page, tenant)
    page.goto(f"{at}/accounts/{account_id}/")
    page.locator(".dh").get_by_role("link", name="Renew").click()
    panel = page.get_by_role("dialog")
    panel.get_by_role("button", name="Renew for ¥50.00").wait_for()
    assert_accessible(page)
    assert page.locator(".bl-app").evaluate("element => element.inert")
    panel.get_by_role("button", name="One more").click()
    panel.get_by_role("button", name="Renew for ¥100.00").wait_for()
    panel.get_by_text("50.00 × 2").wait_for()
    page.keyboard.press("Escape")
    panel.wait_for(state="detached")
    page.locator(".dh").get_by_role("link", name="Renew").click()
    panel.get_by_role("button", name="Renew for ¥50.00").click()
    page.get_by_text("Renewed for ¥50.00.").wait_for()
    page.get_by_role("status").get_by_role("link", name="Undo").click()
    page.get_by_role("button", name="Undo the order of ¥50.00").click()
    page.get_by_text("The order is undone").wait_for()


def test_a_mistake_in_a_panel_stays_in_the_panel(open_page, tenant, database):
    page = open_page(expected_errors=("422",))
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "sz28403", sell(scope))
    at = sign_in(page, tenant)
    page.goto(f"{at}/accounts/{account_id}/")
    page.get_by_label("More operations").first.click()
    page.get_by_role("link", name="Top up the balance").first.click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Amount").fill("ten")
    panel.get_by_role("button", name="Book it").click()
    panel.get_by_role("alert").get_by_text("Enter an amount such as 50 or 49.90.").wait_for()
    assert panel.get_by_label("Amount").input_value() == "ten"


def test_a_mistake_in_a_panel_s_own_page_comes_back_on_that_page_and_two_clicks_book_once(open_page, tenant, database):
    page = open_page(expected_errors=("422",))
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "sz28403", sell(scope))
    page.goto(f"{sign_in(page, tenant)}/accounts/{account_id}/op/top-up")
    page.get_by_label("Amount").fill("ten")
    page.get_by_role("button", name="Book it").click()
    page.get_by_role("alert").get_by_text("Enter an amount such as 50 or 49.90.").wait_for()
    assert page.get_by_role("dialog").count() == 0
    page.get_by_label("Amount").fill("10")
    page.get_by_role("button", name="Book it").dblclick()
    page.get_by_role("status").get_by_text("10.00").wait_for()
    with tenant_scope(database, tenant) as scope:
        assert str(scope.session.get_one(Account, account_id).balance) == "10.00"


def test_the_search_unfolds_while_typing_and_works_with_keys_only(page, tenant, database):
    with tenant_scope(database, tenant) as scope:
        plan = sell(scope)
        for number in range(3):
            open_one(scope, f"sz2840{number}", plan, name=f"Person {number}")
    at = sign_in(page, tenant)
    page.goto(f"{at}/plans/")
    page.keyboard.press("/")
    page.keyboard.type("sz2840", delay=30)
    page.locator("#found").get_by_text("Person 2").wait_for()
    assert_accessible(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/accounts/*/")
    page.get_by_role("heading", name="Person 1").wait_for()
