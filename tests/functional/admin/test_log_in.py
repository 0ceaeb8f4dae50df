"""Staff sign in and out, and choose a password of their own (STF-4, STF-5, STF-7)."""

from sqlalchemy import select

from infra import clock
from tenants.audit.models import LoginEntry
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.find import find_role
from tests.fixtures.accounts import OWNER
from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web


def test_the_owner_signs_in_with_name_or_e_mail(web: Web, tenant, desk):
    assert "Sign out" in desk.get("/").get_data(as_text=True)
    other = Web(web.client.application)
    other.submit(f"{desk.at}/login", {"username": f"owner@{tenant.slug}.example", "password": OWNER_PASSWORD})
    assert "Sign out" in other.text()


def test_a_wrong_password_says_only_that_something_was_wrong_and_keeps_the_name(web: Web, tenant):
    answer = web.submit(f"/t/{tenant.slug}/admin/login", {"username": "admin", "password": "nope-nope-nope"})
    assert answer.status_code == 422
    assert 'value="admin"' in answer.get_data(as_text=True)
    assert "nope-nope-nope" not in answer.get_data(as_text=True)
    unknown = web.submit(f"/t/{tenant.slug}/admin/login", {"username": "nobody", "password": "nope-nope-nope"})
    assert unknown.status_code == 422


def test_signing_out_ends_it(desk):
    before = clock.now()
    desk.submit("/", to="/logout")
    with desk.scope() as scope:
        entry = scope.session.scalars(select(LoginEntry).where(LoginEntry.realm == "admin")).one()
    assert before <= entry.ended_at <= clock.now()
    assert "Staff of" in desk.text()
    desk.get("/accounts/")
    assert "Staff of" in desk.text()


def test_the_first_sign_in_asks_for_a_password_of_ones_own(desk, web: Web):
    with desk.scope() as scope:
        role_id = find_role(scope, "cashier").id
        add_operator(scope, AddOperator("liying", OWNER_PASSWORD, role_id), actor=OWNER, now=clock.now())
    person = type(desk)(Web(web.client.application), desk.tenant, desk.database).sign_in("liying")
    person.get("/accounts/")
    assert "Somebody else knows your password" in person.text()
    fields = {"old_password": OWNER_PASSWORD, "new_password": "other-words-88", "new_password_again": "other-words-89"}
    assert person.submit("/password", fields).status_code == 422
    assert "The two new passwords differ." in person.text()
    person.submit("/password", fields | {"new_password_again": "other-words-88"})
    assert "Your password is changed" in person.text()
    assert person.get("/accounts/").status_code == 200


def test_every_try_stands_in_the_login_log(desk, web: Web):
    visitor = Web(web.client.application)
    visitor.submit(f"{desk.at}/login", {"username": "admin", "password": "wrong-wrong-1"})
    desk.get("/log/logins")
    assert "wrong password" in desk.text()
    assert "signed in" in desk.text()
