"""A login that is only tried gives what a router gets, and leaves nothing behind (SUB-10, RAD-3)."""

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.trial.decide import try_login
from radius_cluster.trial.request import readable
from tenants.access.login_trial import LoginTrial, TrialAnswer
from tests.fixtures.radius import Processes, World, WorldTenant, environment_of

MAC = "02:00:00:00:00:01"
CHANGED_BY_LOGINS = (
    "work.outbox",
    "aaa.refused_packet",
    "aaa.packet_count",
    "aaa.session",
    "aaa.subscriber",
    "aaa.place_login",
)


@pytest.fixture
def tenant(world: World) -> WorldTenant:
    return world.tenant()


def attempt(settings: Settings, trial: LoginTrial) -> TrialAnswer:
    done = subprocess.run(
        [sys.executable, "-m", "radius_cluster.trial"],
        input=trial.to_json(), capture_output=True, text=True, env=environment_of(settings), check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return TrialAnswer.from_json(done.stdout)


def contents(world: World, tenant: WorldTenant) -> dict[str, list[Any]]:
    return {
        table: world.query(f"SELECT to_jsonb(t) FROM {table} t WHERE tenant_id = %s ORDER BY 1", tenant.id)
        for table in CHANGED_BY_LOGINS
    }


@pytest.mark.parametrize("method", ["pap", "chap", "mschapv2"])
def test_the_router_gets_the_same(
    world: World, settings: Settings, processes: Processes, client, tenant: WorldTenant, method: str
) -> None:
    nas_id, identifier = world.nas(tenant, options={"extra": "Filter-Id = guests"})
    account_id = world.subscriber(tenant, "alice", "geheim 密码")
    trial = LoginTrial(tenant.id, nas_id, "alice", method, mac=MAC)
    answer = attempt(settings, trial)
    assert answer.accepted
    said = {name: value for name, _tag, value in answer.attributes}
    assert said["Mikrotik-Rate-Limit"].startswith("10M/50M")
    assert said["Framed-Pool"] == "pool1"
    assert said["Filter-Id"] == "guests"
    assert said["Class"] == f"{tenant.id:05}.{account_id:08}"
    assert 86_000 <= int(said["Session-Timeout"]) <= 86_400
    assert ("MS-MPPE-Send-Key" in said) == (method == "mschapv2")
    if method == "pap":
        processes.start()
        real = readable(client(identifier).log_in("alice", "geheim 密码"))
        assert [line[:2] for line in real] == [line[:2] for line in answer.attributes]
        assert dict(said) | {"Session-Timeout": ""} == {n: v for n, _, v in real} | {"Session-Timeout": ""}


def test_a_typed_password_and_each_refusal(world: World, settings: Settings, tenant: WorldTenant) -> None:
    nas_id, _ = world.nas(tenant)
    past = datetime.now(UTC) - timedelta(seconds=5)
    reasons = {"expired": {"valid_until": past}, "binding": {"bind_mac": MAC}, "disabled": {"state": 2}}
    for name, columns in reasons.items():
        world.subscriber(tenant, name, **columns)
    asked = {
        **{LoginTrial(tenant.id, nas_id, name, "chap"): name for name in reasons},
        LoginTrial(tenant.id, nas_id, "binding", "pap", mac=MAC): "",
        LoginTrial(tenant.id, nas_id, "binding", "pap", "secret", MAC): "",
        LoginTrial(tenant.id, nas_id, "binding", "mschapv2", "Secret", MAC): "wrong_password",
        LoginTrial(tenant.id, nas_id, "nobody", "pap"): "unknown_user",
    }

    async def all_at_once() -> list[TrialAnswer]:  # each refusal takes its second
        servers = Servers(settings.database_url, settings.redis_url)
        return await asyncio.gather(*(try_login(settings, servers, trial) for trial in asked))

    for answer, reason in zip(asyncio.run(all_at_once()), asked.values(), strict=True):
        assert (answer.accepted, answer.reason) == (not reason, reason)
        assert answer.accepted or answer.attributes[0][0] == "Reply-Message"


def test_an_expired_account_in_its_place(world: World, settings: Settings, tenant: WorldTenant) -> None:
    nas_id, _ = world.nas(tenant, options={"expired": {"pool": "walled"}})
    world.subscriber(tenant, "alice", valid_until=datetime.now(UTC) - timedelta(seconds=5))
    answer = attempt(settings, LoginTrial(tenant.id, nas_id, "alice", "pap"))
    assert (answer.accepted, answer.reason) == (True, "expired")
    assert ("Framed-Pool", 0, "walled") in answer.attributes


def test_an_account_that_ends_soon_in_its_plans_place(world: World, settings: Settings, tenant: WorldTenant) -> None:
    nas_id, _ = world.nas(tenant)
    world.profile(tenant, 2, options={"expiring": {"pool": "soon"}, "expiring_days": 3})
    before = contents(world, tenant)
    for name, days, reason in (("alice", 2, "expiring"), ("bob", 4, "")):
        world.subscriber(tenant, name, profile_id=2, valid_until=datetime.now(UTC) + timedelta(days=days))
        answer = attempt(settings, LoginTrial(tenant.id, nas_id, name, "pap"))
        assert (answer.accepted, answer.reason) == (True, reason)
        assert ("Framed-Pool", 0, "soon" if reason else "pool1") in answer.attributes
    assert contents(world, tenant)["aaa.place_login"] == before["aaa.place_login"] == []


def test_what_a_login_would_do_is_told_and_not_done(world: World, settings: Settings, tenant: WorldTenant) -> None:
    nas_id, _ = world.nas(tenant)
    account = world.subscriber(tenant, "alice", drop_oldest=True, activated=False, bind_mac="learn")
    world.run(
        "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, framed_ip, started_at,"
        " updated_at, seconds, octets_in, octets_out, packets_in, packets_out)"
        " VALUES (%s, %s, 's1', 'alice', %s, '10.0.0.7', now(), now(), 0, 0, 0, 0, 0)",
        tenant.id, nas_id, account,
    )  # fmt: skip
    before = contents(world, tenant)
    trial = LoginTrial(tenant.id, nas_id, "alice", "pap", mac=MAC, port="ether1")
    answer = attempt(settings, trial)
    assert answer.accepted
    assert set(answer.effects) == {("disconnect_oldest", "10.0.0.7"), ("activate", ""), ("bind", f"{MAC} ether1")}
    attempt(settings, LoginTrial(tenant.id, nas_id, "alice", "pap", "wrong"))
    assert contents(world, tenant) == before


def test_without_a_router_there_is_one_sentence(world: World, settings: Settings, tenant: WorldTenant) -> None:
    other_id, _ = world.nas(world.tenant())
    done = subprocess.run(
        [sys.executable, "-m", "radius_cluster.trial"],
        input=LoginTrial(tenant.id, other_id, "alice", "pap").to_json(),
        capture_output=True, text=True, env=environment_of(settings), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.strip()) == (1, "The cluster does not serve this router.")
