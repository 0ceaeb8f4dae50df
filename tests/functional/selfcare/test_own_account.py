"""Own data: password, profile, auto-renewal, device (SLF-4, SLF-10)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from infra import clock
from infra.outbox import OutboxRow
from tenants.audit.models import AuditEntry
from tenants.catalog.models import Plan
from tenants.subscribers.find import find_account, find_customer
from tenants.subscribers.password import open_password
from tests.fixtures.accounts import go_online, open_one
from tests.functional.selfcare.conftest import PASSWORD


def password_of(sub):
    return sub.read(lambda scope: open_password(scope, find_account(scope, sub.account_id)))


def change(sub, old=PASSWORD, new="better-77", again=None):
    fields = {"old_password": old, "new_password": new, "new_password_again": new if again is None else again}
    return sub.submit("me/password", fields)


def test_a_new_password_counts_for_the_router_and_ends_other_sign_ins(sub):
    other = sub.sign_in(web=sub.other_browser())
    assert "Your password is changed." in change(sub)
    assert password_of(sub) == "better-77"
    assert "chen" in sub.get()  # still in
    other.get(sub.path)
    assert "Sign in" in other.text()  # the other browser is not
    assert "My broadband" in sub.sign_in("better-77", web=sub.other_browser()).text()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"old": "not-it"}, "wrong"),
        ({"new": "ab1"}, "Use at least 6 characters"),
        ({"new": "aaaaaaaa"}, "Use at least 6 characters"),
        ({"new": PASSWORD}, "The new password is the old one"),
        ({"again": "something else"}, "The two new passwords differ."),
        ({"new": "", "again": ""}, "Fill this in."),
    ],
)
def test_a_password_that_will_not_do_changes_nothing(sub, fields, sentence):
    assert sentence in change(sub, **fields)
    assert sub.status == 422
    assert password_of(sub) == PASSWORD


def test_phone_mail_and_address_are_kept_and_logged(sub):
    page = sub.submit("me/profile", {"phone": "138 0013 8000", "email": "chen@example.com", "address": "Taoyuan Rd 8"})
    assert "Saved." in page
    assert "Taoyuan Rd 8" in page

    def read(scope):
        entry = scope.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        return (
            find_customer(scope, find_account(scope, sub.account_id).customer_id).phone,
            entry.actor_kind,
            entry.action,
        )

    assert sub.read(read) == ("138 0013 8000", "subscriber", "customer.edit")


def test_wrong_data_is_said_beside_the_field_and_stays(sub):
    page = sub.submit("me/profile", {"phone": "call me", "email": "nowhere", "address": "here"})
    assert sub.status == 422
    assert "is not a phone number" in page
    assert "is not an e-mail address" in page
    assert 'value="call me"' in sub.web.last.get_data(as_text=True)


def test_auto_renewal_is_switched_on_and_off(sub):
    assert "From now on the plan renews itself" in sub.submit("me", {"on": "1"}, to="me/auto-renew")
    assert sub.read(lambda scope: find_account(scope, sub.account_id).auto_renew) is True
    assert "no longer renews itself" in sub.submit("me", {"on": "0"}, to="me/auto-renew")
    assert sub.read(lambda scope: find_account(scope, sub.account_id).auto_renew) is False


def bind(sub):
    def write(scope):
        find_account(scope, sub.account_id).bind_mac = "aa:bb:cc:dd:ee:ff"

    sub.read(write)


def test_the_own_device_is_unbound_where_the_provider_allows_it(sub):
    bind(sub)
    sub.set(selfcare_unbind="1")
    assert "New router? Unbind" in sub.get("me")
    assert "The old device is unbound." in sub.submit("me", to="me/unbind")
    assert sub.read(lambda scope: find_account(scope, sub.account_id).bind_mac) == "learn"


def test_and_not_where_it_does_not(sub):
    bind(sub)
    assert "New router? Unbind" not in sub.get("me")
    sub.submit("me", to="me/unbind")
    assert sub.status == 403
    assert sub.read(lambda scope: find_account(scope, sub.account_id).bind_mac) == "aa:bb:cc:dd:ee:ff"


def test_only_the_own_sessions_can_be_ended(sub):
    def online(scope):
        go_online(scope, sub.account_id, "mine-1", at=clock.now() - timedelta(hours=1))
        go_online(scope, sub.account_id, "mine-2")
        other = open_one(scope, "other", scope.session.get(Plan, sub.plans["month"]))
        go_online(scope, other, "theirs")

    sub.read(online)

    def requested():
        return sorted(
            sub.read(
                lambda scope: scope.session.scalars(
                    select(OutboxRow.payload["session_id"].astext).where(
                        OutboxRow.tenant_id == scope.tenant_id, OutboxRow.topic == "radius.disconnect"
                    )
                ).all()
            )
        )

    page = sub.submit("sessions/", {"nas_id": 1, "session_id": "theirs"}, to="connection/end")
    assert "There is no open connection." in page
    assert requested() == []
    page = sub.submit("sessions/", {"nas_id": 1, "session_id": "mine-2"}, to="connection/end")
    assert "The connection is being ended" in page
    assert requested() == ["mine-2"]
    sub.submit("", to="connection/end")  # from home: all of the own ones
    assert requested() == ["mine-1", "mine-2"]
