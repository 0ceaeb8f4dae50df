"""Finding the way to one's own entrance."""

import pytest
from sqlalchemy import select

from infra.db import PLATFORM_ROLE
from infra.outbox import OutboxRow
from tests.fixtures.web import Web


@pytest.mark.parametrize("typed", ["{slug}", " {SLUG} ", "http://127.0.0.1/t/{slug}/admin/", "{slug}.localhost"])
def test_an_address_leads_to_its_administration(web: Web, make_tenant, settings, typed):
    slug = make_tenant().slug
    web.get("/login")
    page = web.client.get("/login").get_data(as_text=True)
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    who = typed.format(slug=slug, SLUG=slug.upper())
    answer = web.client.post("/login", data={"who": who, "csrf_token": token})
    assert answer.status_code == 303
    assert answer.location == f"{settings.site_url}/t/{slug}/admin/"


@pytest.mark.parametrize("typed", ["nobody-here", "1", "", "http://evil.example/"])
def test_an_unknown_address_is_said_beside_the_field(web: Web, typed):
    page = web.submit("/login", {"who": typed})
    assert page.status_code == 422
    assert "f-who-note" in page.get_data(as_text=True)


def test_an_owner_gets_the_addresses_by_mail_and_nobody_learns_who_owns_one(web: Web, make_tenant, database):
    tenant = make_tenant()
    known = web.submit("/login", {"who": f"owner@{tenant.slug}.example"}).get_data(as_text=True)
    unknown = web.submit("/login", {"who": "stranger@nobody.example"}).get_data(as_text=True)
    assert "its addresses are in the mailbox" in known
    assert "its addresses are in the mailbox" in unknown
    with database.session("main", PLATFORM_ROLE) as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.topic == "mail.send")).all()
    sent = [row.payload["to"] for row in rows]
    assert f"owner@{tenant.slug}.example" in sent
    assert "stranger@nobody.example" not in sent
