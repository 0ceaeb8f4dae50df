"""Refused logins are their account's, however the router writes its name (RAD-7, SUB-10)."""

import pytest

from infra import clock
from radius_cluster.wire import codes
from tenants.access.explain import explain
from tenants.network.add_nas import AddNas, add_nas
from tenants.subscribers.find import find_account
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.fixtures.radius import Client, Processes, wait_for
from tests.functional.admin.conftest import Desk
from tests.integration.radius.test_eap_logins import Device
from tests.unit.radius_cluster.process.eap.supplicant import identity, nak

SECRET = "radius-secret"
UNKNOWN_METHOD = 43  # EAP-FAST


@pytest.fixture
def router(desk: Desk, processes: Processes, client) -> Client:
    with desk.scope() as scope:
        plan = sell(scope)
        for name in ("alice", "bob"):
            open_one(scope, name, plan)
        command = AddNas("mikrotik", "Gate", f"{desk.tenant.nas_prefix}-gate", SECRET)
        add_nas(scope, command, actor=OWNER, now=clock.now())
    processes.start()
    return client(f"{desk.tenant.nas_prefix}-gate")


def test_they_are_in_the_timeline_the_reason_and_the_list(desk: Desk, router: Client) -> None:
    assert router.log_in("Alice@isp", "a guess").code == codes.ACCESS_REJECT
    with desk.scope() as scope:
        account_id = find_account(scope, "alice").id

    def explained() -> bool:
        with desk.scope() as scope:
            last = explain(scope, account_id, clock.now()).last_refusal
        return last is not None and last.code == "wrong_password"

    wait_for(explained)
    for page in ("", "timeline", "devices"):
        desk.get(f"/accounts/{account_id}/{page}")
        assert "Wrong password" in desk.text(), page
    desk.get(f"/accounts/{account_id}/timeline")
    assert "Gate · Alice@isp" in desk.text()
    for asked, found in (("alice", True), ("Alice@isp", True), ("bob", False), ("ali\0ce", False)):
        desk.get("/refused/", query_string={"q": asked, "hours": "24"})
        assert ("Alice@isp Wrong password" in desk.text()) is found, asked


def test_an_eap_conversation_that_comes_to_nothing_is_its_accounts(desk: Desk, router: Client) -> None:
    """It ends before the account is looked for."""
    device = Device(router, "Bob@isp")
    offered = router.ask(device.packet(identity(b"Bob@isp")))
    answer = router.ask(device.packet(nak(offered.eap_message(), UNKNOWN_METHOD), offered))
    assert answer.code == codes.ACCESS_REJECT
    with desk.scope() as scope:
        account_id = find_account(scope, "bob").id
    wait_for(lambda: "Refused:" in (desk.get(f"/accounts/{account_id}/timeline"), desk.text())[1])
    assert "Gate · Bob@isp" in desk.text()
