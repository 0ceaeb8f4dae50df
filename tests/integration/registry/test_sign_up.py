"""TEN-1: an ISP signs up, opens the link, and has a tenant that works."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count

import pytest
from sqlalchemy import select, text

from infra import clock
from infra.db import Database
from infra.outbox import OutboxRow
from infra.tenant_scope import tenant_scope, unscoped
from tenants.catalog.models import Plan, PlanGroup
from tenants.kernel.errors import BusinessError, InvalidInputs
from tenants.network.models import Region
from tenants.onboarding.find_login import find_login
from tenants.onboarding.resend import resend
from tenants.onboarding.sign_up import SignUpForm, sign_up, slug_refusal
from tenants.onboarding.verify import verify
from tenants.registry import keys
from tenants.registry.errors import EmailTaken, SlugTaken, TokenExpired, TokenUnknown, TokenUsed
from tenants.registry.settings import read
from tenants.staff.log_in import LogIn, try_log_in
from tenants.staff.models import Operator, Role
from tests.fixtures.tenants import TEST_SECRET_KEY

SITE = "https://broadloom.example"
NUMBERS = count(1)


@pytest.fixture(autouse=True)
def _keys() -> None:
    keys.configure(TEST_SECRET_KEY)


def form(**changed: str) -> SignUpForm:
    n = next(NUMBERS)
    values = {
        "slug": f"harbour-{n}",
        "name": "Harbour Net",
        "contact_name": "Ana Li",
        "email": f"ana{n}@harbour.example",
        "phone": "+86 138 0013 8000",
        "password": "lighthouse-77",
        "locale": "en",
    }
    return SignUpForm(**{**values, **changed})


def ask(database: Database, wanted: SignUpForm, now=None):
    return sign_up(database, wanted, now=now or clock.now(), site_url=SITE)


def refusals(database: Database, **changed: str) -> set[tuple[str, str]]:
    with pytest.raises(BusinessError) as caught:
        ask(database, form(**changed))
    errors = caught.value.errors if isinstance(caught.value, InvalidInputs) else [caught.value]
    return {(error.field or "", error.code) for error in errors}


def test_a_working_tenant_after_the_link(database: Database) -> None:
    wanted = form()
    receipt = ask(database, wanted)
    with unscoped(database, reason="test") as session:
        mail = session.scalars(
            select(OutboxRow).where(OutboxRow.topic == "mail.send").order_by(OutboxRow.id.desc()).limit(1)
        ).one()
    assert mail.tenant_id == 0
    assert mail.payload["to"] == wanted.email
    assert f"{SITE}/verify/{receipt.token}" in mail.payload["text"]

    made = verify(database, receipt.token, now=clock.now())

    assert made.tenant.slug == wanted.slug
    assert made.tenant.state == "active"
    with tenant_scope(database, made.tenant) as scope:
        assert len(list(scope.session.scalars(select(Plan)))) == 10
        assert len(list(scope.session.scalars(select(PlanGroup)))) == 4
        assert len(list(scope.session.scalars(select(Region)))) == 1
        roles = set(scope.session.scalars(select(Role.code)))
        assert roles == {"owner", "manager", "cashier", "technician", "support", "viewer"}
        assert read(scope).currency == "USD"
        assert scope.session.scalars(select(Operator)).one().email == wanted.email
    for login in ("admin", wanted.email.upper()):
        entered = try_log_in(database, made.tenant, LogIn(login, wanted.password, "192.0.2.1"), now=clock.now())
        assert entered.operator_id == made.operator_id
    with pytest.raises(TokenUsed):
        verify(database, receipt.token, now=clock.now())


def test_what_is_typed_is_checked_all_at_once(database: Database) -> None:
    assert refusals(database, slug="www") == {("slug", "slug_reserved")}
    assert refusals(database, slug="Ab!", email="nobody", password="12345678", phone="x", name=" ") == {
        ("slug", "bad_slug"),
        ("email", "bad_email"),
        ("password", "weak_password"),
        ("phone", "bad_phone"),
        ("name", "bad_name"),
    }
    assert refusals(database, tier="gold") == {("tier", "unknown_tier")}
    assert ("name", "bad_name") in refusals(database, name="a\x00b")
    assert ("slug", "bad_slug") in refusals(database, slug="a\x00b")


def test_a_slug_is_kept_for_who_asked_first(database: Database) -> None:
    first = form()
    ask(database, first)
    assert refusals(database, slug=first.slug) == {("slug", "slug_taken")}
    assert isinstance(slug_refusal(database, first.slug, now=clock.now()), SlugTaken)
    assert slug_refusal(database, "still-free", now=clock.now()) is None
    # After a day without a click it is free again.
    later = clock.now() + timedelta(hours=25)
    assert slug_refusal(database, first.slug, now=later) is None
    ask(database, form(slug=first.slug), now=later)


def test_signing_up_again_replaces_the_first_try(database: Database) -> None:
    wanted = form()
    old = ask(database, wanted)
    new = ask(database, wanted)
    with pytest.raises(TokenExpired):
        verify(database, old.token, now=clock.now())
    assert verify(database, new.token, now=clock.now()).tenant.slug == wanted.slug


def test_links_expire_and_can_be_sent_again(database: Database) -> None:
    wanted = form()
    old = ask(database, wanted)
    with pytest.raises(TokenUnknown):
        verify(database, "no such token", now=clock.now())
    with pytest.raises(TokenExpired):
        verify(database, old.token, now=clock.now() + timedelta(hours=24, seconds=1))
    assert resend(database, "stranger@harbour.example", now=clock.now(), site_url=SITE) is None
    new = resend(database, wanted.email, now=clock.now(), site_url=SITE)
    assert new is not None
    with pytest.raises(TokenUnknown):
        verify(database, old.token, now=clock.now())
    verify(database, new.token, now=clock.now())
    assert resend(database, wanted.email, now=clock.now(), site_url=SITE) is None


def test_an_email_address_owns_one_tenant(database: Database) -> None:
    wanted = form()
    verify(database, ask(database, wanted).token, now=clock.now())
    assert refusals(database, email=wanted.email.upper()) == {("email", EmailTaken.code)}
    find_login(database, wanted.email, now=clock.now(), site_url=SITE)
    find_login(database, "stranger@harbour.example", now=clock.now(), site_url=SITE)
    with unscoped(database, reason="test") as session:
        mail = session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc()).limit(1)).one()
    assert mail.payload["to"] == wanted.email
    assert f"{SITE}/t/{wanted.slug}/admin/" in mail.payload["text"]


def test_two_clicks_make_one_tenant(database: Database) -> None:
    receipt = ask(database, form())

    def click(_: int) -> str:
        try:
            return verify(database, receipt.token, now=clock.now()).tenant.slug
        except TokenUsed as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        answers = sorted(pool.map(click, range(4)))
    assert answers.count("verification_used") == 3


def test_two_sign_ups_for_one_slug_at_once(database: Database) -> None:
    wanted = [form(slug="same-slug") for _ in range(6)]

    def go(one: SignUpForm) -> str:
        try:
            return ask(database, one).email
        except SlugTaken as error:
            return error.code

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(go, wanted))
    assert answers.count("slug_taken") == 5


def test_a_failure_leaves_nothing(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = form()
    receipt = ask(database, wanted)

    def fail(*_: object) -> None:
        raise RuntimeError("the power went away")

    with monkeypatch.context() as patch:
        patch.setattr("tenants.onboarding.verify.furnish", fail)
        with pytest.raises(RuntimeError):
            verify(database, receipt.token, now=clock.now())
    with database.owner_connection() as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM registry.tenants WHERE slug = :s"), {"s": wanted.slug}
            ).scalar()
            == 0
        )
    assert verify(database, receipt.token, now=clock.now()).tenant.slug == wanted.slug
