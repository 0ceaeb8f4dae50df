"""RadSec and EAP certificate pages in a real browser: they fit, they are accessible, the download works."""

import zipfile

import pytest

from infra import clock
from infra.tenant_scope import tenant_scope
from tenants.network.add_nas import AddNas, add_nas
from tests.e2e.test_admin import sign_in
from tests.fixtures.accounts import OWNER
from tests.fixtures.browser import assert_accessible, assert_fits

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("phone", "dark"), [(False, False), (True, False), (False, True)])
def test_the_pages_are_accessible_and_fit(open_page, tenant, database, tmp_path, phone, dark):
    with tenant_scope(database, tenant) as scope:
        nas_id = add_nas(scope, AddNas("mikrotik", name="Core"), actor=OWNER, now=clock.now()).nas_id
    page = open_page(phone=phone, dark=dark)
    at = sign_in(page, tenant)
    page.goto(f"{at}/routers/{nas_id}/radsec")
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Make a pre-shared key").click()
    page.get_by_text("Key (hexadecimal)").wait_for()
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("button", name="Issue a certificate").click()
    with page.expect_download() as waiting:
        page.get_by_role("link", name="Download certificate, key and authority").click()
    waiting.value.save_as(tmp_path / "files.zip")
    with zipfile.ZipFile(tmp_path / "files.zip") as archive:
        assert archive.read("router.key").startswith(b"-----BEGIN PRIVATE KEY-----")
    page.screenshot(path=tmp_path / "radsec.png", full_page=True)
    assert_accessible(page)
    assert_fits(page)
    page.get_by_role("link", name="Withdraw").first.click()
    page.get_by_text("Connections that use it end at once").wait_for()
    assert_accessible(page)
    page.get_by_role("button", name="Withdraw it").click()
    page.get_by_text("Withdrawn. Connections that used it are ended.").wait_for()
    page.goto(f"{at}/settings/certificates")
    page.screenshot(path=tmp_path / "eap.png", full_page=True)
    assert_accessible(page)
    assert_fits(page)
