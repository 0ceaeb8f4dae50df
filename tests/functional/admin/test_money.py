"""Fee records, orders, the drawer and its settlement (FIN-1, FIN-2, FIN-6)."""

import pytest
from sqlalchemy import select

from tenants.billing.models import FeeRecord, Order, Settlement
from tests.fixtures.accounts import open_one, sell
from tests.fixtures.web import Web


@pytest.fixture
def sold(desk) -> int:
    with desk.scope() as scope:
        plan = sell(scope, "Home month", price="50.00")
        account_id = open_one(scope, "sz28403", plan, name="Chen Jianguo")
        plan_id = plan.id
    desk.submit(f"/accounts/{account_id}/op/renew", {"plan": str(plan_id), "quantity": "2", "method": "cash"})
    return account_id


def test_fee_records_show_the_totals_of_the_whole_filter(desk, sold):
    desk.get("/money/")
    assert "2 records" in desk.text()
    assert "income 150.00" in desk.text()  # 50.00 opened + 100.00 renewed
    desk.get("/money/?q=nobody")
    assert "Nothing fits these conditions." in desk.text()
    desk.get("/money/?method=cash")
    assert "Renewed Home month × 2" in desk.text()


def test_an_order_says_how_its_amount_came_about(desk, sold):
    with desk.scope() as scope:
        number = scope.session.scalars(select(Order.number).where(Order.kind == "buy")).one()
    desk.get(f"/orders/{number}")
    assert "50.00 × 2" in desk.text()
    assert "¥100.00" in desk.text()
    assert desk.get("/orders/D19990101000001").status_code == 404


def test_orders_are_found_by_number_kind_and_name(desk, sold):
    desk.get("/orders/?kind=buy")
    assert "1 order" in desk.text()
    desk.get("/orders/?q=sz28403")
    assert "2 orders" in desk.text()


def test_the_own_drawer_is_settled_and_frozen(desk, sold):
    desk.get("/money/")
    assert "Settle ¥100.00" in desk.text()  # the opening was booked at the command line, not in this drawer
    answer = desk.submit("/money/settle", {"counted": "90.00", "note": ""})
    assert answer.status_code == 422
    assert "The cash differs by −10.00; say why." in desk.text()
    desk.submit("/money/settle", {"counted": "100.00", "note": ""})
    assert "Settled ¥100.00" in desk.text()
    with desk.scope() as scope:
        assert scope.session.scalars(select(Settlement.cash)).one() == 100
    desk.get("/money/settlements")
    assert "100.00" in desk.text()
    answer = desk.submit(f"/accounts/{sold}/op/reverse", {"reason": ""})
    assert answer.status_code == 422  # never a settled one


def test_another_person_reviews(desk, sold, web):
    desk.hire("checker", "money.view", "money.view_all", "money.review")
    checker = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("checker")
    with desk.scope() as scope:
        fee_id = scope.session.scalars(select(FeeRecord.id).order_by(FeeRecord.id.desc()).limit(1)).one()
    checker.submit("/money/", to=f"/money/{fee_id}/review")
    assert "Reviewed." in checker.text()


def test_without_the_right_to_see_all_one_sees_the_own_takings(desk, sold, web):
    desk.hire("cashier2", "money.view")
    cashier = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("cashier2")
    cashier.get("/money/")
    assert "No money was booked yet." in cashier.text()


def test_a_receipt_is_printed_once_and_then_marked_as_a_reprint(desk, sold):
    with desk.scope() as scope:
        number = scope.session.scalars(select(Order.number).where(Order.kind == "buy")).one()
    path = f"/orders/{number}/receipt"
    desk.get(path)
    assert "¥100.00" in desk.text()
    assert "reprint" not in desk.text()
    printed = desk.submit(path).get_data(as_text=True)
    assert "data-print-now" in printed
    assert "reprint" not in desk.text()
    desk.submit(path)
    assert "reprint 1" in desk.text()
    desk.get("/log/")
    assert "Printed a receipt" in desk.text()


def test_printing_again_is_a_right_of_its_own(desk, sold, app):
    with desk.scope() as scope:
        number = scope.session.scalars(select(Order.number).where(Order.kind == "buy")).one()
    desk.hire("clerk", "orders.view", "receipts.print")
    clerk = type(desk)(Web(app), desk.tenant, desk.database).sign_in("clerk")
    path = f"/orders/{number}/receipt"
    assert clerk.submit(path).status_code == 200
    token = clerk.get(path).get_data(as_text=True).split('name="csrf-token" content="')[1].split('"')[0]
    assert clerk.web.client.post(f"{clerk.at}{path}", headers={"X-CSRFToken": token}).status_code == 403
