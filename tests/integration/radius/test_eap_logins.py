"""EAP logins through a whole process: what holds for other methods holds for them (RAD-2, RAD-9)."""

from collections.abc import Iterable

import pytest

from infra.settings import Settings
from radius_cluster.process.eap.message import FAILURE, MD5_CHALLENGE, MSCHAPV2
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, verify_response
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.unit.radius_cluster.process.eap.supplicant import identity, md5_response, mschapv2_response, nak

ACCEPT, REJECT, CHALLENGE = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT, codes.ACCESS_CHALLENGE
_REASONS = "SELECT reason, sum(repeats)::int FROM aaa.refused_packet WHERE tenant_id = %s GROUP BY 1"


class Device:
    """A device behind a router of its own port, so that several can be under way."""

    def __init__(self, router: Client, name: str, mac: str = "") -> None:
        self.router = router
        self.name = name
        self._calling = encode.text(codes.CALLING_STATION_ID, mac) if mac else b""

    def packet(self, eap: bytes, after: Packet | None = None) -> bytes:
        """An Access-Request with this EAP packet."""
        state = b"" if after is None else encode.octets(codes.STATE, after.value(codes.STATE))
        extra = encode.eap_messages(eap) + state + self._calling
        return self.router.access(self.name, method="eap", extra=extra)

    def challenged(self, method: int) -> Packet:
        """The method's own challenge, once the device has said that it wants no other."""
        offered = self.router.ask(self.packet(identity(self.name.encode())))
        return self.router.ask(self.packet(nak(offered.eap_message(), method), offered))

    def proof(self, password: str, method: int = MSCHAPV2) -> bytes:
        """The request that shows the password."""
        challenge = self.challenged(method)
        asked = challenge.eap_message()
        if method == MSCHAPV2:
            return self.packet(mschapv2_response(asked, password, self.name.encode()), challenge)
        return self.packet(md5_response(asked, password), challenge)

    def log_in(self, password: str, method: int = MSCHAPV2) -> Packet:
        """The last answer of a whole conversation."""
        answer = self.router.ask(self.proof(password, method))
        if answer.code == CHALLENGE:  # the server's own proof, which the device believes
            answer = self.router.ask(self.packet(mschapv2_response(answer.eap_message(), password), answer))
        return answer


def refused_at_once(settings: Settings, requests: Iterable[tuple[Client, bytes]]) -> list[Packet | str]:
    """Each refusal takes its second; together they take one."""
    asked = list(requests)
    for router, request in asked:
        router.socket.sendto(request, (settings.bind, settings.radius_auth_port))
    return [verify_response(router.socket.recvfrom(4096)[0], request[4:20], router.secret) for router, request in asked]


@pytest.mark.parametrize("method", [MSCHAPV2, MD5_CHALLENGE])
def test_a_guesser_who_is_locked_out_does_not_even_learn_that_he_has_found_it(
    world: World, processes: Processes, client, method: int
) -> None:
    """The server's own proof, which comes before the access decision, would tell him."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    guesser, own = "02-00-00-00-00-66", "02-00-00-00-00-01"
    guesses = [Device(client(identifier), "alice", guesser) for _ in range(10)]
    answers = refused_at_once(processes.settings, [(one.router, one.proof("guess", method)) for one in guesses])
    assert [answer.code for answer in answers] == [REJECT] * 10
    found = Device(client(identifier), "alice", guesser)
    answer = found.router.ask(found.proof("secret", method))
    assert answer.code == REJECT
    assert answer.eap_message()[0] == FAILURE
    assert Device(client(identifier), "alice", own).log_in("secret", method).code == ACCEPT
    wait_for(lambda: dict(world.query(_REASONS, tenant.id)) == {"wrong_password": 10, "locked_out": 1})


def test_a_device_named_by_its_mac_in_another_notation(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    for name in ("02:00:00:aa:bb:cc", "02:00:00:aa:bb:dd"):
        world.subscriber(tenant, name, max_sessions=0)
    processes.start()
    for method, name in ((MSCHAPV2, "02-00-00-AA-BB-CC"), (MD5_CHALLENGE, "020000aabbdd")):
        device = Device(client(identifier), name)
        assert device.log_in("secret", method).code == ACCEPT
        assert device.router.ask(device.proof("wrong", method)).code == REJECT
    stranger = Device(client(identifier), "02-00-00-AA-BB-EE")
    assert stranger.router.ask(stranger.proof("secret")).code == REJECT
    wait_for(lambda: dict(world.query(_REASONS, tenant.id)) == {"wrong_password": 2, "unknown_user": 1})


def test_a_refusal_has_no_sentence_beside_its_eap_message(world: World, processes: Processes, client) -> None:
    """Reply-Message must not stand in a packet that has an EAP-Message (RFC 3579, 2.6.5)."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    refused = {"disabled": {"state": 2}, "held": {"state": 3}}
    for name, columns in refused.items():
        world.subscriber(tenant, name, **columns)
    processes.start()
    devices = [Device(client(identifier), name) for name in (*refused, "stranger")]
    requests = [(device.router, device.proof("secret", MD5_CHALLENGE)) for device in devices]
    for answer in refused_at_once(processes.settings, requests):
        assert answer.code == REJECT
        assert answer.eap_message()[0] == FAILURE
        assert codes.REPLY_MESSAGE not in answer.attributes
    plain = devices[0].router.log_in("disabled")
    assert plain.text(codes.REPLY_MESSAGE) != ""
