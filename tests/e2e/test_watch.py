"""Watching packets in a real browser, with packets of a real RADIUS client (RAD-7)."""

from pathlib import Path

import pytest

from infra import clock
from infra.db import Database
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.network.add_nas import AddNas, add_nas
from tests.e2e.test_admin import sign_in
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.fixtures.browser import assert_accessible, assert_fits
from tests.fixtures.radclient import NEEDS_RADCLIENT, Radclient
from tests.fixtures.radius import SECRET, Processes, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.radius_client, NEEDS_RADCLIENT, pytest.mark.timeout(300)]


@pytest.mark.parametrize("phone", [False, True])
def test_packets_appear_and_open(
    open_page, tenant: TenantRef, database: Database, settings: Settings, processes: Processes, tmp_path: Path,
    phone: bool,
) -> None:  # fmt: skip
    with tenant_scope(database, tenant) as scope:
        open_one(scope, "alice", sell(scope), password="geheim-7391")
        command = AddNas("mikrotik", "Gate", f"{tenant.nas_prefix}-gate", SECRET)
        nas = add_nas(scope, command, actor=OWNER, now=clock.now())
    processes.start()
    radclient = Radclient((settings.radius_auth_port, settings.radius_acct_port), nas.identifier, SECRET, tmp_path)
    page = open_page(phone=phone)
    at = sign_in(page, tenant)
    page.goto(f"{at}/routers/{nas.nas_id}/")
    page.get_by_role("link", name="Watch packets").locator("visible=true").last.click()
    panel = page.get_by_role("dialog")
    panel.get_by_text("1 minute").wait_for()
    assert_accessible(page)
    panel.get_by_role("button", name="Begin to watch").click()
    page.get_by_text("Waiting for the first packet").wait_for()
    assert_accessible(page)
    assert_fits(page)
    wait_for(lambda: page.get_by_text("1 process of the cluster watches").count() > 0)
    login = 'User-Name = "alice"\nUser-Password = "{}"\nCalling-Station-Id = "02-00-00-00-00-01"\n'
    login += "Message-Authenticator = 0x00"
    assert "Access-Accept" in radclient("auth", login.format("geheim-7391"))
    first = page.locator("#watch-list > li")
    first.get_by_text("Let in").wait_for()
    first.locator("summary").focus()
    page.keyboard.press("Enter")
    first.get_by_text("Mikrotik-Rate-Limit").wait_for()
    first.get_by_text("hidden (16 octets)").first.wait_for()
    assert "geheim" not in page.content()
    radclient("auth", login.format("another"))
    page.locator("#watch-list > li").nth(1).wait_for()
    newest, oldest = page.locator("#watch-list > li").all()
    assert newest.get_by_text("Refused: Wrong password").is_visible()
    assert oldest.locator("details").get_attribute("open") is not None  # what somebody reads stays open
    newest.locator("summary").click()
    assert newest.get_by_text("Type the password again on the device").is_visible()
    assert_accessible(page)
    assert_fits(page)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download as text").click()
    text = Path(download.value.path()).read_text()
    assert text.index("Access-Accept") < text.index("Access-Reject")
    page.get_by_role("button", name="End and forget").click()
    page.get_by_role("button", name="Begin to watch").wait_for()
