"""Logins over real sockets, processes and PostgreSQL (RAD-2, RAD-3)."""

import os
import secrets
import time
from datetime import UTC, datetime, timedelta

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes, mschap
from radius_cluster.wire.packet import Packet, parse, verify_response
from tests.fixtures.busy_machine import limit
from tests.fixtures.radius import Client, Processes, World, wait_for

ACCEPT, REJECT = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT


def message(answer) -> str:
    assert answer is not None
    return answer.text(codes.REPLY_MESSAGE)


@pytest.mark.skipif(os.geteuid() != 0, reason="the system grants a higher priority to root only")
def test_packets_go_before_housekeeping(processes: Processes) -> None:
    assert os.getpriority(os.PRIO_PROCESS, processes.start().pid) < 0


@pytest.mark.parametrize("method", ["pap", "chap"])
def test_methods(world: World, processes: Processes, client, method: str) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", "a long password of more than sixteen octets")
    processes.start()
    router = client(identifier)
    assert router.log_in("alice", "a long password of more than sixteen octets", method=method).code == ACCEPT
    assert router.log_in("alice", "a long password of more than sixteen octetz", method=method).code == REJECT


def test_each_reason_is_said_and_recorded(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    other_nas, _ = world.nas(tenant, "nas2")
    past = datetime.now(UTC) - timedelta(seconds=5)
    cases = {
        "disabled": {"state": 2},
        "held": {"state": 3},
        "wrong_nas": {"bind_nas_id": other_nas},
        "binding": {"bind_mac": "02:00:00:00:00:01"},
        "arrears": {"valid_until": past, "in_arrears": True},
        "expired": {"valid_until": past},
        "quota": {"quota_kind": 1, "quota_octets": 0},
    }
    for reason, columns in cases.items():
        world.subscriber(tenant, reason, **columns)
    world.subscriber(tenant, "wrong_password")
    processes.start()
    router = client(identifier)
    asked = {}
    for name in (*cases, "wrong_password", "unknown_user"):  # at once: each refusal takes its second
        request = router.access(name, "bad" if name == "wrong_password" else "secret")
        asked[request[1]] = (name, request)
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    replies = {}
    while len(replies) < len(asked):
        data = router.socket.recv(4096)
        name, request = asked[data[1]]
        answer = verify_response(data, request[4:20], router.secret)
        assert isinstance(answer, Packet), answer
        assert answer.code == REJECT, name
        replies[name] = message(answer)
    assert replies["expired"] == "Account expired, please renew"
    assert len(set(replies.values())) == len(replies)
    rows = wait_for(
        lambda: (
            (found := world.query("SELECT username, reason FROM aaa.refused_packet WHERE tenant_id = %s", tenant.id))
            and len(found) >= 9
            and found
        )
    )
    assert {(name, name) for name in (*cases, "wrong_password", "unknown_user")} == set(rows)


def mschap2(username: str, password: str) -> bytes:
    """The attributes of an MS-CHAPv2 login."""
    challenge, peer = secrets.token_bytes(16), secrets.token_bytes(16)
    hashed = mschap.challenge_hash(peer, challenge, username.encode())
    answer = b"\x07\0" + peer + bytes(8) + mschap.challenge_response(hashed, mschap.nt_hash(password))
    microsoft = codes.VENDOR_MICROSOFT
    return encode.vendor(microsoft, codes.MS_CHAP_CHALLENGE, challenge) + encode.vendor(
        microsoft, codes.MS_CHAP2_RESPONSE, answer
    )


def test_mschap_clients_are_told_what_is_wrong(world: World, processes: Processes, client) -> None:
    """691 would make them ask for the password again, which was right (RFC 2759, 6)."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    past = datetime.now(UTC) - timedelta(seconds=5)
    cases = {
        "wrong_password": (691, {}),
        "disabled": (647, {"state": 2}),
        "expired": (647, {"valid_until": past}),
        "binding": (649, {"bind_mac": "02:00:00:00:00:01"}),
        "quota": (649, {"quota_kind": 1, "quota_octets": 0}),
    }
    processes.start()
    waiting = []
    for name, (error, columns) in cases.items():
        world.subscriber(tenant, name, **columns)
        router = client(identifier)
        password = "bad" if name == "wrong_password" else "secret"
        request = router.access(name, method="mschap", extra=mschap2(name, password))
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
        waiting.append((router, error))
    for router, error in waiting:
        packet = parse(router.socket.recv(4096))
        assert isinstance(packet, Packet)
        assert packet.code == REJECT
        said = packet.vendor(codes.VENDOR_MICROSOFT, codes.MS_CHAP_ERROR) or b""
        assert said.startswith(b"\x07E=%d R=0 C=" % error), (said, error)


def test_reject_waits_a_second_without_holding_up_others(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    routers, other = [client(identifier) for _ in range(40)], client(identifier)
    port = (processes.settings.bind, processes.settings.radius_auth_port)
    began = time.monotonic()
    for number, router in enumerate(routers):
        router.socket.sendto(router.access(f"nobody {number}"), port)
    assert other.log_in("alice").code == ACCEPT
    assert time.monotonic() - began < 20  # one after the other they would take forty seconds
    for router in routers:
        assert router.socket.recv(4096)[0] == REJECT
        assert time.monotonic() - began > 0.9
    assert time.monotonic() - began < 20


def test_concurrency(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    nas_id, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=1)
    bob = world.subscriber(tenant, "bob", max_sessions=1, drop_oldest=True)
    processes.start()
    router = client(identifier)
    for user in ("alice", "bob"):
        assert router.log_in(user).code == ACCEPT
        assert router.account(codes.ACCT_START, f"s-{user}", user)
    refused = router.log_in("alice")
    assert refused.code == REJECT
    assert message(refused) == "Already online"
    assert router.log_in("bob").code == ACCEPT
    [(payload,)] = world.query(
        "SELECT payload FROM work.outbox WHERE tenant_id = %s AND topic = 'radius.disconnect'", tenant.id
    )
    assert (payload["session_id"], payload["nas_id"], payload["account_id"]) == ("s-bob", nas_id, bob)
    # a session that has been silent for four intervals does not lock its subscriber out (OW#617)
    world.run("UPDATE aaa.session SET updated_at = now() - interval '21 minutes' WHERE tenant_id = %s", tenant.id)
    assert router.log_in("alice").code == ACCEPT


def test_each_router_has_its_own_time_of_silence(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    slow, slow_identifier = world.nas(tenant, "slow", stale_seconds=3600)
    _, quick_identifier = world.nas(tenant, "quick", stale_seconds=120)
    world.subscriber(tenant, "alice", max_sessions=1)
    world.subscriber(tenant, "bob", max_sessions=2, drop_oldest=True)
    processes.start()
    router = client(identifier)

    def online(user: str, *sessions: tuple[str, int]) -> None:
        """On each of these routers, silent for so many minutes."""
        world.run("DELETE FROM aaa.session WHERE tenant_id = %s", tenant.id)
        for where, minutes in sessions:
            assert client(where).account(codes.ACCT_START, f"s-{where}", user)
            world.run(
                "UPDATE aaa.session SET updated_at = now() - make_interval(mins => %s), started_at = now() - interval"
                " '5 hours' - make_interval(mins => %s) WHERE session_id = %s", minutes, minutes, f"s-{where}",
            )  # fmt: skip

    phone = encode.text(codes.CALLING_STATION_ID, "AA-BB-CC-00-11-22")
    for where, minutes, code in (
        (slow_identifier, 59, REJECT),
        (slow_identifier, 61, ACCEPT),
        (identifier, 19, REJECT),
        (identifier, 21, ACCEPT),  # although another router may be silent for an hour
        (quick_identifier, 1, REJECT),
        (quick_identifier, 3, ACCEPT),
    ):
        online("alice", (where, minutes))
        for extra in (b"", phone):
            assert (where, minutes, router.log_in("alice", extra=extra).code) == (where, minutes, code)

    def asked() -> list[str]:
        rows = world.query(
            "SELECT payload ->> 'session_id' FROM work.outbox WHERE tenant_id = %s AND topic = 'radius.disconnect'",
            tenant.id,
        )
        return [row[0] for row in rows]

    online("bob", (identifier, 30), (quick_identifier, 3), (slow_identifier, 50))  # the last alone counts
    assert router.log_in("bob").code == ACCEPT
    assert asked() == []
    online("bob", (identifier, 10), (quick_identifier, 3), (slow_identifier, 50))
    assert router.log_in("bob").code == ACCEPT
    assert asked() == [f"s-{slow_identifier}"]
    # What is changed counts at once
    online("alice", (slow_identifier, 50))
    assert router.log_in("alice").code == REJECT
    world.run("UPDATE registry.nas SET stale_seconds = NULL WHERE id = %s", slow)
    wait_for(lambda: router.log_in("alice").code == ACCEPT, limit(5))


def test_first_login_starts_the_period(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account_id = world.subscriber(
        tenant, "alice", activated=False, valid_until=datetime(2100, 1, 1, tzinfo=UTC), max_sessions=0
    )
    processes.start()
    router = client(identifier)
    assert router.log_in("alice", "wrong").code == REJECT
    assert router.log_in("alice").code == ACCEPT
    assert router.log_in("alice").code == ACCEPT
    [(payload, subject)] = world.query(
        "SELECT payload, subject FROM work.outbox WHERE tenant_id = %s AND topic = 'account.activate'", tenant.id
    )
    assert payload["account_id"] == account_id
    assert subject == f"account:{account_id}"
    accepted_at = datetime.fromisoformat(payload["accepted_at"])
    assert abs((datetime.now(UTC) - accepted_at).total_seconds()) < 10


def test_windows_quota_and_throttle(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    always = {"days": 127, "starts": 0, "ends": 0}
    never = {"days": 0, "starts": 0, "ends": 1}
    world.profile(tenant, 2, windows=[never])
    world.profile(tenant, 3, windows=[{**always, "profile_id": -9}], pool="pool3")
    world.profile(tenant, -9, up_bps=1_000_000, down_bps=2_000_000, pool="")
    world.subscriber(tenant, "closed", profile_id=2)
    world.subscriber(tenant, "evening", profile_id=3)
    world.subscriber(tenant, "slow", quota_kind=1, quota_octets=0, quota_cut=False, throttle_profile_id=-9)
    world.subscriber(tenant, "hours", quota_kind=1, quota_seconds=600)
    processes.start()
    router = client(identifier)
    assert message(router.log_in("closed")) == "Not allowed at this time"
    evening = router.log_in("evening")
    assert evening.vendor(codes.VENDOR_MIKROTIK, 8) == b"1M/2M"
    assert evening.text(codes.FRAMED_POOL) == "pool3"
    assert router.log_in("slow").vendor(codes.VENDOR_MIKROTIK, 8) == b"1M/2M"
    assert router.log_in("hours").number(codes.SESSION_TIMEOUT) == 600


def test_two_tenants_with_the_same_user_name(world: World, processes: Processes, client) -> None:
    one, two = world.tenant(), world.tenant()
    routers: list[Client] = []
    for tenant, password in ((one, "first"), (two, "second")):
        _, identifier = world.nas(tenant)
        world.subscriber(tenant, "charlie", password)
        routers.append(client(identifier))
    processes.start()
    assert routers[0].log_in("charlie", "first").code == ACCEPT
    assert routers[0].log_in("charlie", "second").code == REJECT
    assert routers[1].log_in("charlie", "second").code == ACCEPT
    assert routers[0].account(codes.ACCT_START, "same-id", "charlie")
    assert routers[1].account(codes.ACCT_START, "same-id", "charlie")
    assert len(world.sessions(one)) == len(world.sessions(two)) == 1
    assert routers[0].account(codes.ACCT_STOP, "same-id", "charlie", seconds=9, octets_in=7, octets_out=8)
    assert world.sessions(one) == []
    assert len(world.sessions(two)) == 1
    assert world.usage(two) == (0, 0, 0)


def test_the_same_account_of_another_provider_counts_for_nothing(world: World, processes: Processes, client) -> None:
    """Accounts count from 1 at each provider: sessions, quota, rates and what waits in the outbox are by provider."""
    there, here = world.tenant(), world.tenant()
    nas_id, identifier = world.nas(here)
    other_nas, _ = world.nas(there)
    world.profile(there, 1, up_bps=1_000_000, down_bps=1_000_000)
    mac, other_mac = "02:00:00:00:00:01", "02:00:00:00:00:02"
    quota = {"quota_kind": 1, "quota_octets": 100}
    facts = {
        "plain": {}, "oldest": {"drop_oldest": True}, "redials": {}, "full": {}, "metered": quota,
        "new": {"activated": False}, "learns": {"bind_mac": "learn"},
    }  # fmt: skip
    sessions = {"oldest": mac, "redials": mac, "full": other_mac}
    tasks = {"oldest": "radius.disconnect", "redials": "radius.disconnect", "new": "account.activate",
             "learns": "account.bind"}  # fmt: skip
    for name, columns in facts.items():
        account_id = world.subscriber(there, name, **columns)
        assert world.subscriber(here, name, **columns) == account_id
        for isp, nas, device in ((there, other_nas, mac), (here, nas_id, sessions.get(name))):
            if device:
                world.run(
                    "INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, mac, started_at,"
                    " updated_at, seconds, octets_in, octets_out, packets_in, packets_out)"
                    " VALUES (%s, %s, 's1', %s, %s, %s, now(), now(), 0, 0, 0, 0, 0)",
                    isp.id, nas, name, account_id, device,
                )  # fmt: skip
        world.run(
            "INSERT INTO aaa.quota_use (tenant_id, account_id, epoch, window_on, octets, seconds, over_octets,"
            " over_seconds) VALUES (%s, %s, 0, '1970-01-01', 100, 0, 0, 0)", there.id, account_id,
        )  # fmt: skip
        world.run(
            "INSERT INTO work.outbox (tenant_id, topic, subject, payload) SELECT %s, topic, %s, %s"
            " FROM unnest(ARRAY['radius.disconnect', 'account.activate', 'account.bind']) AS topic",
            there.id, f"account:{account_id}", '{"session_id": "s1"}',
        )  # fmt: skip
    processes.start()
    router = client(identifier)
    calling = encode.text(codes.CALLING_STATION_ID, mac)
    answers = {name: router.log_in(name, extra=calling) for name in facts}
    assert [name for name, answer in answers.items() if answer.code != ACCEPT] == ["full"]
    assert answers["plain"].vendor(codes.VENDOR_MIKROTIK, 8) == b"10M/50M"
    told = "SELECT u.username, o.topic FROM work.outbox o JOIN aaa.subscriber u ON u.tenant_id = o.tenant_id"
    told += " AND o.subject = 'account:' || u.account_id WHERE o.tenant_id = %s"
    assert dict(world.query(told, here.id)) == tasks
    assert len(world.query("SELECT 1 FROM work.outbox WHERE tenant_id = %s", there.id)) == 3 * len(facts)


def test_a_suspended_tenant(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice")
    processes.start()
    router = client(identifier)
    assert router.log_in("alice").code == ACCEPT
    world.run("UPDATE registry.tenants SET state = 'suspended' WHERE id = %s", tenant.id)
    wait_for(lambda: router.log_in("alice").code == REJECT)


def test_a_guesser_is_locked_out_and_the_subscriber_is_not(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    guesser = encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-66")
    own = encode.text(codes.CALLING_STATION_ID, "02-00-00-00-00-01")
    routers = [client(identifier) for _ in range(10)]
    port = (processes.settings.bind, processes.settings.radius_auth_port)
    for router in routers:  # at once: each refusal takes its second
        router.socket.sendto(router.access("alice", "guess", extra=guesser), port)
    for router in routers:
        router.socket.recvfrom(4096)
    locked = client(identifier).log_in("alice", extra=guesser)  # even the right password, now
    assert locked.code == REJECT
    assert message(locked) == "Too many attempts, try again later"
    assert client(identifier).log_in("alice", extra=own).code == ACCEPT


def test_mac_authentication_in_any_notation(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    _, open_door = world.nas(tenant, "hotspot", options={"mac_auth": True})
    world.subscriber(tenant, "02:00:00:aa:bb:cc", "02:00:00:aa:bb:cc", max_sessions=0)
    processes.start()
    router = client(identifier)
    assert router.log_in("02-00-00-AA-BB-CC", "02-00-00-AA-BB-CC").code == ACCEPT
    assert router.log_in("0200.00aa.bbcc", "020000aabbcc").code == ACCEPT
    calling = encode.text(codes.CALLING_STATION_ID, "02:00:00:AA:BB:CC")
    assert client(open_door).log_in("020000AABBCC", "whatever", extra=calling).code == ACCEPT
    refused = [client(identifier) for _ in range(3)]
    port = (processes.settings.bind, processes.settings.radius_auth_port)
    refused[0].socket.sendto(refused[0].access("02-00-00-AA-BB-CC", "02-00-00-AA-BB-CD"), port)
    refused[1].socket.sendto(refused[1].access("020000AABBCC", "whatever", extra=calling), port)
    refused[2].socket.sendto(refused[2].access("02-00-00-AA-BB-CD", "02-00-00-AA-BB-CD"), port)
    assert [router.socket.recvfrom(4096)[0][0] for router in refused] == [REJECT] * 3
