"""Open an account in one form: customer, account, first purchase (SUB-2, OPS-13)."""

from sqlalchemy import func, select

from tenants.billing.models import Order
from tenants.subscribers.models import Account
from tests.fixtures.accounts import sell

GOOD = {
    "username": "wh10627",
    "password": "net-10627",
    "name": "Lin Wanqing",
    "phone": "13722904418",
    "quantity": "1",
    "method": "cash",
    "start": "now",
    "install_fee": "20",
}


def choices(desk) -> dict[str, str]:
    with desk.scope() as scope:
        plan = sell(scope, "Test 100M", price="50.00")
        scope.session.flush()
        region = scope.session.scalar(select(func.min(Account.region_id))) or 1
        return {"plan": str(plan.id), "region": str(region)}


def count(desk, model) -> int:
    with desk.scope() as scope:
        return scope.session.scalar(select(func.count()).select_from(model)) or 0


def test_an_account_is_opened_and_its_page_follows(desk):
    answer = desk.submit("/accounts/new", GOOD | choices(desk))
    assert answer.status_code == 200, desk.text()
    assert "Opened wh10627." in desk.text()
    assert "Lin Wanqing" in desk.text()
    with desk.scope() as scope:
        order = scope.session.scalars(select(Order)).one()
        assert order.total == 70  # 50.00 × 1 + install fee 20.00


def test_the_preview_is_what_is_booked(desk):
    fields = GOOD | choices(desk) | {"quantity": "3"}
    shown = desk.submit("/accounts/new", fields, to="/accounts/new/preview")
    assert "Open the account for" in desk.text()
    assert "170.00" in desk.text()  # 50.00 × 3 + 20.00
    assert shown.status_code == 200
    assert count(desk, Account) == 0
    desk.submit("/accounts/new", fields)
    with desk.scope() as scope:
        assert scope.session.scalars(select(Order.total)).one() == 170


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(desk):
    fields = GOOD | choices(desk)
    wrong = {"username": "with space", "phone": "abc", "install_fee": "1.234"}
    answer = desk.submit("/accounts/new", fields | wrong)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert 'id="f-install_fee-note"' in page
    assert 'value="with space"' in page
    assert "Lin Wanqing" in page
    answer = desk.submit("/accounts/new", fields | {"username": "with space"})
    assert answer.status_code == 422
    assert 'id="f-username-note"' in answer.get_data(as_text=True)
    assert count(desk, Account) == 0


def test_a_name_that_is_taken_is_refused(desk):
    fields = GOOD | choices(desk)
    desk.submit("/accounts/new", fields)
    answer = desk.submit("/accounts/new", fields)
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.get_data(as_text=True)
    assert count(desk, Account) == 1


def test_the_same_form_sent_twice_opens_once(desk):
    fields = GOOD | choices(desk) | {"key": "k" * 24}
    desk.submit("/accounts/new", fields)
    answer = desk.submit("/accounts/new", fields)
    assert answer.status_code == 200
    assert count(desk, Account) == 1
    assert count(desk, Order) == 1


def test_another_tenants_plan_is_no_choice(desk, make_tenant):
    other = make_tenant()
    fields = GOOD | choices(desk)
    assert other.id != desk.tenant.id
    answer = desk.submit("/accounts/new", fields | {"plan": "999999"})
    assert answer.status_code == 422
    assert "Choose one of these." in desk.text()


def test_timing_may_begin_at_the_first_login(desk):
    desk.submit("/accounts/new", GOOD | choices(desk) | {"start": "first-login"})
    assert "Not activated" in desk.text()
