"""Sweep over every address of the staff's portal, generated from ``app.url_map``: another tenant's things are 404,
a missing right is 403 and named (style.md rule 8). A new route is swept without anybody thinking of it.
"""

import re

import pytest

from portals.shared.access import access_of
from tenants.registry.models import Nas
from tenants.staff.permissions import LABELS
from tests.fixtures.accounts import open_one, sell
from tests.functional.admin.conftest import Desk

NOBODYS = "987654321"
# Ending a support login that is over already is no failure: whoever asks for it has what he wants.
HARMLESS = {"admin.end_support"}


@pytest.fixture
def token(desk: Desk) -> dict[str, str]:
    page = desk.get("/").get_data(as_text=True)
    return {"X-CSRFToken": page.split('name="csrf-token" content="')[1].split('"')[0]}


def addresses(desk: Desk, values: dict[str, str], *, with_arguments: bool):
    """(endpoint, method, path) of every rule, its places filled in."""
    for rule in desk.web.client.application.url_map.iter_rules():
        if (
            not rule.endpoint.startswith("admin.")
            or rule.endpoint in HARMLESS
            or bool(rule.arguments - {"group"}) != with_arguments
        ):
            continue
        path = re.sub(r"<(?:\w+:)?(\w+)>", lambda found: values.get(found.group(1), NOBODYS), rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield rule.endpoint, method, path.removeprefix("/admin")


def test_another_tenants_things_are_as_unknown_as_none(desk, make_tenant, web, token, database):
    other = make_tenant()
    there = Desk(type(web)(web.client.application), other, database).sign_in()
    there.submit("/routers/new", {"name": "Theirs", "vendor": "mikrotik", "auth_mode": "identifier",
                                  "message_authenticator": "required"})  # fmt: skip
    with there.scope() as scope:
        nas_id = scope.registry.query(Nas.id).filter(Nas.tenant_id == other.id).scalar()
        account_id = open_one(scope, "charlie", sell(scope))
    values = {"nas_id": str(nas_id), "account_id": str(account_id), "name": "renew"}
    for endpoint, method, path in addresses(desk, values, with_arguments=True):
        answer = desk.web.client.open(f"{desk.at}{path}", method=method, headers=token)
        assert answer.status_code == 404, (endpoint, method, path, answer.status_code)
        assert "charlie" not in answer.get_data(as_text=True), endpoint


def test_a_missing_right_is_named(desk, web, token):
    desk.hire("nobody", "files.upload")
    nobody = Desk(type(web)(web.client.application), desk.tenant, desk.database).sign_in("nobody")
    page = nobody.get("/").get_data(as_text=True)
    headers = {"X-CSRFToken": page.split('name="csrf-token" content="')[1].split('"')[0]}
    swept = 0
    app = desk.web.client.application
    for with_arguments in (True, False):
        for endpoint, method, path in addresses(desk, {"name": "renew"}, with_arguments=with_arguments):
            access = access_of(app, endpoint)
            assert access is not None, endpoint
            if access.kind != "right":
                continue
            answer = nobody.web.client.open(f"{nobody.at}{path}", method=method, headers=headers)
            assert answer.status_code == 403, (endpoint, method, answer.status_code)
            assert LABELS[access.right] in answer.get_data(as_text=True).replace("&#39;", "'"), endpoint
            swept += 1
    assert swept > 60


def test_every_right_that_a_route_asks_for_can_be_given(app):
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("admin."):
            access = access_of(app, rule.endpoint)
            assert access is not None, rule.endpoint
            assert access.kind != "right" or access.right in LABELS, rule.endpoint
