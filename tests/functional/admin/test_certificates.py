"""RadSec certificates and keys of a router, and the certificate that subscribers' devices see (RFC 6614, RAD-2)."""

import base64
import io
import re
import zipfile
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from infra import clock
from infra.certificates import make_authority, make_server_certificate
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.certificates import ensure_certificates
from tenants.network.models import RadsecCredential
from tests.fixtures.accounts import OWNER
from tests.functional.admin.conftest import Desk


@pytest.fixture
def nas_id(desk: Desk) -> int:
    with desk.scope() as scope:
        return add_nas(scope, AddNas("mikrotik", name="Core"), actor=OWNER, now=clock.now()).nas_id


def credentials(desk: Desk) -> list[RadsecCredential]:
    with desk.scope() as scope:
        rows = scope.registry.scalars(select(RadsecCredential).order_by(RadsecCredential.id)).all()
        scope.registry.expunge_all()
        return list(rows)


def page(desk: Desk) -> str:
    return desk.web.last.get_data(as_text=True)


def test_a_certificate_is_issued_downloaded_once_and_withdrawn(desk: Desk, nas_id: int) -> None:
    at = f"/routers/{nas_id}/radsec"
    assert "no certificate and no key yet" in desk.get(at).get_data(as_text=True)
    desk.submit(at, to=f"{at}/certificate")
    assert "-----BEGIN PRIVATE KEY-----" in page(desk)
    assert desk.web.last.headers["Cache-Control"] == "no-store"
    found = re.search(r'href="data:application/zip;base64,([^"]+)"', page(desk))
    assert found is not None
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(found[1]))) as archive:
        assert archive.namelist() == ["ca.pem", "router.pem", "router.key"]
    [issued] = credentials(desk)
    again = desk.get(at).get_data(as_text=True)
    assert "PRIVATE KEY" not in again
    assert ":".join(issued.identity[n : n + 2] for n in (0, 2)).upper() in again
    assert "protocol=radsec" in again
    assert "BEGIN CERTIFICATE" in desk.get("/routers/radsec-ca.pem").get_data(as_text=True)
    assert "Connections that use it end at once" in desk.get(f"{at}/{issued.id}/withdraw").get_data(as_text=True)
    assert credentials(desk)[0].revoked_at is None  # a click alone does nothing yet
    desk.submit(f"{at}/{issued.id}/withdraw")
    assert credentials(desk)[0].revoked_at is not None
    assert "withdrawn" in page(desk)
    for gone in (issued.id, 10**9):
        assert desk.get(f"{at}/{gone}/withdraw").status_code == 404


def test_a_key_is_shown_once(desk: Desk, nas_id: int) -> None:
    at = f"/routers/{nas_id}/radsec"
    desk.submit(at, to=f"{at}/key")
    [issued] = credentials(desk)
    assert issued.kind == "psk"
    assert issued.identity in page(desk)
    key = re.search(r"\b[0-9a-f]{64}\b", page(desk))
    assert key is not None
    assert key[0] not in desk.get(at).get_data(as_text=True)


def test_who_may_not(desk: Desk, nas_id: int) -> None:
    desk.hire("clerk", "nas.view", "settings.view")
    desk.submit("/", to="/logout")
    desk.sign_in("clerk")
    at = f"/routers/{nas_id}/radsec"
    shown = desk.get(at).get_data(as_text=True)
    assert "Issue a certificate" not in shown
    for path in (f"{at}/certificate", f"{at}/key", f"{at}/1/withdraw", "/settings/certificates/renew"):
        token = re.search(r'name="csrf_token" value="([^"]+)"', shown)
        fields = {"csrf_token": token[1]} if token else {}
        assert desk.web.client.post(f"{desk.at}{path}", data=fields).status_code in (400, 403)
    assert credentials(desk) == []


def test_devices_see_an_own_or_an_uploaded_certificate(desk: Desk) -> None:
    at = "/settings/certificates"
    assert "your own authority" in desk.get(at).get_data(as_text=True)
    assert "BEGIN CERTIFICATE" in desk.get(f"{at}/ca.pem").get_data(as_text=True)
    now = clock.now()
    authority = make_authority("Company", now)
    server = make_server_certificate(authority, ["wifi.example"], now)
    chain = (server.certificate_pem + authority.certificate_pem).decode()
    desk.submit(at, {"chain": chain, "private_key": authority.key_pem.decode()})
    assert desk.web.last.status_code == 422
    assert "belongs to another certificate" in page(desk)
    assert chain.splitlines()[1] in page(desk)  # what was typed stays
    assert "PRIVATE KEY-----" not in page(desk)  # but not the key
    desk.submit(at, {"chain": chain, "private_key": server.key_pem.decode()})
    assert "your upload" in page(desk)
    with desk.scope() as scope:
        assert ensure_certificates(scope, "localhost", now=now).source == "uploaded"
    desk.submit(at, to=f"{at}/renew")
    assert "your own authority" in page(desk)


def test_a_router_whose_certificate_ends_is_told_of_everywhere(desk: Desk, nas_id: int) -> None:
    at = f"/routers/{nas_id}/radsec"
    desk.submit(at, to=f"{at}/certificate")
    now = clock.now()
    pages = (at, f"/routers/{nas_id}/", "/routers/", "/")

    def shown(**values: object) -> list[str]:
        with desk.database.owner_connection() as connection:  # as the RADIUS cluster notes, or time does
            connection.execute(update(RadsecCredential).where(RadsecCredential.nas_id == nas_id).values(**values))
        return [desk.get(path).get_data(as_text=True) for path in pages]

    for text in shown(last_used_at=now):
        assert "expires on" not in text
        assert "ends soon" not in text
    radsec, router, listed, home = shown(expires_at=now + timedelta(days=20, minutes=1))
    assert "expires on" in radsec
    assert "ends soon" in radsec
    assert "Withdraw" in radsec
    assert "Issue another one and put it into the router" in router
    assert "certificate ends soon" in listed
    assert "The RadSec certificate of Core ends on" in home
    radsec, router, listed, home = shown(expires_at=now - timedelta(hours=1))
    assert "It is refused with it" in radsec
    assert "It is refused with it" in router
    assert "certificate expired" in listed
    assert "The RadSec certificate of Core expired on" in home
    desk.submit(at, to=f"{at}/certificate")  # what has expired keeps nobody from it
    assert "it has not been shown yet" in desk.get(at).get_data(as_text=True)


def test_an_uploaded_certificate_that_ends_is_told_of(desk: Desk) -> None:
    at, now = "/settings/certificates", clock.now()
    authority = make_authority("Company", now)
    server = make_server_certificate(authority, ["wifi.example"], now, days=30)
    chain = (server.certificate_pem + authority.certificate_pem).decode()
    desk.submit(at, {"chain": chain, "private_key": server.key_pem.decode()})
    assert "From then on devices refuse to log in by PEAP or TTLS" in desk.get(at).get_data(as_text=True)
    assert "The certificate of your PEAP and TTLS logins ends on" in desk.get("/").get_data(as_text=True)
