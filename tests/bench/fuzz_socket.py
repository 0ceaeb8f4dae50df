"""Millions of random and mutated packets at the sockets: ``python -m tests.bench.fuzz_socket [count] [seed]`` (RAD-9).

A real node process gets them on both ports. It may not crash, not grow, not answer what does not verify (neither a
change of a request that it has just answered), and what it counts must be what was sent. A valid request after each
batch shows that it serves on, and that its socket's buffer is empty again. Ends with exit code 1 otherwise.
"""

import random
import socket
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, verify_response
from tests.bench.fuzz_codec import mutate
from tests.bench.tools import resident_megabytes
from tests.fixtures.own_installation import own_installation
from tests.fixtures.radius import Client, Processes, World, wait_for

_MOST_GROWTH_MEGABYTES = 4.0
_HEARTBEAT = "SELECT heartbeat_at FROM registry.nodes WHERE pid = %s AND kind = 'radius'"
_COUNTED = "SELECT COALESCE(sum(packets), 0)::bigint FROM aaa.packet_count WHERE kind IN ('auth', 'acct', 'other')"


@dataclass
class Fuzzed:
    """What one run showed."""

    sent: int
    valid: int
    answered_wrongly: int
    counted: int
    seconds: float
    grown_megabytes: float
    resident: float

    def wrong(self) -> list[str]:
        """What did not hold."""
        found = []
        if self.answered_wrongly:
            found.append(f"{self.answered_wrongly} answers to packets that do not verify")
        if self.counted != self.sent + self.valid:
            found.append(f"{self.sent + self.valid} packets were sent, {self.counted} counted")
        if self.grown_megabytes > _MOST_GROWTH_MEGABYTES:
            found.append(f"the process grew by {self.grown_megabytes:.1f} MB")
        return found

    def line(self) -> str:
        """For people."""
        return (
            f"{self.sent} packets and {self.valid} valid requests between them in {self.seconds:.0f} s;"
            f" {self.counted} counted; wrongly answered: {self.answered_wrongly};"
            f" memory {self.resident:.1f} MB, grown by {self.grown_megabytes:.1f} MB since the first tenth"
        )


class _Noise:
    """Makes packets: mutations of valid ones, random ones with and without a plausible header."""

    def __init__(self, router: Client, stranger: Client, liar: Client, seed: int) -> None:
        self.random = random.Random(seed)
        status = encode.text(codes.NAS_IDENTIFIER, router.identifier)
        self.valid = [
            router.access("alice"),
            router.access("alice", method="chap"),
            router.access("alice", extra=encode.octets(codes.PROXY_STATE, b"x" * 30)),
            router.access("alice", method="eap", extra=encode.eap_messages(b"\x02\x01\x00\x0a\x01alice")),
            router.signed(codes.STATUS_SERVER, bytes(range(16)), status),
            router.accounting(codes.ACCT_START, "s1", "alice"),
            router.accounting(codes.ACCT_INTERIM, "s1", "alice", seconds=10, octets_in=1 << 33, octets_out=7),
            router.accounting(codes.ACCT_STOP, "s1", "alice", seconds=20),
            router.accounting(codes.ACCT_ON, "", ""),
        ]
        self.unverified = [
            router.access("alice", message_authenticator=False),
            stranger.access("alice"),
            liar.access("alice"),
            liar.accounting(codes.ACCT_START, "s1", "alice"),
        ]

    def packet(self) -> bytes:
        """One that must not be answered."""
        random = self.random
        kind = random.random()
        if kind < 0.6:
            raw = random.choice(self.valid)
            data = mutate(raw, random)
            # Octets beyond the length field are padding (RFC 2865, 3): such a packet is the valid one.
            return self.packet() if data[: int.from_bytes(data[2:4], "big")] == raw else data
        if kind < 0.7:
            return random.choice(self.unverified)
        size = min(4200, int(random.expovariate(1 / 200)))
        if kind < 0.85:
            return random.randbytes(size)
        head = bytes((random.choice((1, 2, 4, 11, 12, 40, 43)), random.randrange(256)))
        return head + (20 + size).to_bytes(2, "big") + random.randbytes(16 + size)


def fuzz(world: World, settings: Settings, pid: int, count: int, seed: int = 1, batch: int = 1024) -> Fuzzed:
    """Send so many packets to the process. The counters must be at rest before, and only this traffic in between."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    router, ports = Client(settings, identifier), (settings.radius_auth_port, settings.radius_acct_port)
    others = Client(settings, f"{tenant.prefix}-unknown"), Client(settings, identifier, "not the secret")
    wait_for(lambda: router.ask(router.access("alice"), timeout=0.2))  # the process knows the new router
    before = _settled(world, pid)
    noise = _Noise(router, *others, seed)
    noisy = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    began, first, sent, valid, wrongly = time.perf_counter(), 0.0, 0, 0, 0
    while sent < count:
        for number in range(min(batch, count - sent)):
            noisy.sendto(noise.packet(), (settings.bind, ports[number % 2]))
            sent += 1
        for port, request in zip(
            ports,
            (router.access("alice"), router.accounting(codes.ACCT_INTERIM, "s1", "alice", seconds=sent % 1000)),
            strict=True,
        ):
            changed = bytearray(request)
            changed[-1] ^= 1  # with the same header
            router.socket.settimeout(10)
            router.socket.sendto(request, (settings.bind, port))
            wrongly += not isinstance(_answer(router, request), Packet)
            router.socket.sendto(changed, (settings.bind, port))
            sent, valid = sent + 1, valid + 1
        wrongly += _anything(noisy) + _anything(router.socket)
        if not first and sent > count // 10:
            first = resident_megabytes(pid)
    seconds = time.perf_counter() - began
    counted = _settled(world, pid) - before
    time.sleep(0.2)
    wrongly += _anything(noisy) + _anything(router.socket)
    resident = resident_megabytes(pid)
    for one in (router, *others):
        one.close()
    noisy.close()
    return Fuzzed(sent, valid, wrongly, counted, seconds, resident - first, resident)


def _answer(router: Client, request: bytes) -> Packet | str:
    data, _ = router.socket.recvfrom(4096)
    return verify_response(data, request[4:20], router.secret)


def _anything(opened: socket.socket) -> int:
    """Datagrams that came, which none should."""
    came = 0
    opened.setblocking(False)
    while True:
        try:
            opened.recv(4096)
        except BlockingIOError:
            return came
        except OSError:
            continue
        came += 1


def _settled(world: World, pid: int) -> int:
    """All packets counted, once the process has reported everything: its second heartbeat from now on follows a report
    that began after now.
    """
    for _ in range(2):
        last = world.query(_HEARTBEAT, pid)
        wait_for(lambda last=last: world.query(_HEARTBEAT, pid) != last)  # type: ignore[misc]
    return int(world.query(_COUNTED)[0][0])


def main(count: int, seed: int) -> int:
    """Exit code 1 when something did not hold."""
    with own_installation() as own, tempfile.TemporaryDirectory(prefix="broadloom-fuzz-") as logs:
        world = World(own.settings.database_url, own.settings.secret_key)
        processes = Processes(own.settings, Path(logs) / "process.log")
        process = processes.start()
        try:
            done = fuzz(world, own.settings, process.pid, count, seed)
            alive = process.poll() is None
        finally:
            processes.stop()
        reasons = Counter(
            {
                f"{kind} {outcome}": packets
                for kind, outcome, packets in world.query(
                    "SELECT kind, outcome, sum(packets)::bigint FROM aaa.packet_count GROUP BY 1, 2"
                )
            }
        )
        world.connection.close()
        failed = processes.logs().count("packet_failed")
    print(done.line())
    for outcome, packets in reasons.most_common():
        print(f"  {packets:>9} {outcome}")
    wrong = [*done.wrong(), *([] if alive else ["the process died"]), *([f"{failed} raised"] if failed else [])]
    print("\n".join(wrong) or "Everything held.")
    return 1 if wrong else 0


if __name__ == "__main__":
    arguments = [int(word) for word in sys.argv[1:]]
    sys.exit(main(arguments[0] if arguments else 5_000_000, arguments[1] if len(arguments) > 1 else 1))
