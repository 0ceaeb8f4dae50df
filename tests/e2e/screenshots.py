"""Takes the pictures of the documentation from a running demonstration::

    .venv/bin/python -m tests.e2e.screenshots http://127.0.0.1:8000 docs/screenshots [name …]

Signs in with the logins that ``broadloom up`` prints and opens each page at 1440 and 390 pixels. Ends
with exit code 1 when axe finds something serious, a page scrolls sideways or its scripts complain; the pictures are
taken all the same.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import sync_playwright

from tenants.onboarding.demo_people import OWNER_PASSWORD, QINGTENG
from tests.fixtures.browser import DESKTOP, FLAGS, PHONE, assert_accessible, assert_fits

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

AT = f"/t/{QINGTENG.slug}"
PLATFORM_PASSWORD = os.environ.get("BROADLOOM_PLATFORM_PASSWORD", "")  # printed at the first start


@dataclass(frozen=True)
class Shot:
    """One page; ``click`` is followed first (a link's selector), ``realm`` is who looks."""

    name: str
    path: str
    realm: str = ""
    click: str = ""
    dark: bool = False
    language: str = "zh"
    panel: str = ""  # opened by a click on the page


SHOTS = (
    Shot("site-landing", "/"),
    Shot("site-landing-en", "/", language="en"),
    Shot("site-signup", "/sign-up"),
    Shot("site-login", "/login"),
    Shot("components", "/_components"),
    Shot("components-dark", "/_components", dark=True),
    Shot("admin-login", f"{AT}/admin/login"),
    Shot("admin-home", f"{AT}/admin/", "admin"),
    Shot("admin-home-dark", f"{AT}/admin/", "admin", dark=True),
    Shot("subscribers-list", f"{AT}/admin/accounts/", "admin"),
    Shot("subscriber-detail", f"{AT}/admin/accounts/", "admin", click=".bl-table tbody a >> nth=2"),
    Shot("subscriber-detail-en", f"{AT}/admin/accounts/", "admin", click=".bl-table tbody a >> nth=2", language="en"),
    Shot("online-sessions", f"{AT}/admin/online/", "admin"),
    Shot("nas-onboarding", f"{AT}/admin/routers/", "admin", click=".bl-table tbody a >> nth=0"),
    Shot("error-404", f"{AT}/admin/accounts/999999999", "admin"),
    Shot(
        "session-story",
        f"{AT}/admin/online/history",
        "admin",
        click=".bl-table tbody td a[href*='online/session'] >> nth=0",
    ),
    Shot("dialects", f"{AT}/admin/dialects/", "admin"),
    Shot("dialect-form", f"{AT}/admin/dialects/new?make=huawei", "admin"),
    Shot("router-answers", f"{AT}/admin/routers/1/replies", "admin"),
    Shot("routers-import", f"{AT}/admin/routers/import", "admin"),
    Shot("plan-group-form", f"{AT}/admin/plan-groups/1/edit", "admin"),
    Shot("plans", f"{AT}/admin/plans/", "admin"),
    Shot("orders-money", f"{AT}/admin/money/", "admin"),
    Shot("refused-logins", f"{AT}/admin/refused/", "admin"),
    Shot("packet-counters", f"{AT}/admin/counters/", "admin"),
    Shot("settings", f"{AT}/admin/settings/", "admin"),
    Shot("open-account", f"{AT}/admin/accounts/new", "admin"),
    Shot("renew-panel", f"{AT}/admin/accounts/", "admin", click=".bl-table tbody a >> nth=2", panel="a.btn-primary"),
    Shot(
        "change-plan-panel",
        f"{AT}/admin/accounts/?state=normal",
        "admin",
        click=".bl-table tbody a >> nth=0",
        panel="a.btn-primary",
    ),
    Shot("subscriber-timeline", f"{AT}/admin/accounts/57/timeline", "admin"),
    Shot("subscriber-sessions", f"{AT}/admin/accounts/57/sessions", "admin"),
    Shot("past-sessions", f"{AT}/admin/online/history", "admin"),
    Shot("orders", f"{AT}/admin/orders/", "admin"),
    Shot("order", f"{AT}/admin/orders/", "admin", click=".bl-table tbody a >> nth=0"),
    Shot("plan", f"{AT}/admin/plans/1/", "admin"),
    Shot("plan-form", f"{AT}/admin/plans/new", "admin"),
    Shot("router-form", f"{AT}/admin/routers/new", "admin"),
    Shot("regions", f"{AT}/admin/regions/", "admin"),
    Shot("operators", f"{AT}/admin/staff/", "admin"),
    Shot("roles-matrix", f"{AT}/admin/roles/3/", "admin"),
    Shot("operation-log", f"{AT}/admin/log/", "admin"),
    Shot("login-log", f"{AT}/admin/log/logins", "admin"),
    Shot("search", f"{AT}/admin/search?q=qt10", "admin"),
    Shot("selfcare-login", f"{AT}/login"),
    Shot("selfcare-home", f"{AT}/", "subscriber"),
    Shot("selfcare-home-en", f"{AT}/", "subscriber", language="en"),
    Shot("selfcare-home-dark", f"{AT}/", "subscriber", dark=True),
    Shot("selfcare-pay", f"{AT}/renew", "subscriber"),
    Shot("selfcare-bills", f"{AT}/orders/", "subscriber"),
    Shot("selfcare-bill", f"{AT}/orders/", "subscriber", click=".bl-table tbody a >> nth=0"),
    Shot("selfcare-usage", f"{AT}/sessions/", "subscriber"),
    Shot("selfcare-me", f"{AT}/me", "subscriber"),
    Shot("selfcare-profile", f"{AT}/me/profile", "subscriber"),
    Shot("selfcare-password", f"{AT}/me/password", "subscriber"),
    Shot("selfcare-contact", f"{AT}/contact"),
    Shot("platform-login", "/platform/login"),
    Shot("platform-console", "/platform/", "platform"),
    Shot("platform-console-en", "/platform/", "platform", language="en"),
    Shot("platform-tenants", "/platform/tenants/", "platform"),
    Shot("platform-tenant", "/platform/tenants/", "platform", click=".bl-table tbody a >> nth=0"),
    Shot("platform-sign-ups", "/platform/sign-ups/", "platform"),
    Shot("platform-engines", "/platform/engines/", "platform"),
    Shot("platform-jobs", "/platform/jobs/", "platform"),
    Shot("platform-cells", "/platform/cells/", "platform"),
    Shot("platform-support", "/platform/support/", "platform"),
    Shot("platform-log", "/platform/log/", "platform"),
    Shot("platform-password", "/platform/password", "platform"),
)
# Where each realm signs in, and the fields of its form.
SIGN_IN = {
    "admin": (f"{AT}/admin/login", {"username": "admin", "password": OWNER_PASSWORD}),
    "subscriber": (f"{AT}/login", {"username": "qt1001", "password": "net-1001"}),
    "platform": ("/platform/login", {"email": "platform@broadloom.example", "password": PLATFORM_PASSWORD}),
}


def main() -> int:
    """Take the pictures; exit code 1 when something about a page is wrong."""
    base, folder, wanted = sys.argv[1], Path(sys.argv[2]), sys.argv[3:]
    folder.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        for shot in SHOTS:
            if wanted and shot.name not in wanted:
                continue
            for phone in (False, True):
                with _opened(browser, base, shot, phone=phone) as page:
                    page.screenshot(path=folder / f"{shot.name}-{390 if phone else 1440}.png")
                    for check in (assert_accessible, assert_fits):
                        try:
                            check(page)
                        except AssertionError as found:
                            wrong.append(f"{shot.name} {'phone' if phone else ''}: {found}")
        browser.close()
    sys.stdout.write("\n".join(wrong) + ("\n" if wrong else ""))
    return 1 if wrong else 0


@contextmanager
def _opened(browser: "Browser", base: str, shot: Shot, *, phone: bool) -> "Iterator[Page]":
    context = browser.new_context(viewport=PHONE if phone else DESKTOP, base_url=base)  # type: ignore[arg-type]
    chosen = {"lang": shot.language, "theme": "dark" if shot.dark else "light"}
    context.add_cookies([{"name": name, "value": value, "url": base} for name, value in chosen.items()])
    page = context.new_page()
    if shot.realm:
        address, fields = SIGN_IN[shot.realm]
        page.goto(address)
        for name, value in fields.items():
            page.locator(f"[name={name}]").fill(value)
        page.locator("main button[type=submit]").click()
        page.wait_for_load_state()
    page.goto(shot.path)
    if shot.click:
        page.goto(page.locator(shot.click).get_attribute("href") or "")
    if shot.panel:
        page.locator(shot.panel).locator("visible=true").first.click()
        page.locator("#panel .panel").wait_for()
    page.wait_for_timeout(800)  # charts are drawn
    yield page
    context.close()


if __name__ == "__main__":
    raise SystemExit(main())
