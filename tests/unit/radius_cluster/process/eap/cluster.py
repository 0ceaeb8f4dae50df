"""Two EAP processes with one key, for the tests of this folder."""

from datetime import UTC, datetime

import pytest

from infra.certificates import make_authority, make_server_certificate
from radius_cluster.process.eap.server import ALL_METHODS, EapServer
from radius_cluster.process.eap.steps import Accept, Ask, Challenge, Reject, Step
from radius_cluster.process.eap.tls_profile import TlsProfile
from tests.unit.radius_cluster.process.eap.supplicant import (
    TlsSupplicant,
    identity,
)

KEY = bytes(range(32))
NOW = 1_800_000_000
NAS = b"7/1"
PASSWORD = "correct horse"
ISSUED = datetime(2027, 1, 1, tzinfo=UTC)
AUTHORITY = make_authority("Test ISP CA", ISSUED)
SERVER = make_server_certificate(AUTHORITY, ["radius.test"], ISSUED)


def profile(**options: int) -> TlsProfile:
    chain = SERVER.certificate_pem + AUTHORITY.certificate_pem
    return TlsProfile(chain, SERVER.key_pem, session_context=b"tenant-7", **options)


class Cluster:
    """Two processes with one key; ``receive`` goes to one of them, forwarded packets to their owner."""

    def __init__(self) -> None:
        self.one, self.other = EapServer(KEY, "one"), EapServer(KEY, "other")
        self.tls = {"one": profile(), "other": profile()}

    def receive(
        self,
        server: EapServer,
        eap: bytes,
        state_attribute: bytes = b"",
        *,
        now: int = NOW,
        binding: bytes = NAS,
        methods: tuple[int, ...] = ALL_METHODS,
        framed_mtu: int = 0,
    ) -> Step:
        name = "one" if server is self.one else "other"
        return server.receive(
            eap,
            state_attribute,
            binding=binding,
            now_seconds=now,
            tls=self.tls[name],
            methods=methods,
            framed_mtu=framed_mtu,
        )

    def start(self, method: int, name: bytes = b"alice", now: int = NOW) -> Challenge:
        step = self.receive(self.one, identity(name), methods=(method,), now=now)
        assert isinstance(step, Challenge)
        return step

    def converse(
        self, supplicant: TlsSupplicant, password: str | None = PASSWORD, *, now: int = NOW, framed_mtu: int = 0
    ) -> tuple[Accept | Reject, list[Step]]:
        """A whole TLS conversation with process one."""
        step: Step = self.start(supplicant.kind, now=now)
        steps: list[Step] = []
        while True:
            steps.append(step)
            match step:
                case Challenge():
                    eap = supplicant.respond(step.eap)
                    step = self.receive(self.one, eap, step.state, now=now, framed_mtu=framed_mtu)
                case Ask():
                    step = self.one.answer(step, password, now_seconds=now)
                case Accept() | Reject():
                    return step, steps
                case _:
                    pytest.fail(f"unexpected {step}")
