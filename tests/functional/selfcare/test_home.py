"""Home tells in words how the account stands, and has the one button that helps (SLF-2)."""

from datetime import timedelta

import pytest

from infra import clock
from tenants.billing.buy import Buy, buy
from tenants.billing.hold import Hold, hold
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.usage.models import QuotaUse, RefusedPacket, Usage
from tests.fixtures.accounts import go_online, open_one, sell


def test_a_running_plan_shows_its_days_and_the_price_of_renewing(sub):
    page = sub.get()
    assert "100M month, until" in page
    assert "left" in page
    assert "Renew, from ¥50.00" in page
    assert "Owing nothing" in page


def test_an_ended_plan_says_since_when_and_how_to_be_online_again(sub):
    sub.expires(clock.now() - timedelta(days=3, minutes=1))
    page = sub.get()
    assert "Expired 3 days ago" in page
    assert "Your plan has ended. Renew it; you are online again in a few seconds." in page
    assert "Renew, from" in page


def test_a_held_account_has_no_button_to_renew(sub):
    sub.set(contact_phone="0755 2688 1100")
    sub.run(hold, Hold(sub.account_id))
    page = sub.get()
    assert "On hold" in page
    assert "Renew" not in page
    assert 'href="tel:075526881100"' in sub.web.last.get_data(as_text=True)


def test_never_ending_and_not_begun(sub):
    sub.run(set_never_expires, SetNeverExpires(sub.account_id, True))
    assert "No end" in sub.get()
    assert "Renew, from" not in sub.web.text()

    def later(scope):
        return open_one(scope, "later", sell(scope, "later plan"), start="first-login")

    sub.read(later)
    sub.username = "later"
    sub.sign_in(web=sub.other_browser())
    fresh = sub.sign_in(web=sub.other_browser())
    assert "Not started" in fresh.text()
    assert "the time begins with your first connection" in fresh.text()


def test_what_is_owed_stands_in_front_and_is_paid_from_a_balance_that_is_large_enough(sub):
    sub.pay_in("60")  # a later top-up would pay the arrears by itself
    sub.run(buy, Buy(sub.account_id, sub.plans["month"], method="arrears"))
    assert "¥50.00 to pay" in sub.get()
    assert "Pay ¥50.00 from the balance" in sub.get()
    page = sub.submit("", to="arrears/pay")
    assert "¥50.00 paid from your balance. Nothing is owed any more." in page
    account = sub.account()
    assert account["balance"] == "10.00"
    assert "Owing nothing" in page


def test_what_is_owed_and_cannot_be_paid_here_says_where(sub):
    sub.run(buy, Buy(sub.account_id, sub.plans["month"], method="arrears"))
    sub.set(contact_phone="12345")
    assert "¥50.00 to pay" in sub.get()
    assert "Pay at your provider's counter, or call 12345." in sub.web.text()


def test_an_open_connection_is_shown_with_its_use_and_can_be_dialled_again(sub):
    def online(scope):
        go_online(
            scope, sub.account_id, at=clock.now() - timedelta(hours=2), octets_out=3 * 1024**3, mac="aa:bb:cc:dd:ee:01"
        )

    sub.read(online)
    page = sub.get()
    assert "You are online" in page
    assert "↓ 3.00 GB" in page
    assert "AA:BB:CC:DD:EE:01" in page
    assert "Reconnect" in page


@pytest.mark.parametrize(
    ("reason", "sentence"),
    [
        ("wrong_password", "Your router sent a wrong password."),
        ("binding", "Your account is bound to another device."),
        ("something_new", "Your account cannot connect at the moment."),
    ],
)
def test_the_last_refused_login_is_explained(sub, reason, sentence):
    def refuse(scope):
        packet = RefusedPacket(
            tenant_id=scope.tenant_id, at=clock.now(), source="1.2.3.4:1", code=1, reason=reason, username="chen"
        )
        scope.session.add(packet)

    sub.read(refuse)
    assert sentence in sub.get()


def test_usage_stands_in_a_chart_with_a_table_behind_it(sub):
    assert "Nothing was used in the last 14 days." in sub.get()

    def use(scope):
        day = clock.now().astimezone(scope.zone).date()
        scope.session.add(
            Usage(
                tenant_id=scope.tenant_id,
                account_id=sub.account_id,
                day=day,
                octets_out=5 * 1024**3,
                octets_in=1024**3,
                seconds=60,
            )
        )

    sub.read(use)
    page = sub.get()
    assert "6.00 GB" in page
    assert "5.0 GB 1.0 GB" in page


def test_a_quota_shows_what_is_left(make_sub):
    sub = make_sub()

    def quota(scope):
        plan = sell(
            scope, "10 GB", kind="traffic", price="20", group="quota", quota_octets=10 * 1024**3, validity_days=30
        )
        open_one(scope, "quota", plan)

    sub.read(quota)
    sub.username = "quota"
    sub.sign_in()
    assert "Traffic left 10.00 GB of 10.00 GB" in sub.web.text()


@pytest.mark.parametrize(
    ("used_gb", "note"),
    [
        (7.9, ""),
        (8, "80 % of your quota is used. It starts anew on"),
        (10, "Your quota is used up. It starts anew on"),
    ],
)
def test_little_or_nothing_left_is_said_on_top(make_sub, used_gb, note):
    found = make_sub()

    def prepare(scope):
        plan = sell(
            scope,
            "10 GB a day",
            kind="traffic-per-day",
            quota_octets=10 * 1024**3,
            quota_end="throttle",
            throttle_up_bps=1_000_000,
            throttle_down_bps=1_000_000,
        )
        account_id = open_one(scope, "quota", plan)
        scope.session.add(
            QuotaUse(
                tenant_id=scope.tenant_id,
                account_id=account_id,
                epoch=1,
                window_on=clock.now().astimezone(scope.zone).date(),
                octets=int(used_gb * 1024**3),
                seconds=0,
                over_octets=0,
                over_seconds=0,
            )
        )

    found.read(prepare)
    found.username = "quota"
    found.sign_in()
    page = found.get()
    assert note in page
    assert ("of your quota is used" in page or "quota is used up" in page) == bool(note)
    assert ("Until then the connection is slower." in page) == (used_gb == 10)


def test_the_notice_of_the_provider_is_shown_as_text(sub):
    sub.set(selfcare_notice="Works on 11-30 <b>02:00</b>")
    page = sub.get()
    assert "Works on 11-30 <b>02:00</b>" in page
    assert "&lt;b&gt;" in sub.web.last.get_data(as_text=True)


def test_the_contact_page_is_open_to_those_who_cannot_sign_in(make_sub):
    sub = make_sub()
    sub.set(contact_phone="0755 2688", contact_text="Open 9 to 21")
    page = sub.get("contact")
    assert "Open 9 to 21" in page
    assert "0755 2688" in page
