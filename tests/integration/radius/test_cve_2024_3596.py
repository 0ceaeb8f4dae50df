"""CVE-2024-3596 ("Blast-RADIUS") and replayed packets, rule by rule as ``radius.md`` has them (RAD-1, RAD-9)."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from infra.ports import choose_free_port
from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet
from tests.fixtures.radius import Client, Processes, World, WorldTenant, wait_for

PROXY_STATE = encode.octets(codes.PROXY_STATE, b"chosen by the man in the middle")
EAP_IDENTITY = encode.eap_messages(b"\x02\x01\x00\x0a\x01alice")


@dataclass
class Isp:
    """A tenant with a router that must sign (the default) and one that need not."""

    world: World
    tenant: WorldTenant
    strict: Client
    lenient: Client


@pytest.fixture(scope="module")
def node(
    make_database: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Settings, World]]:
    """One process for all these tests, and a database: the shared one is tidied before each."""
    database_url = make_database()
    settings = Settings(
        data_dir=tmp_path_factory.mktemp("cve"),
        radius_auth_port=choose_free_port(),
        radius_acct_port=choose_free_port(),
        database_url=database_url,
        redis_url="redis://127.0.0.1:1/0",  # not needed
        secret_key="a secret key for tests, long enough",
    )
    world, processes = World(database_url, settings.secret_key), Processes(settings, settings.data_dir / "process.log")
    processes.start()
    yield settings, world
    processes.stop()
    world.connection.close()


@pytest.fixture
def isp(node: tuple[Settings, World]) -> Iterator[Isp]:
    """A tenant that the process has heard of."""
    settings, world = node
    tenant = world.tenant()
    _, strict = world.nas(tenant)
    _, lenient = world.nas(tenant, "lenient", message_authenticator="optional")
    world.subscriber(tenant, "alice", max_sessions=0)
    made = Isp(world, tenant, Client(settings, strict), Client(settings, lenient))
    for router in (made.strict, made.lenient):  # the process hears of each by itself, in whatever order
        wait_for(lambda router=router: not silence(router, status_request(router)))
    yield made
    made.strict.close()
    made.lenient.close()


def status_request(router: Client) -> bytes:
    body = encode.text(codes.NAS_IDENTIFIER, router.identifier)
    return router.signed(codes.STATUS_SERVER, secrets.token_bytes(16), body)


def counted(isp: Isp) -> dict[str, int]:
    return dict(
        isp.world.query(
            "SELECT kind || ' ' || outcome, sum(packets)::int FROM aaa.packet_count WHERE tenant_id = %s GROUP BY 1",
            isp.tenant.id,
        )
    )


def silence(router: Client, request: bytes) -> bool:
    return router.ask(request, timeout=0.2) is None


def first_attribute(answer: Packet | None) -> tuple[int, int]:
    assert answer is not None
    return answer.raw[20], answer.raw[21]


def test_a_login_without_message_authenticator_gets_no_answer(isp: Isp) -> None:
    assert silence(isp.strict, isp.strict.access("alice", message_authenticator=False))
    assert silence(isp.strict, isp.strict.access("alice", message_authenticator=False, method="chap"))
    wait_for(lambda: counted(isp).get("auth dropped:no_message_authenticator") == 2)


def test_with_proxy_state_it_is_required_whatever_the_setting(isp: Isp) -> None:
    bare = isp.lenient.access("alice", message_authenticator=False)
    assert isp.lenient.ask(bare).code == codes.ACCESS_ACCEPT
    assert silence(isp.lenient, isp.lenient.access("alice", message_authenticator=False, extra=PROXY_STATE))
    answer = isp.lenient.ask(isp.lenient.access("alice", extra=PROXY_STATE))
    assert answer.attributes[codes.PROXY_STATE] == PROXY_STATE[2:]  # echoed


def test_with_eap_it_is_required_whatever_the_setting(isp: Isp) -> None:
    extra = {"method": "eap", "extra": EAP_IDENTITY}
    assert silence(isp.lenient, isp.lenient.access("alice", message_authenticator=False, **extra))
    assert isp.lenient.ask(isp.lenient.access("alice", **extra)).code == codes.ACCESS_CHALLENGE


def test_a_wrong_a_cut_and_a_doubled_message_authenticator_get_no_answer(isp: Isp) -> None:
    for router in (isp.strict, isp.lenient):  # optional means that it may be missing, never that it may be wrong
        good = router.access("alice")
        at = good.index(b"\x50\x12")
        wrong = bytearray(good)
        wrong[at + 5] ^= 1
        assert silence(router, bytes(wrong))
        authenticator, body = secrets.token_bytes(16), good[at + 18 :]
        short = router.signed(codes.ACCESS_REQUEST, authenticator, b"\x50\x11" + bytes(15) + body, False)
        assert silence(router, short)
        twice = router.signed(codes.ACCESS_REQUEST, authenticator, b"\x50\x12" + bytes(16) + body)
        assert silence(router, twice)


def test_it_is_the_first_attribute_of_every_answer_also_to_those_who_sent_none(isp: Isp) -> None:
    router = isp.lenient
    answers = {
        codes.ACCESS_ACCEPT: router.access("alice", message_authenticator=False),
        codes.ACCESS_REJECT: router.access("alice", "wrong", message_authenticator=False),
        codes.ACCESS_CHALLENGE: router.access("alice", method="eap", extra=EAP_IDENTITY),
    }
    for code, request in answers.items():
        answer = router.ask(request)
        assert answer.code == code
        assert first_attribute(answer) == (codes.MESSAGE_AUTHENTICATOR, 18)
    assert first_attribute(router.ask(status_request(router))) == (codes.MESSAGE_AUTHENTICATOR, 18)


def test_a_replayed_login_gets_the_same_answer_and_is_not_decided_again(isp: Isp) -> None:
    request = isp.strict.access("alice")
    first = isp.strict.ask(request)
    isp.world.set(isp.tenant, "alice", state=2)  # whatever has changed meanwhile
    assert isp.strict.ask(request).raw == first.raw
    found = wait_for(lambda: (c := counted(isp)).get("auth duplicate") and c)
    assert found["auth accepted"] == 1


def test_a_replay_with_another_body_under_the_same_header_gets_no_answer(isp: Isp) -> None:
    for request in (isp.strict.access("alice"), isp.strict.accounting(codes.ACCT_START, "s1", "alice")):
        assert isp.strict.ask(request) is not None
        for at in (21, 40, len(request) - 1):
            changed = bytearray(request)
            changed[at] ^= 1
            assert silence(isp.strict, bytes(changed)), at
    assert "auth duplicate" not in counted(isp)


def test_a_replayed_report_from_elsewhere_changes_nothing(isp: Isp, node: tuple[Settings, World]) -> None:
    router = isp.strict
    requests = [
        router.accounting(codes.ACCT_START, "s1", "alice"),
        router.accounting(codes.ACCT_INTERIM, "s1", "alice", seconds=60, octets_in=1000, octets_out=2000),
        router.accounting(codes.ACCT_STOP, "s1", "alice", seconds=90, octets_in=1500, octets_out=2500),
    ]
    for request in requests:
        assert router.ask(request) is not None
    attacker = Client(node[0], router.identifier)  # another port: the answers kept for repeats are not his
    for request in (*requests[1:], requests[1]):
        attacker.ask(request, timeout=1)
    attacker.close()
    rows = [*isp.world.history(isp.tenant), *isp.world.sessions(isp.tenant)]
    assert [(row["octets_in"], row["octets_out"], row["seconds"]) for row in rows] == [(1500, 2500, 90)]
    assert isp.world.usage(isp.tenant) == (1500, 2500, 90)
