"""Renewing from the balance (SLF-3, OPS-1, OPS-13): seen before, booked once, refused in words."""

from datetime import timedelta
from html import unescape
from re import findall

import pytest
from sqlalchemy import func, select

from infra import clock
from tenants.billing.disable import Disable, disable
from tenants.billing.models import Order
from tenants.catalog.models import Plan


def orders(sub, kind):
    return sub.read(
        lambda scope: scope.session.scalar(
            select(func.count()).where(Order.account_id == sub.account_id, Order.kind == kind)
        )
    )


def test_the_balance_pays_and_the_expiry_moves_by_a_month(sub):
    sub.pay_in("70")
    before = sub.expiry()
    page = sub.submit("renew", {"plan": sub.plans["month"], "quantity": 1})
    assert "¥50.00 paid from your balance. Valid until" in page
    assert sub.account()["balance"] == "20.00"
    zone = sub.tenant.zone
    assert (sub.expiry().astimezone(zone) - before.astimezone(zone)).days in (28, 29, 30, 31)
    assert orders(sub, "buy") == 1


def test_the_page_shows_what_is_then_booked(sub):
    sub.pay_in("150")
    page = sub.get("renew")
    assert "What will be booked" in page
    assert "100M month: 50.00 × 1 = 50.00" in page
    assert "Balance 150.00 → 100.00" in page
    preview = sub.submit("renew", {"plan": sub.plans["quarter"], "quantity": 1}, to="renew/preview")
    assert "¥140.00" in preview
    assert "Plan 100M month → 100M quarter" in preview
    assert "Renew for ¥140.00" in preview
    assert orders(sub, "buy") == 0  # looking books nothing
    assert sub.account()["balance"] == "150.00"


def test_the_same_form_sent_twice_books_once(sub):
    sub.pay_in("200")
    sub.web.get(f"{sub.path}renew")
    page = sub.web.last.get_data(as_text=True)
    hidden = {name: unescape(value) for name, value in findall(r'name="(csrf_token|key)" value="([^"]*)"', page)}
    data = {**hidden, "plan": sub.plans["month"], "quantity": "1"}
    for _again in range(2):
        assert sub.web.client.post(f"{sub.path}renew", data=data).status_code == 303
    assert orders(sub, "buy") == 1
    assert sub.account()["balance"] == "150.00"


def test_a_change_of_plan_sent_twice_books_once(sub):
    sub.pay_in("400")
    sub.web.get(f"{sub.path}renew")
    page = sub.web.last.get_data(as_text=True)
    hidden = {name: unescape(value) for name, value in findall(r'name="(csrf_token|key)" value="([^"]*)"', page)}
    data = {**hidden, "plan": sub.plans["fast"], "quantity": "1"}
    for _again in range(2):
        assert sub.web.client.post(f"{sub.path}renew", data=data).status_code == 303
    assert orders(sub, "change-plan") == 1
    assert orders(sub, "buy") == 0
    assert sub.account()["plan"] == "300M month"


def test_a_short_balance_says_what_is_missing_and_where_to_pay(sub):
    sub.set(contact_phone="0755 2688 1100")
    sub.pay_in("30")
    page = sub.get("renew")
    assert "Your balance of ¥30.00 is ¥20.00 too short." in page
    assert "Pay at your provider's counter, or call 0755 2688 1100." in page
    assert "Renew for" not in page  # no button that could only fail
    page = sub.submit("renew", {"plan": sub.plans["month"], "quantity": 1})
    assert sub.status == 422
    assert "20.00" in page
    assert sub.account()["balance"] == "30.00"
    assert orders(sub, "buy") == 0


def test_several_periods_at_once(sub):
    sub.pay_in("150")
    sub.submit("renew", {"plan": sub.plans["month"], "quantity": 3})
    assert sub.account()["balance"] == "0.00"
    assert (sub.expiry() - clock.now()).days > 90


@pytest.mark.parametrize("quantity", ["0", "13", "x", "-1"])
def test_a_quantity_that_is_none_is_refused_beside_its_field(sub, quantity):
    sub.pay_in("1000")
    page = sub.submit("renew", {"plan": sub.plans["month"], "quantity": quantity})
    assert sub.status == 422
    assert "How many times" in page
    assert orders(sub, "buy") == 0


def test_hidden_and_foreign_plans_are_not_for_sale(sub, make_sub):
    def hide(scope):
        scope.session.get(Plan, sub.plans["quarter"]).visible = False

    sub.read(hide)
    sub.pay_in("500")
    sub.get("renew")
    page = sub.web.last.get_data(as_text=True)
    assert f'name="plan" value="{sub.plans["month"]}"' in page
    assert f'name="plan" value="{sub.plans["quarter"]}"' not in page
    for plan in (sub.plans["quarter"], make_sub().plans["fast"] + 1000, 0, "x"):
        sub.submit("renew", {"plan": plan, "quantity": 1})
        assert sub.status == 422
    assert orders(sub, "buy") == 0


def test_an_ended_plan_is_renewed_from_now(sub):
    sub.expires(clock.now() - timedelta(days=5))
    sub.pay_in("50")
    sub.submit("renew", {"plan": sub.plans["month"], "quantity": 1})
    assert (sub.expiry() - clock.now()).days in (27, 28, 29, 30)
    assert sub.account()["status"] == "normal"


def test_a_disabled_account_is_told_why_it_cannot_buy(sub):
    sub.run(disable, Disable(sub.account_id))
    sub.pay_in("50")
    assert "The account chen is disabled" in sub.get("renew")
    sub.submit("renew", {"plan": sub.plans["month"], "quantity": 1})
    assert sub.status == 422
    assert orders(sub, "buy") == 0
