"""Every operation panel: opens, previews, books once, refuses with a sentence (OPS-1 … OPS-13)."""

import re
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import func, select

from infra import clock
from portals.admin.operations_table import OPERATIONS
from tenants.billing.buy import Buy, buy
from tenants.billing.models import Order
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.find import find_plan
from tenants.network.add_region import RegionForm, add_region
from tenants.subscribers.create_account import CreateAccount
from tenants.subscribers.find import find_account
from tenants.subscribers.models import Account
from tests.fixtures.accounts import OWNER, open_one, sell


@pytest.fixture
def account_id(desk) -> int:
    with desk.scope() as scope:
        month = sell(scope, "Home month", price="50.00", group="Home")
        sell(scope, "Home quarter", kind="quarter", price="140.00", group="Home")
        sell(scope, "Fast month", price="80.00", group="Fast")
        return open_one(scope, "sz28403", month, name="Chen Jianguo")


def plan_id(desk, name: str) -> str:
    with desk.scope() as scope:
        return str(find_plan(scope, name).id)


def state(desk, account_id: int) -> Account:
    with desk.scope() as scope:
        return scope.session.scalars(select(Account).where(Account.id == account_id)).one()


def state_of(scope, account_id: int) -> Account:
    return scope.session.scalars(select(Account).where(Account.id == account_id)).one()


def orders(desk) -> int:
    with desk.scope() as scope:
        return scope.session.scalar(select(func.count()).select_from(Order)) or 0


@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_each_panel_opens_as_a_page_and_as_a_fragment(desk, account_id, name):
    assert desk.get(f"/accounts/{account_id}/op/{name}").status_code == 200
    fragment = desk.get(f"/accounts/{account_id}/op/{name}", headers={"HX-Request": "true"})
    assert 'role="dialog"' in fragment.get_data(as_text=True)
    assert "<html" not in fragment.get_data(as_text=True)


def test_all_sixteen_operations_are_there():
    assert {"renew", "change-plan", "hold", "resume", "refund", "close", "reverse", "move", "top-up", "manual"} <= set(
        OPERATIONS
    )
    assert {"pay-arrears", "cancel-arrears", "add-pack", "never-expires", "disable", "enable"} <= set(OPERATIONS)


def test_renewing_shows_and_books_the_same(desk, account_id):
    before = state(desk, account_id).expires_at
    fields = {"plan": plan_id(desk, "Home quarter"), "quantity": "2", "method": "cash"}
    page = f"/accounts/{account_id}/op/renew"
    desk.submit(page, fields, to=f"{page}/preview")
    assert "Renew for ¥280.00" in desk.text()  # 140.00 × 2
    assert orders(desk) == 1
    desk.submit(page, fields)
    assert "Renewed for ¥280.00." in desk.text()
    assert "Undo" in desk.text()
    assert orders(desk) == 2
    assert state(desk, account_id).expires_at > before + timedelta(days=175)


def test_the_same_renewal_sent_twice_books_once(desk, account_id):
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "cash", "key": "r" * 24}
    page = f"/accounts/{account_id}/op/renew"
    desk.submit(page, fields)
    desk.submit(page, fields)
    assert orders(desk) == 2  # the opening and one renewal


def test_a_balance_that_is_too_short_is_said_and_nothing_is_booked(desk, account_id):
    page = f"/accounts/{account_id}/op/renew"
    answer = desk.submit(page, {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "balance"})
    assert answer.status_code == 422
    assert orders(desk) == 1


@pytest.mark.parametrize("quantity", ["0", "-1", "1000000", "one", ""])
def test_bad_quantities_are_refused_beside_the_field(desk, account_id, quantity):
    page = f"/accounts/{account_id}/op/renew"
    fields = {"plan": plan_id(desk, "Home month"), "quantity": quantity, "method": "cash"}
    assert desk.submit(page, fields).status_code == 422
    assert 'id="f-quantity-note"' in desk.web.last.get_data(as_text=True)
    assert orders(desk) == 1


def test_changing_the_plan_books_price_and_difference(desk, account_id):
    page = f"/accounts/{account_id}/op/change-plan"
    fields = {"plan": plan_id(desk, "Fast month"), "quantity": "1", "method": "cash", "difference": ""}
    desk.submit(page, fields, to=f"{page}/preview")  # the arithmetic stands beside each amount
    assert "Fast month: 80.00 × 1 = 80.00" in desk.text()
    assert "Home month 50.00 ÷ 30.5 days = 1.64 a day; Fast month 80.00 ÷ 30.5 days = 2.62 a day;" in desk.text()
    desk.submit(page, fields)
    assert "Changed the plan for" in desk.text()
    assert "Fast month" in desk.text()


def test_top_up_then_renew_from_the_balance(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/top-up", {"amount": "60.50", "reason": "counter"})
    assert "Booked ¥60.50 to the balance." in desk.text()
    assert state(desk, account_id).balance == Decimal("60.50")
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "balance"}
    desk.submit(f"/accounts/{account_id}/op/renew", fields)
    assert state(desk, account_id).balance == Decimal("10.50")  # 60.50 - 50.00


@pytest.mark.parametrize("amount", ["1.234", "NaN", "1e15", "", "ten"])
def test_bad_amounts_are_refused(desk, account_id, amount):
    answer = desk.submit(f"/accounts/{account_id}/op/top-up", {"amount": amount, "reason": ""})
    assert answer.status_code == 422
    assert state(desk, account_id).balance == 0


def test_hold_and_resume(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/hold", {"fee": "5"})
    assert "On hold" in desk.text()
    assert state(desk, account_id).state == "held"
    desk.submit(f"/accounts/{account_id}/op/resume", {"fee": "0"})
    assert state(desk, account_id).state == "active"


def test_disable_and_enable(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/disable", {"reason": "router stolen"})
    assert "Disabled" in desk.text()
    assert state(desk, account_id).state == "disabled"
    desk.submit(f"/accounts/{account_id}/op/enable", {"reason": ""})
    assert state(desk, account_id).state == "active"


def test_buying_on_arrears_and_paying(desk, account_id):
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "arrears"}
    desk.submit(f"/accounts/{account_id}/op/renew", fields)
    assert state(desk, account_id).receivable == Decimal("50.00")
    assert "Arrears" in desk.text()
    desk.submit(f"/accounts/{account_id}/op/pay-arrears", {"method": "cash"})
    assert state(desk, account_id).receivable == 0


def test_undoing_the_latest_order(desk, account_id):
    before = state(desk, account_id).expires_at
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "cash"}
    desk.submit(f"/accounts/{account_id}/op/renew", fields)
    desk.submit(f"/accounts/{account_id}/op/reverse", {"reason": "wrong subscriber"})
    assert "The order is undone" in desk.text()
    assert state(desk, account_id).expires_at == before


def test_refund_proposes_pays_back_and_ends_the_period(desk, account_id):
    desk.get(f"/accounts/{account_id}/op/refund")
    assert "Pay back ¥50.00" in desk.text()  # opened a moment ago: all of it is unused
    desk.submit(f"/accounts/{account_id}/op/refund", {"amount": "", "reason": "moved away"})
    assert state(desk, account_id).expires_at <= clock.now()


def test_closing_makes_the_page_read_only(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/close", {"amount": "", "reason": "moved away"})
    assert "Closed" in desk.text()
    assert desk.get(f"/accounts/{account_id}/op/renew").status_code == 409
    assert desk.get(f"/accounts/{account_id}/edit").status_code == 409
    assert desk.get(f"/accounts/{account_id}/").status_code == 200


def test_moving_with_a_new_name(desk, account_id):
    region = state(desk, account_id).region_id
    fields = {"region": str(region), "new_username": "sz30001", "fee": "30", "method": "cash"}
    desk.submit(f"/accounts/{account_id}/op/move", fields)
    assert state(desk, account_id).username == "sz30001"


def test_a_change_by_hand_needs_a_reason(desk, account_id):
    page = f"/accounts/{account_id}/op/manual"
    fields = {"plan": plan_id(desk, "Home month"), "expires_at": "2030-01-02T16:00", "amount": "", "method": "cash"}
    assert desk.submit(page, fields | {"reason": ""}).status_code == 422
    desk.submit(page, fields | {"reason": "promised on the phone"})
    assert state(desk, account_id).expires_at.year == 2030


def test_never_expires(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/never-expires", {"on": "1"})
    assert state(desk, account_id).never_expires
    assert "Never expires" in desk.text()


def test_an_unknown_operation_is_no_page(desk, account_id):
    assert desk.get(f"/accounts/{account_id}/op/explode").status_code == 404


def test_without_the_right_the_page_says_which_one_is_missing(desk, account_id, web):
    desk.hire("clerk", "accounts.view", "op.buy", "pay.cash")
    clerk = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("clerk")
    assert clerk.get(f"/accounts/{account_id}/op/renew").status_code == 200
    answer = clerk.get(f"/accounts/{account_id}/op/refund")
    assert answer.status_code == 403
    assert "The missing right is: Refund." in clerk.text()


def test_every_operation_stands_in_the_operation_log(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/disable", {"reason": "router stolen"})
    desk.get("/log/")
    assert "Disabled an account" in desk.text()
    assert "router stolen" in desk.text()


def test_part_of_the_arrears_is_paid(desk, account_id):
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "arrears"}
    desk.submit(f"/accounts/{account_id}/op/renew", fields)
    desk.submit(f"/accounts/{account_id}/op/pay-arrears", {"plan": "", "amount": "20", "method": "cash"})
    assert state(desk, account_id).receivable == Decimal("30.00")  # 50.00 - 20.00


def test_automatic_renewal_is_switched(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/auto-renew", {"on": "1"})
    assert state(desk, account_id).auto_renew
    desk.submit(f"/accounts/{account_id}/op/auto-renew", {})
    assert not state(desk, account_id).auto_renew


def test_a_pack_is_sold_for_a_quota_plan(desk):
    with desk.scope() as scope:
        plan = sell(scope, "100 GB", kind="traffic", price="30.00", quota_octets=100 * 1024**3, validity_days=30)
        quota_account = open_one(scope, "gb1", plan)
    fields = {"octets": "10", "seconds": "", "price": "5.00", "validity_days": "", "method": "cash"}
    desk.submit(f"/accounts/{quota_account}/op/add-pack", fields)
    assert "Sold a pack for ¥5.00." in desk.text()


def test_arrears_show_until_when_he_is_online_and_what_is_no_longer_owed(desk, account_id):
    with desk.scope() as scope:
        buy(scope, Buy(account_id, find_plan(scope, "Home month").id, method="arrears"), actor=OWNER, now=clock.now())
        cut_off = find_account(scope, account_id).cut_off_at
        assert cut_off is not None
        until = f"{cut_off.astimezone(scope.zone):%Y-%m-%d %H:%M}"
        top_up(scope, TopUp(account_id, Decimal(20)), actor=OWNER, now=clock.now())
    page = desk.get(f"/accounts/{account_id}/").get_data(as_text=True)
    assert f"in arrears, online until {until}" in page
    cancel = desk.get(f"/accounts/{account_id}/op/cancel-arrears").get_data(as_text=True)
    assert "No longer owed" in cancel
    assert "Paid back" not in cancel
    pay = desk.get(f"/accounts/{account_id}/op/pay-arrears").get_data(as_text=True)
    assert "owed 50.00, of it paid before 20.00, still owed after this 0.00" in pay


def test_what_is_left_of_a_quota_stands_on_the_page(desk):
    with desk.scope() as scope:
        volume = sell(scope, "10 GB", kind="traffic", price="30.00", group="Home", quota_octets=10**10, validity_days=9)
        account_id = open_one(scope, "sz28404", volume)
    page = desk.get(f"/accounts/{account_id}/").get_data(as_text=True)
    assert "Traffic left" in page


def test_a_reversal_names_no_drawer_of_his_own(desk, account_id):
    page = desk.get(f"/accounts/{account_id}/op/reverse").get_data(as_text=True)
    assert "Through the drawer of the one who booked it" in page


def preview_of(desk, account_id, name, **fields) -> str:
    page = f"/accounts/{account_id}/op/{name}"
    desk.submit(page, {"method": "cash", **fields}, to=f"{page}/preview")
    return desk.text()


def test_what_is_taken_off_the_balance_is_not_called_a_top_up(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/top-up", {"amount": "30"})
    assert "Take ¥20.50 off the balance" in preview_of(desk, account_id, "top-up", amount="-20.5")
    desk.submit(f"/accounts/{account_id}/op/top-up", {"amount": "-20.5"})
    assert "Took ¥20.50 off the balance." in desk.text()
    orders_page = desk.get(f"/accounts/{account_id}/orders").get_data(as_text=True)
    assert "Deduction from the balance" in orders_page


def test_a_change_by_hand_says_which_way_the_money_goes(desk, account_id):
    assert "Change it and pay out ¥5.00" in preview_of(desk, account_id, "manual", amount="-5", reason="outage")
    assert "Change it and take ¥5.00" in preview_of(desk, account_id, "manual", amount="5", reason="cable")


def test_the_preview_of_a_move_says_from_where_to_where(desk, account_id):
    with desk.scope() as scope:
        north = add_region(scope, RegionForm("North"), actor=OWNER, now=clock.now())
    text = preview_of(desk, account_id, "move", region=str(north), new_username="n28403", fee="20")
    assert "North" in text
    assert "n28403" in text
    assert "it can be undone" in text  # what stands beneath the button follows the preview


def test_the_preview_of_a_hold_and_of_a_disabling_says_what_becomes_of_the_account(desk, account_id):
    assert "On hold" in preview_of(desk, account_id, "hold", fee="0")
    assert "Disabled" in preview_of(desk, account_id, "disable")


def test_an_undoing_names_its_order_and_the_seconds_it_moves_the_expiry_by(desk, account_id):
    with desk.scope() as scope:
        bought_at = clock.now()
        buy(scope, Buy(account_id, find_plan(scope, "Home month").id), actor=OWNER, now=bought_at)
        number = scope.session.scalars(select(Order.number).order_by(Order.id.desc())).first()
        until = state_of(scope, account_id).expires_at
        shown = f"{until.astimezone(scope.zone):%Y-%m-%d %H:%M:%S}"
    text = preview_of(desk, account_id, "reverse")
    assert f"{number} · Renewed Home month" in text
    assert shown in text


def test_an_opening_on_arrears_is_paid_by_plans_for_openings(desk, account_id):
    with desk.scope() as scope:
        welcome = sell(scope, "Welcome month", price="20.00", group="Home", usage="new")
        sell(scope, "Loyal month", price="40.00", group="Home", usage="renew")
        opened = OpenAccount(CreateAccount("sz28404", "pass-0001"), find_plan(scope, "Home month").id, method="arrears")
        owing = open_account(scope, opened, actor=OWNER, now=clock.now()).account_id
    panel = desk.get(f"/accounts/{owing}/op/pay-arrears").get_data(as_text=True)
    assert "Welcome month" in panel
    assert "Loyal month" not in panel
    desk.submit(f"/accounts/{owing}/op/pay-arrears", {"plan": str(welcome.id), "method": "cash"})
    assert "Took ¥20.00 for the arrears." in desk.text()


def test_what_changed_since_it_was_shown_is_looked_at_again(desk, account_id):
    page = f"/accounts/{account_id}/op/renew"
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "cash"}
    shown = desk.get(page).get_data(as_text=True)
    hidden = {name: re.search(f'name="{name}" value="([^"]*)"', shown)[1] for name in ("key", "seen")}
    desk.submit(page, fields)  # in another tab
    until = state(desk, account_id).expires_at
    desk.submit(page, {**fields, **hidden})
    assert "has changed since" in desk.text()
    assert (orders(desk), state(desk, account_id).expires_at) == (2, until)
    seen = re.search('name="seen" value="([^"]*)"', desk.web.last.get_data(as_text=True))[1]
    again = {**fields, "key": hidden["key"], "seen": seen}
    desk.submit(page, again)
    assert "Renewed for ¥50.00." in desk.text()
    desk.submit(page, again)  # sent twice: booked once, and no reproach
    assert "Renewed for ¥50.00." in desk.text()
    assert orders(desk) == 3


def test_a_key_that_cannot_be_stored_was_never_used(desk, account_id):
    fields = {"plan": plan_id(desk, "Home month"), "quantity": "1", "method": "cash"}
    desk.submit(f"/accounts/{account_id}/op/renew", {**fields, "key": "\0" * 20, "seen": "something else"})
    assert "has changed since" in desk.text()
    assert orders(desk) == 1


def test_a_deduction_that_the_balance_does_not_cover_is_refused_beside_the_amount(desk, account_id):
    desk.submit(f"/accounts/{account_id}/op/top-up", {"amount": "-300"})
    assert "Amount: The balance of 0.00 does not cover 300.00" in desk.text()


def test_an_impossible_expiry_is_named_as_people_write_it(desk, account_id):
    fields = {"expires_at": "2200-01-01T00:00", "reason": "x", "method": "cash"}
    desk.submit(f"/accounts/{account_id}/op/manual", fields)
    assert "The expiry 2200-01-01 00:00:00 is not possible" in desk.text()
