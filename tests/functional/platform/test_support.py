"""A support login (TEN-5): a reason, an end, both logs, a banner, and no secrets."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from sqlalchemy import select, update

from infra import clock
from infra.tenant_scope import tenant_scope, unscoped
from tenants.audit.models import AuditEntry
from tenants.registry.models import SupportLogin
from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web
from tests.functional.platform.conftest import EMAIL

REASON = "ticket 2041: still read-only"


def begin(ops, tenant, **fields):
    return ops.submit(f"tenants/{tenant.id}/support", {"reason": REASON, "minutes": "30", **fields})


def support_id(ops):
    return int(ops.web.last.request.path.rpartition("/")[2])


def enter(ops, tenant):
    begin(ops, tenant)
    number = support_id(ops)
    ops.web.get(way_in(ops, number))
    return number


def way_in(ops, number):
    """The ticket's address beneath the tenant (the test client knows one host only)."""
    location = ops.web.client.get(f"/platform/support/{number}/enter").location
    return urlsplit(location).path


def tenant_log(ops, tenant):
    with tenant_scope(ops.database, tenant) as scope:
        entries = scope.session.scalars(
            select(AuditEntry).where(AuditEntry.object_kind == "support_login").order_by(AuditEntry.id)
        )
        return [(entry.action, entry.actor_kind, entry.actor_name, entry.reason) for entry in entries]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"reason": ""}, "Fill this in."),
        ({"reason": "abc"}, "A reason is needed"),
        ({"minutes": "61"}, "At most 60."),
        ({"minutes": "0"}, "At least 1."),
        ({"minutes": "x"}, "Enter a whole number."),
    ],
)
def test_without_reason_or_beyond_an_hour_nobody_enters(ops, tenant, fields, sentence):
    assert sentence in begin(ops, tenant, **fields)
    assert ops.status == 422
    assert tenant_log(ops, tenant) == []


def test_entering_stands_in_both_logs_and_on_top_of_every_page(ops, tenant):
    enter(ops, tenant)
    page = ops.web.text()
    assert ops.web.last.request.path.endswith("/admin/")
    assert f"Support login of {EMAIL}" in page
    assert REASON in page
    assert tenant_log(ops, tenant) == [("support.start", "platform", EMAIL, REASON)]
    assert ops.log()[-1] == "support.start"
    assert f"Support login of {EMAIL}" in _page(ops, tenant, "accounts/")


def _page(ops, tenant, path):
    ops.web.get(f"/t/{tenant.slug}/admin/{path}")
    return ops.web.text()


def test_the_owner_sees_who_is_inside_and_ends_it(ops, tenant):
    number = enter(ops, tenant)
    owner = Web(ops.app)
    admin = f"/t/{tenant.slug}/admin/"
    owner.submit(f"{admin}login", {"username": f"owner@{tenant.slug}.example", "password": OWNER_PASSWORD})
    assert f"{EMAIL} of the platform is in your administration until" in owner.text()
    owner.submit(admin, to=f"{admin}support/{number}/end")
    assert "The support login is ended." in owner.text()
    ops.web.get(admin)
    assert "Sign in" in ops.web.text()
    assert tenant_log(ops, tenant)[-1][0] == "support.end"


def test_it_ends_by_itself(ops, tenant):
    number = enter(ops, tenant)
    past = clock.now() - timedelta(minutes=31)
    with unscoped(ops.database, reason="test lets time pass") as session:
        row = update(SupportLogin).where(SupportLogin.id == number)
        session.execute(row.values(started_at=past, ends_at=past + timedelta(minutes=30)))
    assert "Sign in" in _page(ops, tenant, "")
    assert "The support login is over." in ops.web.text()


def test_the_platform_ends_it_from_outside_and_the_supporter_from_inside(ops, tenant):
    number = enter(ops, tenant)
    assert "The support login is ended." in ops.submit("support/", to=f"support/{number}/end")
    assert "Sign in" in _page(ops, tenant, "")
    number = enter(ops, tenant)
    admin = f"/t/{tenant.slug}/admin/"
    ops.web.submit(admin, to=f"{admin}support/{number}/end")
    assert "Sign in" in ops.web.text()


def test_inside_there_are_no_secrets_and_no_money(ops, tenant):
    enter(ops, tenant)
    assert ops.web.get(f"/t/{tenant.slug}/admin/staff/new").status_code in (403, 404)
    with tenant_scope(ops.database, tenant) as scope:
        from tenants.registry.support_login import all_running_support
        from tenants.staff.support_actor import support_actor

        actor = support_actor(all_running_support(scope, clock.now())[0], "")
    for right in ("nas.secret", "op.query_password", "op.reset_password", "pay.cash", "op.top_up", "accounts.export"):
        assert not actor.may(right)
    assert actor.may("accounts.view")


def test_a_ticket_works_once_and_only_for_whoever_began_it(ops, tenant, make_tenant):
    begin(ops, tenant)
    number = support_id(ops)
    ticket = way_in(ops, number)
    other = Web(ops.app)
    other.get(ticket)
    assert "Support login of" in other.text()
    again = Web(ops.app)
    again.get(ticket)
    assert "This link has been used or is too old." in again.text()
    elsewhere = Web(ops.app)
    elsewhere.get(ticket.replace(tenant.slug, make_tenant().slug))
    assert "Support login of" not in elsewhere.text()
