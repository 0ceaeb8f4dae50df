"""Self-service in a real browser: on a phone first, with the preview following each choice, readable for everybody."""

from datetime import timedelta

import pytest

from infra import clock
from tests.fixtures.accounts import go_online
from tests.fixtures.browser import assert_accessible, assert_fits
from tests.functional.selfcare.conftest import PASSWORD

pytestmark = pytest.mark.browser
PAGES = ("", "renew", "orders/", "sessions/", "me", "me/profile", "me/password", "contact")


def enter(page, sub):
    page.goto(f"{sub.path}login")
    page.fill("#f-username", sub.username)
    page.fill("#f-password", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(f"**{sub.path}")


@pytest.mark.parametrize("look", [{"phone": True, "language": "zh"}, {"dark": True}], ids=["phone", "dark"])
def test_every_page_fits_and_is_accessible(make_sub, open_page, look):
    sub = make_sub(name="陈建国")
    sub.pay_in("50")
    sub.read(lambda scope: go_online(scope, sub.account_id, at=clock.now() - timedelta(hours=1)))
    page = open_page(**look)
    page.goto(f"{sub.path}login")
    assert_accessible(page)
    enter(page, sub)
    for path in PAGES:
        page.goto(f"{sub.path}{path}")
        assert_fits(page)
        assert_accessible(page)


def test_the_preview_and_the_button_follow_the_choice(make_sub, open_page):
    sub = make_sub()
    sub.pay_in("140")
    page = open_page(phone=True)
    enter(page, sub)
    page.click("main .hero a.btn-primary")
    preview = page.locator("#renew-preview")
    assert "Renew for ¥50.00" in preview.inner_text()
    page.check(f"input[name=plan][value='{sub.plans['quarter']}']")
    page.wait_for_selector("text=Renew for ¥140.00")
    page.click("[data-do=step][data-by='1']")  # twice the quarter is more than there is
    page.wait_for_selector("text=too short")
    assert preview.locator("button[type=submit]").count() == 0
    page.click("[data-do=step][data-by='-1']")
    page.click("text=Renew for ¥140.00")
    page.wait_for_url(f"**{sub.path}")
    assert "¥140.00 paid from your balance" in page.inner_text(".toast-b")
    assert sub.account()["balance"] == "0.00"
