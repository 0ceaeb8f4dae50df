"""Takes the pictures of the documentation from a running demonstration::

    .venv/bin/python -m tests.e2e.screenshots http://127.0.0.1:8000 docs/screenshots [name …] [--quick]

Signs in with the logins that ``broadloom up`` prints and opens each page at 1440 and 390 pixels. Ends
with exit code 1 when axe finds something serious, a page scrolls sideways or its scripts complain; the pictures are
taken all the same. ``--quick`` leaves axe out.
"""

import os
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from playwright.sync_api import Error as PlaywrightError
from playwright.sync_api import sync_playwright

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tenants.onboarding.demo_people import OWNER_PASSWORD, STAFF_PASSWORD
from tests.e2e.pictures import AT, SHOTS, Shot
from tests.fixtures.browser import DESKTOP, FLAGS, PHONE, assert_accessible, assert_fits, find_chromium
from tests.fixtures.radius import Client

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

# "identifier:secret" of a router (``broadloom nas script`` shows both); else the picture of a watch has no packets, and
# nobody is locked out
DEMO_ROUTER = os.environ.get("DEMO_ROUTER", "")
PLATFORM_PASSWORD = os.environ.get("BROADLOOM_PLATFORM_PASSWORD", "")  # printed at the first start


# Where each realm signs in, and the fields of its form.
SIGN_IN = {
    "admin": (f"{AT}/admin/login", {"username": "admin", "password": OWNER_PASSWORD}),
    "clerk": (f"{AT}/admin/login", {"username": "liying", "password": STAFF_PASSWORD}),
    "subscriber": (f"{AT}/login", {"username": "qt1001", "password": "net-1001"}),
    "platform": ("/platform/login", {"email": "platform@broadloom.example", "password": PLATFORM_PASSWORD}),
}


def main() -> int:
    """Take the pictures; exit code 1 when something about a page is wrong."""
    words = [word for word in sys.argv[1:] if word != "--quick"]
    base, folder, wanted = words[0], Path(words[1]), words[2:]
    checks = (assert_fits,) if "--quick" in sys.argv else (assert_accessible, assert_fits)
    folder.mkdir(parents=True, exist_ok=True)
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=FLAGS)
        for phone in (False, True):
            visitors = Visitors(browser, base, phone=phone)
            for shot in SHOTS:
                if wanted and shot.name not in wanted:
                    continue
                file = folder / f"{shot.name}-{390 if phone else 1440}.png"
                try:
                    wrong += [f"{file.stem}: {found}" for found in _take(visitors.page(shot), shot, file, checks)]
                except PlaywrightError as failed:
                    wrong.append(f"{file.stem}: no picture: {failed}")
            visitors.close()
        browser.close()
    sys.stdout.write("\n".join(wrong) + ("\n" if wrong else ""))
    return 1 if wrong else 0


class Visitors:
    """Browsers of one width: one for each realm, language and theme, signed in once."""

    def __init__(self, browser: "Browser", base: str, *, phone: bool) -> None:
        self._browser, self._base, self._phone = browser, base, phone
        self._pages: dict[tuple[str, str, bool], Page] = {}

    def page(self, shot: Shot) -> "Page":
        """The page of whoever looks at this picture."""
        key = (shot.realm, shot.language, shot.dark)
        if key not in self._pages:
            self._pages[key] = self._signed_in(shot)
        return self._pages[key]

    def close(self) -> None:
        """Forget everybody."""
        for page in self._pages.values():
            page.context.close()

    def _signed_in(self, shot: Shot) -> "Page":
        viewport = PHONE if self._phone else DESKTOP
        context = self._browser.new_context(viewport=viewport, base_url=self._base)  # type: ignore[arg-type]
        chosen = {"lang": shot.language, "theme": "dark" if shot.dark else "light"}
        context.add_cookies([{"name": name, "value": value, "url": self._base} for name, value in chosen.items()])
        page = context.new_page()
        page.set_default_timeout(20_000)
        if shot.realm:
            address, fields = SIGN_IN[shot.realm]
            page.goto(address)
            for name, value in fields.items():
                page.locator(f"[name={name}]").fill(value)
            page.locator("main button[type=submit]").click()
            page.wait_for_load_state()
        return page


def _take(page: "Page", shot: Shot, file: Path, checks: "Sequence[Callable[[Page], None]]") -> "Iterator[str]":
    page.goto(shot.path)
    if shot.click:
        selector, _, further = shot.click.partition("|")
        page.goto((page.locator(selector).first.get_attribute("href") or "") + (f"/{further}" if further else ""))
    for step in shot.steps:
        _do(page, *step)
    if shot.panel:
        page.locator(shot.panel).locator("visible=true").first.click()
        page.locator("#panel .panel").wait_for()
    for chart in page.locator("[data-chart]").all():
        chart.locator("canvas, svg").first.wait_for()
    page.wait_for_timeout(250)  # charts and panels have come to rest
    page.screenshot(path=file)
    for check in checks:
        try:
            check(page)
        except AssertionError as found:
            yield str(found)


def _do(page: "Page", deed: str, place: str, text: str = "") -> None:
    if deed == "fill":
        field = page.locator(f"main [name={place}]").first
        value = text.replace("{unique}", _unique())
        # Also where it is folded away: what matters is what stands there when the form is sent.
        field.evaluate(
            "(field, value) => { field.closest('details')?.setAttribute('open', ''); field.value = value }", value
        )
    elif deed == "check":
        page.locator(f"main [name={place}]").first.check()
    elif deed == "tick":
        page.locator(place).first.evaluate("box => box.click()")
    elif deed == "wait":
        page.locator(place).first.wait_for()
    elif deed == "dial":
        _dial(page, place)
    elif deed == "guess":
        _guess(page, place)
    else:
        if deed == "submit":
            with page.expect_navigation():
                page.locator(place).first.evaluate("form => HTMLFormElement.prototype.submit.call(form)")
        else:
            with page.expect_navigation():
                page.locator(place).first.evaluate("element => element.click()")
        page.wait_for_load_state()


def _dial(page: "Page", username: str) -> None:
    """A router of the demonstration asks for a login with a wrong password, and what is seen of it is opened."""
    if not DEMO_ROUTER:
        return
    page.wait_for_timeout(1_000)  # the cluster has heard of the watch
    identifier, _, secret = DEMO_ROUTER.partition(":")
    router = Client(Settings.from_env(), identifier, secret)
    router.log_in(username, "wrong", extra=encode.text(codes.CALLING_STATION_ID, "BC-D1-77-1C-8E-25"))
    router.close()
    page.locator("#watch-list details").first.wait_for()
    page.locator("#watch-list summary").first.click()


def _guess(page: "Page", username: str) -> None:
    """A device of the demonstration guesses until it is locked out; each refusal would take its second, so at once."""
    if not DEMO_ROUTER:
        return
    identifier, _, secret = DEMO_ROUTER.partition(":")
    settings = Settings.from_env()
    for _turn in range(11):
        router = Client(settings, identifier, secret)
        request = router.access(username, "guess", extra=encode.text(codes.CALLING_STATION_ID, "BC-D1-77-1C-8E-25"))
        router.socket.sendto(request, (settings.bind, settings.radius_auth_port))
        router.close()
    page.locator("main .bl-table a").first.wait_for()  # the page asks again by itself


def _unique() -> str:
    return f"qs-{secrets.token_hex(3)}"


if __name__ == "__main__":
    raise SystemExit(main())
