"""Issue 3's "Bad input, named" at the desk: 422 with a sentence, what was typed stays, nothing booked."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from infra import clock
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.hold import Hold, hold
from tenants.billing.models import Order
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.settle import Settle, settle
from tenants.catalog.find import find_plan
from tenants.network.models import Region
from tenants.subscribers.models import Account
from tests.fixtures.accounts import OWNER, open_one, sell


@pytest.fixture
def account_id(desk) -> int:
    with desk.scope() as scope:
        month = sell(scope, "Home month", price="50.00", group="Home")
        scope.session.add(Region(name="East"))
        scope.session.flush()
        sell(scope, "Fast month", price="80.00", group="Fast")
        sell(scope, "East month", price="80.00", group="Home", regions=["East"])
        sell(scope, "New month", price="80.00", group="Home", usage="new")
        return open_one(scope, "sz28403", month)


def run(desk, operation: Any, command: Any) -> Any:
    with desk.scope() as scope:
        return operation(scope, command, actor=OWNER, now=clock.now())


def seen(desk, account_id: int) -> tuple[Any, ...]:
    with desk.scope() as scope:
        account = scope.session.get_one(Account, account_id)
        orders = scope.session.scalar(select(func.count()).select_from(Order))
        return orders, account.plan_id, account.expires_at, account.state, account.balance


def refuse(desk, account_id: int, operation: str, fields: dict[str, str]) -> str:
    """The page's text after a refusal."""
    before = seen(desk, account_id)
    page = f"/accounts/{account_id}/op/{operation}"
    answer = desk.submit(page, fields, to=page)
    assert answer.status_code in (409, 422), answer.status_code
    assert seen(desk, account_id) == before
    return desk.text()


@pytest.mark.parametrize("plan", ["Fast month", "East month", "New month", "nothing"])
def test_plans_that_may_not_be_sold(desk, account_id, plan):
    with desk.scope() as scope:
        plan_id = "999999" if plan == "nothing" else str(find_plan(scope, plan).id)
    refuse(desk, account_id, "renew", {"plan": plan_id, "quantity": "1", "method": "cash"})


@pytest.mark.parametrize("amount", ["1.234", "NaN", "1000000000000000", "-1000", "0"])
def test_amounts(desk, account_id, amount):
    refuse(desk, account_id, "top-up", {"amount": amount, "reason": "x"})


@pytest.mark.parametrize("fee", ["1.234", "NaN", "1000000000000000", "-1"])
def test_fees(desk, account_id, fee):
    refuse(desk, account_id, "hold", {"fee": fee, "reason": "x"})


@pytest.mark.parametrize(
    ("operation", "command", "sentence"),
    [
        (close, Close, "closed"),
        (hold, Hold, "on hold"),
        (disable, Disable, "disabled"),
        (set_never_expires, lambda account: SetNeverExpires(account, True), "never expires"),
    ],
)
def test_states(desk, account_id, operation, command, sentence):
    with desk.scope() as scope:
        plan_id = str(find_plan(scope, "Home month").id)
    desk.get(f"/accounts/{account_id}/op/renew")  # the panel was open when somebody else did it
    run(desk, operation, command(account_id))
    text = refuse(desk, account_id, "renew", {"plan": plan_id, "quantity": "1", "method": "cash"})
    assert sentence in text


def test_what_is_not_there_cannot_be_ended(desk, account_id):
    assert "not on hold" in refuse(desk, account_id, "resume", {"fee": "0"})
    assert "arrears" in refuse(desk, account_id, "cancel-arrears", {})


def test_a_settled_order_stays(desk, account_id):
    with desk.scope() as scope:
        plan_id = find_plan(scope, "Home month").id
    run(desk, buy, Buy(account_id, plan_id))
    with desk.scope() as scope:
        settle(scope, Settle(0, clock.now() + timedelta(seconds=1)), actor=OWNER, now=clock.now())
    refuse(desk, account_id, "reverse", {"reason": "x"})


def test_the_same_key_with_other_content(desk, account_id):
    page = f"/accounts/{account_id}/op/top-up"
    desk.submit(page, {"amount": "5", "reason": "x", "key": "k" * 24})
    refuse(desk, account_id, "top-up", {"amount": "6", "reason": "x", "key": "k" * 24})


@pytest.mark.parametrize(
    "address",
    ["/accounts/99999999999999999999/", "/plans/99999999999/", "/orders/D%00", "/accounts/?q=a%00b", "/orders/?q=%00"],
)
def test_addresses_that_no_database_holds(desk, address):
    answer = desk.get(address)
    assert answer.status_code == 404
    assert "Something broke" not in answer.get_data(as_text=True)


def test_orders_that_end_arrears_say_so(desk, account_id):
    with desk.scope() as scope:
        plan_id = find_plan(scope, "Home month").id
    run(desk, buy, Buy(account_id, plan_id, method="arrears"))
    cancelled = run(desk, cancel_arrears, CancelArrears(account_id))
    page = desk.get(f"/orders/{cancelled.order.number}").get_data(as_text=True)
    assert "This order cancels one that was bought on arrears." in page
    assert "No longer owed" in page
    assert "Paid back" not in page + desk.get(f"/orders/{cancelled.order.number}/receipt").get_data(as_text=True)
