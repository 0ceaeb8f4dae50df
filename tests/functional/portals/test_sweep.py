"""Sweeps over every address: who is not signed in sees nothing, and another tenant's login or thing is none."""

import re

import pytest
from werkzeug.routing import Rule

from infra import clock
from infra.tenant_scope import tenant_scope
from portals.shared.access import access_of
from portals.shared.addresses import TENANT
from tenants.kernel.actor import SYSTEM
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.find import find_nas
from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web


def address(rule: Rule, slug: str) -> str:
    """An address that the rule matches, with something harmless in its places."""
    path = re.sub(r"<int:\w+>", "1", rule.rule)
    path = re.sub(r"<(?:\w+:)?\w+>", "x", path)
    return f"/t/{slug}{path}" if rule.subdomain == TENANT else path


def closed_rules(app):
    for rule in app.url_map.iter_rules():
        access = access_of(app, rule.endpoint)
        if access is not None and access.kind != "public":
            yield rule


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def csrf_token(web: Web, path: str) -> str:
    return web.get(path).get_data(as_text=True).split('name="csrf-token" content="')[1].split('"')[0]


def test_nobody_who_is_not_signed_in_gets_past_the_door(app, tenant):
    visitor = Web(app)
    token = csrf_token(visitor, "/login")
    for rule in closed_rules(app):
        for method in methods(rule):
            answer = visitor.client.open(address(rule, tenant.slug), method=method, headers={"X-CSRFToken": token})
            assert answer.status_code == 302, (method, rule.rule, answer.status_code)
            assert "/login" in answer.location, (method, rule.rule, answer.location)


def test_a_fragment_sends_who_is_not_signed_in_to_the_login(app, tenant):
    visitor = Web(app)
    for rule in closed_rules(app):
        if "GET" in methods(rule):
            answer = visitor.client.get(address(rule, tenant.slug), headers={"HX-Request": "true"})
            assert answer.status_code == 401, rule.rule
            assert "/login" in answer.headers["HX-Redirect"]


def test_the_owner_of_one_provider_is_nobody_at_another(app, two_isps):
    one, other = two_isps
    if "admin" not in app.extensions["broadloom_portals"]:
        pytest.skip("there is no administration yet")
    owner = Web(app)
    owner.submit(f"/t/{one.slug}/admin/login", {"username": "admin", "password": OWNER_PASSWORD})
    assert owner.client.get(f"/t/{one.slug}/admin/").status_code == 200
    moved = owner.client.get_cookie(f"bl_{one.slug}", path=f"/t/{one.slug}/")
    assert moved is not None
    owner.client.set_cookie(f"bl_{other.slug}", moved.value, path=f"/t/{other.slug}/")
    for rule in closed_rules(app):
        if rule.subdomain == TENANT and "GET" in methods(rule):
            answer = owner.client.get(address(rule, other.slug))
            assert answer.status_code == 302, (rule.rule, answer.status_code)
            assert "/login" in answer.location


def test_no_page_of_the_owner_breaks(app, tenant):
    """Every page without a number in its address answers, in both languages; with one, it answers 404 or a page."""
    if "admin" not in app.extensions["broadloom_portals"]:
        pytest.skip("there is no administration yet")
    for language in ("en", "zh"):
        owner = Web(app, language)
        owner.submit(f"/t/{tenant.slug}/admin/login", {"username": "admin", "password": OWNER_PASSWORD})
        for rule in closed_rules(app):
            if rule.endpoint.startswith("admin.") and "GET" in methods(rule):
                answer = owner.client.get(address(rule, tenant.slug))
                allowed = (200, 302, 303) if not rule.arguments else (200, 302, 303, 404, 409)
                assert answer.status_code in allowed, (rule.rule, answer.status_code)


def test_another_providers_router_is_as_unknown_as_none(app, two_isps, database):
    """Routers are the only things whose numbers are shared by all providers."""
    one, other = two_isps
    with tenant_scope(database, other) as scope:
        theirs = add_nas(scope, AddNas("mikrotik", name="theirs"), actor=SYSTEM, now=clock.now()).nas_id
    owner = Web(app)
    owner.submit(f"/t/{one.slug}/admin/login", {"username": "admin", "password": OWNER_PASSWORD})
    token = (
        owner.get(f"/t/{one.slug}/admin/").get_data(as_text=True).split('name="csrf-token" content="')[1].split('"')[0]
    )
    seen = 0
    for rule in closed_rules(app):
        if "nas_id" not in rule.arguments:
            continue
        path = address(rule, one.slug).replace("/1/", f"/{theirs}/")
        for method in methods(rule):
            answer = owner.client.open(path, method=method, headers={"X-CSRFToken": token})
            assert answer.status_code == 404, (method, path, answer.status_code)
            assert "theirs" not in answer.get_data(as_text=True)
            seen += 1
    assert seen >= 5
    with tenant_scope(database, other) as scope:
        assert find_nas(scope, theirs).name == "theirs"
