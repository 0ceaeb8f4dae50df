"""Staff test a login: they see what a router would get, and nothing is counted or kept (SUB-10)."""

import json
from dataclasses import replace

import pytest
from sqlalchemy import select

from infra import clock
from tenants.access.apply_catalog import edit_plan_group_and_apply
from tenants.catalog.edit_plan_group import EditPlanGroup, values_of
from tenants.catalog.find import find_group
from tenants.catalog.models import Plan
from tenants.network.add_nas import AddNas, add_nas
from tenants.subscribers.models import Account
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.functional.admin.conftest import Desk


@pytest.fixture
def account_id(desk: Desk) -> int:
    with desk.scope() as scope:
        add_nas(scope, AddNas(name="Gate", vendor="mikrotik"), actor=OWNER, now=clock.now())
        return open_one(scope, "alice", sell(scope))


def test_what_the_router_would_get(desk: Desk, account_id: int) -> None:
    page = f"/accounts/{account_id}/test-login"
    desk.get(f"/accounts/{account_id}/")
    assert "Test the login" in desk.text()
    desk.get(page)
    router = desk.web.last.get_data(as_text=True).split('<option value="')[1].split('"')[0]
    asked = {"router": router, "method": "chap", "password": "", "mac": "02-00-00-00-00-01", "port": ""}
    assert desk.submit(page, asked).status_code == 200
    assert "The router would get an Access-Accept." in desk.text()
    assert "Mikrotik-Rate-Limit" in desk.text()
    with desk.scope() as scope:
        his = select(Plan.group_id).join(Account, Account.plan_id == Plan.id).where(Account.id == account_id)
        group = find_group(scope, scope.session.scalars(his).one())
        options = {"expiring": {"pool": "soon"}, "expiring_days": 60}
        edited = EditPlanGroup(group.id, replace(values_of(group), options=options))
        edit_plan_group_and_apply(scope, edited, actor=OWNER, now=clock.now())
    assert desk.submit(page, asked).status_code == 200
    assert "Let in, but not as usual" in desk.text()
    assert "The account ends soon and does not renew by itself." in desk.text()
    assert desk.submit(page, asked | {"password": "not his"}).status_code == 200
    assert "The password was wrong." in desk.text()
    assert "Reply-Message" in desk.text()
    assert "not his" not in desk.web.last.get_data(as_text=True)
    with desk.scope() as scope:
        refused = scope.session.connection().exec_driver_sql(
            "SELECT count(*) FROM aaa.refused_packet WHERE tenant_id = %s", (scope.tenant_id,)
        )
        assert refused.scalar() == 0
    desk.get("/log/")
    log = desk.text()
    assert log.count("Tested a login") >= 2
    assert "Wrong password" in log


def test_what_cannot_be_asked_is_said_beside_its_field(desk: Desk, account_id: int) -> None:
    page = f"/accounts/{account_id}/test-login"
    asked = {"router": "1234567", "method": "telepathy", "password": "", "mac": "", "port": ""}
    assert desk.submit(page, asked).status_code == 422
    assert desk.text().count("Choose one of these.") >= 2


def test_it_is_a_right_of_its_own(desk: Desk, account_id: int, web) -> None:
    desk.hire("eve", "accounts.view")
    eve = Desk(type(web)(web.client.application), desk.tenant, desk.database).sign_in("eve")
    assert eve.get(f"/accounts/{account_id}/test-login").status_code == 403
    eve.get(f"/accounts/{account_id}/")
    assert "Test the login" not in eve.text()


def test_at_the_command_line(cli) -> None:
    words = ("--tenant", "acme")
    facts = ("--name", "Acme", "--email", "a@acme.example", "--password", "long-enough-7391")
    cli("tenant", "create", "--slug", "acme", *facts)
    cli("nas", "add", *words, "--vendor", "huawei", "--identifier", "acme-gate")
    rates = ("--kind", "month", "--price", "50", "--up", "10M", "--down", "50M")
    cli("plan", "add", *words, "--group", "50M", "--name", "month", *rates)
    cli("account", "open", *words, "--username", "alice", "--password", "geheim-1", "--plan", "month")
    asked = ("account", "test-login", *words, "--nas", "acme-gate")
    told = cli(*asked, "--method", "mschapv2", "alice")
    assert told["answer"] == "Access-Accept"
    assert "Huawei-Input-Average-Rate" in json.dumps(told["attributes"])
    replies = ("plan", "replies", *words, "--group", "50M")
    assert cli(*replies) == {"group": "50M", "options": {}}
    place = {"expiring": {"pool": "soon", "up_bps": 1_000_000}, "expiring_days": 60}
    given = cli(*replies, "--expiring", "pool=soon", "--expiring", "up_bps=1M", "--expiring-days", "60")
    assert given["options"] == place
    soon = cli(*asked, "alice")
    assert (soon["answer"], soon["reason"]) == ("Access-Accept", "expiring")
    assert cli.refused(*replies, "--expiring", "=")["code"] == "expiring_incomplete"
    assert cli.refused(*replies, "--expiring", "colour=red")["code"] == "bad_reply_option"
    assert cli(*replies, "--expiring", "=", "--expiring-days", "0")["options"] == {}
    refused = cli(*asked, "--password", "geheim-2", "alice")
    assert (refused["answer"], refused["reason"]) == ("Access-Reject", "wrong_password")
    assert cli.refused(*asked, "nobody")["code"] == "account_not_found"
