"""The product's main job in one story: from sign-up in a browser to a subscriber online, cut off and back (issue 2).

Everything is real: ``broadloom up`` with all its programs, a browser, the mail folder, radclient, a UDP port that
waits for the Disconnect. Only the expiry is brought nearer, by the command line, as nobody waits a month.
"""

import email
import json
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from infra import clock
from radius_cluster.wire import codes
from tests.fixtures.browser import DESKTOP, press_g_and
from tests.fixtures.busy_machine import limit
from tests.fixtures.installation import Installation
from tests.fixtures.radclient import NEEDS_RADCLIENT, Radclient
from tests.fixtures.radius import SECRET, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.radius_client, NEEDS_RADCLIENT, pytest.mark.timeout(180)]
LOGIN = 'User-Name = "wh10627"\nUser-Password = "net-10627"\nMessage-Authenticator = 0x00'
SESSION = 'User-Name = "wh10627"\nAcct-Session-Id = "81c00001"\nFramed-IP-Address = 10.16.5.19\n'


@pytest.fixture
def installation(fresh_database_url: str, redis_url: str) -> Iterator[Installation]:
    """All programs of the product, without demonstration, on a database of this story alone."""
    folder = Path(tempfile.mkdtemp(prefix="broadloom-spine-"))
    made = Installation(folder, DATABASE_URL=fresh_database_url, REDIS_URL=redis_url, DEMO="0")
    made.start()
    yield made
    made.stop()
    shutil.rmtree(folder, ignore_errors=True)


def test_from_sign_up_to_online_to_cut_off_and_back(chromium, installation, coa_port, tmp_path):
    browser = chromium.new_context(viewport=DESKTOP, base_url=installation.url, locale="en-US")
    browser.add_cookies([{"name": "lang", "value": "en", "url": installation.url}])
    page = browser.new_page()
    slug = f"isp-{secrets.token_hex(3)}"

    # An ISP signs up, and finds the link in its mail.
    page.goto("/sign-up")
    page.get_by_label("Company or brand").fill("Qingteng Broadband")
    page.get_by_label("Your name").fill("Liu Fang")
    page.get_by_label("Login address").fill(slug)
    page.get_by_label("Phone").fill("139 2460 8812")
    page.get_by_label("E-mail").fill(f"liufang@{slug}.example")
    page.get_by_label("Password", exact=True).fill("rain on a tin roof")
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Sign up").click()
    page.get_by_role("heading", name="Look into your mail").wait_for()
    page.goto(wait_for(lambda: link_in_mail(installation.folder / "data" / "mail")))
    page.get_by_role("button", name="Set up my cloud").click()
    page.get_by_role("heading", name="Qingteng Broadband is ready").wait_for()
    page.get_by_role("link", name="Enter").click()
    page.get_by_text("Four steps to the first subscriber online").wait_for()
    at = f"/t/{slug}/admin"

    # The router: registered, its page waits for the first packet.
    page.get_by_role("link", name="Add a router").first.click()
    page.get_by_label("Name", exact=True).fill("Minzhi hAP")
    page.get_by_text("Identifier, secret and ports").click()
    page.get_by_label("Shared secret").fill(SECRET)
    page.get_by_label("Port for disconnects").fill(str(coa_port.port))
    page.get_by_role("button", name="Add the router").click()
    page.get_by_text("No packet yet.").wait_for()
    identifier = page.locator(".chk-l .mono").last.inner_text()
    page.get_by_text("/radius add service=ppp").wait_for()
    page.get_by_role("button", name="Copy").first.click()
    page.locator("#router-steps li").nth(1).get_by_text(re.compile(r"\d{4}-\d\d-\d\d")).wait_for()
    waiting = page

    # A plan at a speed of its own, and an account.
    page = browser.new_page()
    page.goto(f"{at}/plans/")
    page.get_by_role("link", name="Add a group").first.click()
    panel = page.get_by_role("dialog")
    panel.get_by_label("Name").fill("Fibre 100")
    panel.get_by_label("Speed down").fill("100M")
    panel.get_by_label("Speed up").fill("20M")
    panel.get_by_role("button", name="Add the group").click()
    page.get_by_role("heading", name="Fibre 100").wait_for()
    page.goto(f"{at}/plans/new")
    page.get_by_label("Name", exact=True).fill("Fibre monthly")
    page.get_by_label("Plan group").select_option(label="Fibre 100")
    page.get_by_label("Price").fill("50.00")
    page.get_by_role("button", name="Add the plan").click()
    page.get_by_text("Added the plan Fibre monthly.").wait_for()
    page.goto(f"{at}/accounts/new")
    page.get_by_label("User name").fill("wh10627")
    page.get_by_label("Password").fill("net-10627")
    page.get_by_text("Fibre monthly", exact=True).click()
    page.locator("#open-deed", has_text="50.00").wait_for()
    page.locator("#open-deed").click()
    page.get_by_text("Opened wh10627.").wait_for()
    account_page = page.url

    # Accept with the speed of the plan; the waiting page sees it, the list of those online too.
    radclient = Radclient((installation.auth_port, installation.acct_port), identifier, SECRET, tmp_path)
    answer = radclient("auth", LOGIN)
    assert "Received Access-Accept" in answer, answer
    assert 'Mikrotik-Rate-Limit = "20M/100M"' in answer
    waiting.get_by_text("The router talks to the cloud.").wait_for()
    assert "Accounting-Response" in radclient("acct", f"{SESSION}Acct-Status-Type = Start")
    press_g_and(page, "o")
    page.wait_for_url("**/admin/online/")
    page.get_by_role("row", name=re.compile("wh10627")).get_by_text("10.16.5.19").wait_for()

    # It expires: cut off within five seconds, refused with the reason.
    assert coa_port.cut == []
    expires_at = clock.now() + timedelta(seconds=3)
    done = installation.run(
        "op", "manual", "--tenant", slug, "--account", "wh10627", "--expires-at", expires_at.isoformat(),
        "--reason", "brought nearer", "--as", "owner", "--json",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["account"]["username"] == "wh10627"
    told_at = clock.now()
    came_at, packet = wait_for(lambda: coa_port.cut)[0]
    assert expires_at <= came_at < max(expires_at, told_at) + timedelta(seconds=limit(5))
    assert (packet.code, packet.text(codes.ACCT_SESSION_ID)) == (codes.DISCONNECT_REQUEST, "81c00001")
    stop = "Acct-Session-Time = 60\nAcct-Terminate-Cause = Admin-Reset\nAcct-Status-Type = Stop"
    assert "Accounting-Response" in radclient("acct", SESSION + stop)
    refused = radclient("auth", LOGIN)
    assert "Received Access-Reject" in refused
    assert "expired" in refused

    # Renewed at the counter: in again.
    page.goto(account_page)
    page.get_by_text("Expired").first.wait_for()
    page.locator(".dh").get_by_role("link", name="Renew").click()
    page.get_by_role("dialog").get_by_role("button", name=re.compile(r"Renew for .*50\.00")).click()
    page.get_by_text(re.compile(r"Renewed for .*50\.00\.")).wait_for()
    assert "Received Access-Accept" in radclient("auth", LOGIN)
    browser.close()


def link_in_mail(folder: Path) -> str:
    """The link of the one mail that has come, "" before."""
    for file in folder.glob("*.eml"):
        body = email.message_from_bytes(file.read_bytes()).get_payload(decode=True) or b""
        found = re.search(r"http\S+/verify/\S+", body.decode())
        if found:
            return found.group(0)
    return ""
