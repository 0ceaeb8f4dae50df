"""Signing in to self-service (SLF-1): account and password, and nobody else's."""

from datetime import timedelta

from sqlalchemy import select

from infra import clock
from infra.tenant_scope import tenant_scope
from tenants.audit.models import LoginEntry
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.kernel.actor import Actor
from tenants.registry.suspend import suspend_tenant
from tests.functional.selfcare.conftest import PASSWORD


def log_of(sub):
    def read(scope):
        return [(e.subject, e.result) for e in scope.session.scalars(select(LoginEntry).order_by(LoginEntry.id))]

    return sub.read(read)


def test_account_and_password_lead_home(make_sub):
    sub = make_sub()
    sub.sign_in()
    assert "My broadband" in sub.web.text()
    assert "chen" in sub.web.text()
    assert log_of(sub) == [("chen", "ok")]


def test_wrong_password_and_unknown_account_are_told_apart_by_nobody(make_sub):
    sub = make_sub()
    sub.sign_in("wrong")
    wrong, status = sub.web.text(), sub.status
    sub.submit("login", {"username": "nobody", "password": "wrong"})
    assert status == sub.status == 422
    assert "The user name or the password is wrong." in wrong
    assert "The user name or the password is wrong." in sub.web.text()
    assert log_of(sub) == [("chen", "wrong_password"), ("nobody", "unknown")]


def test_the_typed_name_stays_and_the_password_does_not(make_sub):
    sub = make_sub()
    sub.sign_in("not-this-one")
    page = sub.web.last.get_data(as_text=True)
    assert 'value="chen"' in page
    assert "not-this-one" not in page


def test_empty_fields_are_said_beside_them(make_sub):
    sub = make_sub()
    sub.submit("login", {"username": "", "password": ""})
    assert sub.status == 422
    assert sub.web.last.get_data(as_text=True).count("f-err") == 2


def test_guessing_is_slowed_down_also_from_other_addresses(make_sub):
    sub = make_sub()
    for number in range(5):
        sub.web.submit(
            f"{sub.path}login",
            {"username": "chen", "password": "guess"},
            environ_base={"REMOTE_ADDR": f"203.0.113.{number}"},
        )
    sub.sign_in()  # right, but too early
    assert "Too many wrong passwords" in sub.web.text()
    assert log_of(sub)[-1] == ("chen", "locked")


def test_a_name_that_another_tenant_has_too_opens_only_the_own_account(make_sub, two_isps):
    ours = make_sub(tenant=two_isps[0], name="Ours")
    theirs = make_sub(tenant=two_isps[1], name="Theirs")
    with tenant_scope(theirs.database, theirs.tenant) as scope:
        from tenants.subscribers.password import reset_password
        from tests.fixtures.accounts import OWNER

        reset_password(scope, theirs.account_id, "another-2", actor=OWNER, now=clock.now())
    ours.sign_in("another-2")
    assert ours.status == 422  # their password is worth nothing here
    ours.sign_in()
    assert "Ours" in ours.get()
    ours.web.get(theirs.path)  # and our login is none at their entrance
    assert "Sign in" in ours.web.text()
    assert "Theirs" not in ours.web.text()


def test_a_disabled_account_may_enter_and_reads_why(make_sub):
    sub = make_sub()
    sub.run(disable, Disable(sub.account_id, "fraud"))
    sub.sign_in()
    assert "Your provider has switched this account off." in sub.web.text()
    assert "fraud" not in sub.web.text()


def test_a_closed_account_is_no_account(make_sub):
    sub = make_sub()
    sub.sign_in()
    sub.run(close, Close(sub.account_id))
    assert "Sign in" in sub.get()  # also the login that was open
    sub.sign_in()
    assert "The user name or the password is wrong." in sub.web.text()


def test_signing_out_ends_it(sub):
    sub.submit("me", to="logout")
    assert "Sign in" in sub.get()


def test_after_signing_in_one_is_where_one_wanted_to_go(make_sub):
    sub = make_sub()
    sub.web.get(f"{sub.path}orders/")
    sub.web.submit(f"{sub.path}login?next={sub.path}orders/", {"username": "chen", "password": PASSWORD})
    assert sub.web.last.request.path.endswith("/orders/")


def test_a_suspended_provider_closes_self_service_without_saying_why(sub):
    suspend_tenant(
        sub.database,
        sub.tenant.id,
        "owes 9 months",
        actor=Actor("platform", 1, "ops", everything=True),
        now=clock.now() + timedelta(seconds=1),
    )
    page = sub.get()
    assert sub.status == 403
    assert "These pages are closed at the moment" in page
    assert "9 months" not in page
