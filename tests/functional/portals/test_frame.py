"""What every portal gets from the frame: entrances, logins, rights, one unit of work per request, error pages.

A small portal of its own keeps these independent of what the real ones show.
"""

from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Blueprint, g, redirect, request, url_for
from sqlalchemy import select

from infra import clock
from infra.db import MAIN_CELL, PLATFORM_ROLE
from infra.outbox import OutboxRow, emit
from portals.app import create_app, register_portal
from portals.shared.access import public, requires, signed_in
from portals.shared.frame import Giver, NearMatch, Portal
from portals.shared.hand_over import Ticket, ticket_path
from portals.shared.login import Login, Visitor, after_login, here, sign_in, sign_out
from portals.shared.unit_of_work import keep_changes
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.registry.models import Hostname
from tests.fixtures.web import Web

EPOCH = {"now": 1}


def load(login: Login) -> Visitor | None:
    if login.epoch != EPOCH["now"]:
        return None
    actor = Actor("operator", login.id, "Li Min", permissions=frozenset({"things.view"}))
    return Visitor(id=login.id, name="Li Min", actor=actor, note="Cashier")


def make_portal(name: str, realm: str) -> Portal:
    blueprint = Blueprint(name, __name__)

    @blueprint.get("/")
    @signed_in
    def show_home() -> str:
        return f"home of {here().name} at {g.tenant.slug}"

    @blueprint.route("/login", methods=["GET", "POST"])
    @public
    def log_in():
        if request.method == "GET":
            return f'<input type="hidden" name="csrf_token" value="{_token()}">please sign in'
        sign_in(7, EPOCH["now"])
        return redirect(after_login(url_for(f"{name}.show_home")))

    @blueprint.post("/logout")
    @signed_in
    def log_out():
        sign_out()
        return redirect(url_for(f"{name}.log_in"))

    @blueprint.get("/things")
    @requires("things.view")
    def list_things() -> str:
        return "things"

    @blueprint.get("/secrets")
    @requires("secrets.view")
    def list_secrets() -> str:
        return "secrets"

    @blueprint.get("/undeclared")
    def undeclared() -> str:
        return "nobody said who may see this"

    @blueprint.get("/write/<how>")
    @public
    def write(how: str):
        emit(g.scope.session, g.tenant.id, "test.written", {}, subject=how)
        if how == "crash":
            raise RuntimeError("boom: the password is hunter2")
        if how == "refuse":
            raise BusinessError
        if how == "keep":
            keep_changes()
        return how, {"good": 200, "bad": 422, "keep": 401}[how]

    return Portal(
        blueprint=blueprint,
        space="tenant",
        url_prefix=f"/{name}",
        realm=realm,
        load=load,
        login_endpoint=f"{name}.log_in",
        home_endpoint=f"{name}.show_home",
        right_label=lambda right: {"secrets.view": "Secrets · view"}[right],
        givers=lambda _right: [Giver("Wang Hai", "Administrator", "138 0271 5540")],
        near_matches=lambda _path: [NearMatch("things", "/things")],
    )


def _token() -> str:
    from flask_wtf.csrf import generate_csrf

    return str(generate_csrf())


@pytest.fixture
def app(settings):
    EPOCH["now"] = 1
    made = create_app(settings)
    register_portal(made, make_portal("alpha", "operators-of-the-test"))
    register_portal(made, make_portal("beta", "others-of-the-test"))
    yield made
    made.extensions["broadloom"].dispose()


@pytest.fixture
def at(tenant) -> str:
    return f"/t/{tenant.slug}"


def written(database, tenant_id: int) -> list[str]:
    with database.session(MAIN_CELL, PLATFORM_ROLE) as session:
        found = select(OutboxRow.subject).where(OutboxRow.topic == "test.written", OutboxRow.tenant_id == tenant_id)
        return list(session.scalars(found))


# ---- logins ----


def test_a_login_leads_back_to_the_page_that_was_asked_for(web: Web, at):
    assert "please sign in" in web.get(f"{at}/alpha/things").get_data(as_text=True)
    assert web.last.request.query_string.decode() == f"next={at.replace('/', '%2F')}%2Falpha%2Fthings".replace(
        "%2F", "/"
    )
    web.submit(f"{at}/alpha/login", {"next": f"{at}/alpha/things"})
    assert web.text() == "things"


@pytest.mark.parametrize(
    "evil", ["//evil.example/", "https://evil.example/", "/t/other/alpha/things", "/\\evil", "javascript:1"]
)
def test_a_login_never_leads_elsewhere(web: Web, at, tenant, evil):
    web.submit(f"{at}/alpha/login", {"next": evil})
    assert web.text() == f"home of Li Min at {tenant.slug}"


def test_a_login_counts_in_its_realm_only(web: Web, at):
    web.submit(f"{at}/alpha/login")
    assert web.get(f"{at}/alpha/things").get_data(as_text=True) == "things"
    assert "please sign in" in web.get(f"{at}/beta/things").get_data(as_text=True)


def test_a_login_counts_in_its_tenant_only_even_if_somebody_moves_the_cookie(web: Web, app, two_isps):
    one, other = two_isps
    web.submit(f"/t/{one.slug}/alpha/login")
    assert "please sign in" in web.get(f"/t/{other.slug}/alpha/things").get_data(as_text=True)
    stolen = web.client.get_cookie(f"bl_{one.slug}", path=f"/t/{one.slug}/").value
    thief = Web(app)
    thief.client.set_cookie(f"bl_{other.slug}", stolen, path=f"/t/{other.slug}/")
    assert "please sign in" in thief.get(f"/t/{other.slug}/alpha/things").get_data(as_text=True)


def test_logging_out_is_a_post_with_a_token(web: Web, at):
    web.submit(f"{at}/alpha/login")
    assert web.get(f"{at}/alpha/logout").status_code == 405
    assert web.client.post(f"{at}/alpha/logout").status_code == 400
    web.submit(f"{at}/alpha/login", to=f"{at}/alpha/logout")
    assert "please sign in" in web.get(f"{at}/alpha/things").get_data(as_text=True)


def test_a_login_ends_when_nothing_happens_and_a_page_refreshing_itself_is_nothing(web: Web, at, monkeypatch):
    web.submit(f"{at}/alpha/login")
    real = clock.now()
    monkeypatch.setattr(clock, "now", lambda: real + timedelta(minutes=20))
    web.get(f"{at}/alpha/things", headers={"X-Broadloom-Poll": "1"})
    monkeypatch.setattr(clock, "now", lambda: real + timedelta(minutes=40))
    assert "please sign in" in web.get(f"{at}/alpha/things").get_data(as_text=True)


def test_a_click_keeps_the_login_alive(web: Web, at, monkeypatch):
    web.submit(f"{at}/alpha/login")
    real = clock.now()
    for minutes in (20, 40, 60):
        monkeypatch.setattr(clock, "now", lambda m=minutes: real + timedelta(minutes=m))
        assert web.get(f"{at}/alpha/things").get_data(as_text=True) == "things"


def test_a_stale_epoch_ends_the_login(web: Web, at):
    web.submit(f"{at}/alpha/login")
    EPOCH["now"] = 2
    assert "please sign in" in web.get(f"{at}/alpha/things").get_data(as_text=True)


def test_a_login_makes_a_planted_token_worthless(web: Web, at):
    page = web.get(f"{at}/alpha/login").get_data(as_text=True)
    planted = page.split('value="')[1].split('"')[0]
    web.submit(f"{at}/alpha/login")
    assert web.client.post(f"{at}/alpha/logout", data={"csrf_token": planted}).status_code == 400


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(web: Web, app, settings, at):
    answer = web.client.get(f"{at}/alpha/login")
    cookie = next(c for c in answer.headers.getlist("Set-Cookie") if c.startswith("bl_"))
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert f"Path={at}/" in cookie
    secured = create_app(replace(settings, cookie_secure=True))
    assert secured.config["SESSION_COOKIE_SECURE"] is True


def test_a_ticket_enters_once_and_only_its_tenant(app, two_isps):
    one, other = two_isps
    with app.test_request_context("/"):
        path = ticket_path(Ticket(one.id, "alpha", 7, 1))
    assert "home of" not in Web(app).get(f"/t/{other.slug}{path}").get_data(as_text=True)
    assert Web(app).get(f"/t/{one.slug}{path}").get_data(as_text=True) == f"home of Li Min at {one.slug}"
    assert "please sign in" in Web(app).get(f"/t/{one.slug}{path}").get_data(as_text=True)
    assert "home of" not in Web(app).get(f"/t/{one.slug}/enter/made-up").get_data(as_text=True)


# ---- rights ----


def test_a_missing_right_is_named_with_who_can_give_it(web: Web, at):
    web.submit(f"{at}/alpha/login")
    answer = web.get(f"{at}/alpha/secrets")
    assert answer.status_code == 403
    assert "Secrets · view" in web.text()
    assert "Wang Hai" in web.text()


def test_a_route_that_declares_nothing_answers_nobody(web: Web, at):
    answer = web.get(f"{at}/alpha/undeclared")
    assert answer.status_code == 500
    assert "nobody said" not in answer.get_data(as_text=True)


# ---- unit of work ----


def test_only_what_succeeded_stays(web: Web, at, tenant, database):
    for how in ("good", "bad", "crash", "refuse", "keep"):
        web.get(f"{at}/alpha/write/{how}")
    assert sorted(written(database, tenant.id)) == ["good", "keep"]


def test_a_crash_shows_a_page_and_never_its_trace(web: Web, at):
    answer = web.get(f"{at}/alpha/write/crash")
    assert answer.status_code == 500
    assert "Something broke on our side" in web.text()
    assert "hunter2" not in answer.get_data(as_text=True)
    assert "Traceback" not in answer.get_data(as_text=True)


def test_a_refusal_inside_a_fragment_opens_as_a_panel(web: Web, at):
    answer = web.get(f"{at}/alpha/write/refuse", headers={"HX-Request": "true"})
    assert answer.status_code == 409
    assert answer.headers["HX-Retarget"] == "#panel"
    assert "<html" not in answer.get_data(as_text=True)


# ---- addresses ----


def test_host_path_and_own_domain_lead_to_the_same_tenant(app, settings, tenant, database):
    with database.session(MAIN_CELL, PLATFORM_ROLE) as session:
        domain = f"portal.{tenant.slug}.example"
        session.add(Hostname(hostname=domain, tenant_id=tenant.id, verified_at=clock.now()))
        session.add(Hostname(hostname=f"un{domain}", tenant_id=tenant.id))
        session.commit()
    for base in (f"http://{tenant.slug}.localhost", f"http://{domain}", f"http://localhost/t/{tenant.slug}"):
        client = app.test_client()
        assert client.get(f"{base}/alpha/login").status_code == 200
        answer = client.get(f"{base}/alpha/things")
        assert answer.status_code == 302
        assert answer.location.split("?")[0].endswith("/alpha/login")
        assert answer.location.startswith("/t/") == base.endswith(tenant.slug)
    assert app.test_client().get(f"http://un{domain}/alpha/login").status_code == 404
    assert app.test_client().get("http://localhost/alpha/login").status_code == 404


def test_an_unknown_provider_is_told_apart_from_an_unknown_page(web: Web, at):
    assert web.get("/t/nobody-here/alpha/").status_code == 404
    assert "There is no such provider" in web.text()
    assert web.get("/t/1/alpha/").status_code == 404
    assert web.get(f"{at}/alpha/nothing").status_code == 404
    assert "There is nothing here" in web.text()
    web.submit(f"{at}/alpha/login")
    web.get(f"{at}/alpha/nothing")
    assert "Looks much like it things" in web.text()
