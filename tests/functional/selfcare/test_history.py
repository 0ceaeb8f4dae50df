"""Bills and past connections (SLF-4): the own ones, and no others."""

from datetime import timedelta

from infra import clock
from tenants.billing.queries_selfcare import own_orders
from tenants.subscribers.models import Account
from tests.fixtures.accounts import close_session


def test_bills_show_every_order_and_one_with_its_lines(sub):
    sub.pay_in("50")
    sub.submit("renew", {"plan": sub.plans["month"], "quantity": 1})
    page = sub.get("orders/")
    assert "Account opened" in page
    assert "Top-up" in page
    assert "Renewed" in page
    number = sub.read(lambda scope: own_orders(scope, sub.account_id).rows[0].number)
    page = sub.get(f"orders/{number}")
    assert number in page
    assert "100M month: 50.00 × 1 = 50.00" in page
    assert "¥50.00" in page


def test_an_order_of_somebody_else_does_not_exist(sub, make_sub):
    def first_order(other):
        return other.read(lambda scope: own_orders(scope, other.account_id).rows[0].number)

    neighbour = make_sub(tenant=None, username="neighbour")
    same_isp = make_second(sub)
    for number in (first_order(neighbour) + "9", same_isp, "nonsense", "%00"):
        sub.get(f"orders/{number}")
        assert sub.status == 404


def make_second(sub):
    from tenants.catalog.models import Plan
    from tests.fixtures.accounts import open_one

    def write(scope):
        second = open_one(scope, "second", scope.session.get(Plan, sub.plans["month"]))
        return own_orders(scope, second).rows[0].number

    return sub.read(write)


def history(sub, count):
    def write(scope):
        account = scope.session.get_one(Account, sub.account_id)
        for number in range(count):
            ended = clock.now() - timedelta(hours=number + 1)
            more = {"mac": "aa:bb:cc:dd:ee:ff", "octets_in": 10, "octets_out": (number + 1) * 1024**3}
            close_session(scope, account, f"h{number}", ended, seconds=1800, **more)

    sub.read(write)


def test_past_connections_page_by_page(sub):
    assert "There is no past connection yet." in sub.get("sessions/")
    history(sub, 25)
    page = sub.get("sessions/")
    assert "1.00 GB" in page
    assert "25.00 GB" not in page
    link = sub.web.last.get_data(as_text=True).split('rel="next" href="')[1].split('"')[0]
    sub.web.get(link.replace("&amp;", "&"))
    assert "25.00 GB" in sub.web.text()


def test_a_damaged_cursor_shows_the_first_page(sub):
    history(sub, 3)
    assert "1.00 GB" in sub.get("sessions/?cursor=nonsense%00")
    assert sub.status == 200
