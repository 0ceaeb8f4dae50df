"""An internet provider signs up on the site, confirms the address, and has a working tenant (TEN-1)."""

import re
import secrets

import pytest
from sqlalchemy import select

from infra.db import PLATFORM_ROLE
from infra.outbox import OutboxRow
from tenants.registry.directory import find_tenant
from tests.fixtures.web import Web

PASSWORD = "rain on a tin roof"


def form(slug: str | None = None, **changes: str) -> dict[str, str]:
    slug = f"isp-{secrets.token_hex(4)}" if slug is None else slug
    return {
        "name": "Qingteng Broadband",
        "contact_name": "Liu Fang",
        "slug": slug,
        "phone": "139 2460 8812",
        "email": f"liufang@{slug or 'x'}.example",
        "password": PASSWORD,
        "tier": "free",
        "agree": "1",
        **changes,
    }


def mails(database, to: str) -> list[dict]:
    with database.session("main", PLATFORM_ROLE) as session:
        rows = session.scalars(select(OutboxRow).where(OutboxRow.topic == "mail.send").order_by(OutboxRow.id))
        return [row.payload for row in rows if row.payload.get("to") == to]


def link_in(mail: dict) -> str:
    return re.search(r"https?://[^\s]+(/verify/[^\s]+)", mail["text"]).group(1)


def test_from_the_landing_page_to_the_first_login(web: Web, database, settings):
    assert "Start for free" in web.get("/").get_data(as_text=True)
    wanted = form()
    page = web.submit("/sign-up", wanted)
    assert page.status_code == 200
    assert f"A link went to {wanted['email']}" in web.text()
    link = link_in(mails(database, wanted["email"])[0])

    assert "Set up my cloud" in web.get(link).get_data(as_text=True)
    done = web.submit(link)
    assert done.status_code == 200
    assert f"/t/{wanted['slug']}/admin/" in web.text()
    assert find_tenant(database, wanted["slug"]).name == "Qingteng Broadband"

    assert web.get(link).status_code == 410
    assert "used already" in web.text()
    assert web.submit("/sign-up", to=link).status_code == 422  # two pages were open
    assert "used already" in web.text()


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("slug", "www", "The address www is reserved"),
        ("slug", "Über", "3 to 30 small letters"),
        ("slug", "ab", "3 to 30 small letters"),
        ("slug", "", "Fill this in"),
        ("email", "not-an-address", "is not an e-mail address"),
        ("password", "12345678", "The password is too weak"),
        ("password", "", "Fill this in"),
        ("phone", "12", "is not a telephone number"),
        ("name", "  ", "Fill this in"),
        ("tier", "golden", "Choose one of these"),
        ("agree", "", "Without the terms there is no contract"),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(web: Web, field, value, sentence):
    wanted = form(**{field: value})
    page = web.submit("/sign-up", wanted)
    html = page.get_data(as_text=True)
    assert page.status_code == 422
    assert f'href="#f-{field}"' in html
    assert sentence in web.text()
    for kept in ("name", "phone", "email", "slug"):
        if kept != field and kept != "slug":
            assert f'value="{wanted[kept]}"' in html
    assert PASSWORD not in html


def test_a_slug_that_is_taken_is_said_while_typing_and_when_sent(web: Web, make_tenant):
    taken = make_tenant().slug
    note = web.get(f"/sign-up/address?slug={taken}&name=Green Ivy").get_data(as_text=True)
    assert f"The address {taken} is taken" in note
    assert 'data-value="' in note
    assert "is free" in web.get(f"/sign-up/address?slug=free-{secrets.token_hex(4)}").get_data(as_text=True)
    assert web.submit("/sign-up", form(taken)).status_code == 422
    assert f"The address {taken} is taken" in web.text()


def test_an_email_that_owns_a_provider_is_refused(web: Web, make_tenant):
    owner = f"owner@{make_tenant().slug}.example"
    assert web.submit("/sign-up", form(email=owner)).status_code == 422
    assert "has an account already" in web.text()


def test_a_link_that_was_never_sent(web: Web):
    assert web.get("/verify/" + "x" * 43).status_code == 410  # said at once, not after the button
    assert "This verification link is not known" in web.text()


def test_sending_the_link_again_makes_the_old_one_worthless(web: Web, database):
    wanted = form()
    web.submit("/sign-up", wanted)
    web.submit("/sign-up/sent", to="/sign-up/resend")
    assert "a new link is on its way" in web.text()
    first, second = mails(database, wanted["email"])
    assert web.get(link_in(first)).status_code == 410
    assert web.submit(link_in(second)).status_code == 200


def test_without_a_token_of_ours_a_form_is_refused(web: Web):
    answer = web.client.post("/sign-up", data=form())
    assert answer.status_code == 400
    assert "This form has expired" in answer.get_data(as_text=True)


def test_chinese_is_complete_on_the_way(app):
    web = Web(app, "zh")
    assert "免费开始" in web.get("/").get_data(as_text=True)
    web.submit("/sign-up", form(slug="www", password="123"))
    assert "地址 www 是保留的" in web.text()
    assert "密码太弱：至少 8 位" in web.text()
