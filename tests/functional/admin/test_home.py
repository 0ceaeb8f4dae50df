"""The first page: getting started, the figures, the cloud's addresses (UX-4, TEN-3)."""

from infra import clock
from tenants.usage.models import OnlineSample
from tests.fixtures.accounts import go_online, open_one, sell


def test_a_fresh_provider_is_led_to_the_first_subscriber_online(desk):
    desk.get("/")
    assert "Four steps to the first subscriber online" in desk.text()
    assert "Add a router" in desk.text()
    assert f"{desk.tenant.nas_prefix}-" in desk.text()


def test_the_list_disappears_when_somebody_was_online(desk):
    from tests.functional.admin.test_routers import GOOD, router

    desk.submit("/routers/new", GOOD)
    with desk.scope() as scope:
        account_id = open_one(scope, "u1", sell(scope))
        go_online(scope, account_id, nas_id=router(desk).id)
        scope.session.add(OnlineSample(tenant_id=scope.tenant_id, at=clock.now(), sessions=1))
    desk.get("/")
    assert "Four steps" not in desk.text()
    assert "Online now 1" in desk.text()
    assert "Income today (¥) 50.00" in desk.text()


def test_each_sees_only_what_he_may(desk, web):
    desk.hire("looker", "online.view")
    looker = type(desk)(type(web)(web.client.application), desk.tenant, desk.database).sign_in("looker")
    looker.get("/")
    assert "Online now" in looker.text()
    assert "Income today" not in looker.text()
    assert "Subscribers g u" not in looker.text()


def test_in_chinese_too(desk):
    desk.web.client.set_cookie("lang", "zh")
    for page in ("/", "/accounts/", "/online/", "/money/", "/plans/", "/routers/", "/settings/", "/log/"):
        assert desk.get(page).status_code == 200
        assert "首页" in desk.text()
