"""One operation on many subscribers; each fails alone (SUB-7)."""

import pytest
from sqlalchemy import select

from infra.outbox import OutboxRow
from tenants.subscribers.models import Account
from tests.fixtures.accounts import go_online, open_one, sell


@pytest.fixture
def ids(desk) -> list[str]:
    with desk.scope() as scope:
        plan = sell(scope)
        made = [open_one(scope, f"u{number}", plan, name=f"Person {number}") for number in range(3)]
        go_online(scope, made[0])
    return [str(account_id) for account_id in made]


def states(desk) -> list[str]:
    with desk.scope() as scope:
        return list(scope.session.scalars(select(Account.state).order_by(Account.username)))


def test_chosen_rows_are_shown_first_and_then_done(desk, ids):
    desk.submit("/accounts/", {"id": ids[:2]}, to="/accounts/bulk/disable")
    assert "2 subscribers chosen" in desk.text()
    assert states(desk) == ["active"] * 3
    desk.submit("/accounts/", {"id": ids[:2], "reason": "flood"}, to="/accounts/bulk/disable/do")
    assert "done for 2 subscribers" in desk.text()
    assert states(desk) == ["disabled", "disabled", "active"]


def test_what_cannot_be_done_is_told_with_its_reason(desk, ids):
    desk.submit(f"/accounts/{ids[1]}/op/close", {"amount": "", "reason": ""})
    desk.submit("/accounts/", {"id": ids, "reason": ""}, to="/accounts/bulk/disable/do")
    assert "done for 2 subscribers" in desk.text()
    assert "Not done for 1 subscriber" in desk.text()
    assert "u1" in desk.text()


def test_everything_a_filter_shows(desk, ids):
    desk.submit("/accounts/", {"all": "1", "filter_q": "Person 2"}, to="/accounts/bulk/kick")
    assert "1 subscriber chosen" in desk.text()


def test_disconnecting_and_extending(desk, ids):
    desk.submit("/accounts/", {"id": ids}, to="/accounts/bulk/kick/do")
    assert "done for 1 subscriber" in desk.text()
    assert "Nobody is online with it." in desk.text()
    with desk.scope() as scope:
        assert len(scope.session.scalars(select(OutboxRow).where(OutboxRow.topic == "radius.disconnect")).all()) == 1
        before = scope.session.scalars(select(Account.expires_at).order_by(Account.username)).all()
    assert (
        desk.submit("/accounts/", {"id": ids, "days": "3", "reason": ""}, to="/accounts/bulk/extend/do").status_code
        == 422
    )
    desk.submit("/accounts/", {"id": ids, "days": "3", "reason": "outage"}, to="/accounts/bulk/extend/do")
    with desk.scope() as scope:
        after = scope.session.scalars(select(Account.expires_at).order_by(Account.username)).all()
    assert [(new - old).days for old, new in zip(before, after, strict=True)] == [3, 3, 3]


def test_it_needs_both_rights(desk, ids, web):
    desk.hire("clerk", "accounts.view", "accounts.bulk")
    clerk = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("clerk")
    assert clerk.submit("/accounts/", {"id": ids, "reason": ""}, to="/accounts/bulk/disable/do").status_code == 403
    assert states(desk) == ["active"] * 3
