"""The whole way: opened by staff, online through the cluster, cut off at the instant by the workers (RAD-6, SUB-3)."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from infra import clock
from radius_cluster.wire import codes
from tenants.subscribers.models import Account
from tests.fixtures.accounts import open_one, sell, set_expiry
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import World, wait_for
from tests.fixtures.whole_way import WholeWay


@pytest.mark.slow
def test_from_the_first_login_to_the_cut(whole_way: WholeWay, world: World) -> None:
    router, coa_port = whole_way.router, whole_way.coa_port
    with whole_way.scope() as scope:
        account_id = open_one(scope, "alice", sell(scope), password="secret", start="first-login")

    answer = router.log_in("alice")
    assert answer is not None
    assert answer.code == codes.ACCESS_ACCEPT
    assert router.account(codes.ACCT_START, "s1", "alice")

    def account() -> Account:
        with whole_way.scope() as scope:
            return scope.session.scalars(select(Account).where(Account.id == account_id)).one()

    # The period begins at that login, however long the worker takes to write it down.
    wait_for(lambda: account().activated_at is not None, 30)
    assert clock.now() - timedelta(seconds=60) < (account().activated_at or clock.now()) < clock.now()
    assert account().expires_at - (account().activated_at or clock.now()) > timedelta(days=27)
    assert coa_port.cut == []

    expires_at = clock.now() + timedelta(seconds=3)
    with whole_way.scope() as scope:
        set_expiry(scope, account_id, expires_at)
    wait_for(lambda: coa_port.cut)
    came_at, packet = coa_port.cut[0]
    assert expires_at <= came_at < expires_at + timedelta(seconds=limit(5))
    assert (packet.code, packet.text(codes.USER_NAME)) == (codes.DISCONNECT_REQUEST, "alice")
    assert packet.text(codes.ACCT_SESSION_ID) == "s1"

    refused = router.log_in("alice")
    assert refused is not None
    assert refused.code == codes.ACCESS_REJECT
    # Once: the one request that was ever written is done, and nothing more is due.
    asked = "SELECT state FROM work.outbox WHERE tenant_id = %s AND topic = 'radius.disconnect'"
    wait_for(lambda: world.query(asked, whole_way.tenant.id) == [("done",)])
    due = "SELECT 1 FROM work.due WHERE tenant_id = %s AND kind = 'account.expire'"
    assert world.query(due, whole_way.tenant.id) == []
    assert len(coa_port.cut) == 1
