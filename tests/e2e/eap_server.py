"""A small RADIUS server around the EAP state machine, for eapol_test: ``python -m tests.e2e.eap_server [port]``.

One thread, one dict of users, ``processes`` state machines that take packets in turn: a packet that reaches the wrong
one is forwarded by its State, as the cluster does it.
"""

import os
import socket
import sys
import threading
import time
from datetime import UTC, datetime
from itertools import cycle

from infra.certificates import make_authority, make_server_certificate
from radius_cluster.process.eap.server import ALL_METHODS, EapServer
from radius_cluster.process.eap.steps import Accept, Ask, Challenge, Forward, Reject, Step
from radius_cluster.process.eap.tls_profile import TlsProfile
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, encode_access_response, parse, verify_request

SECRET = b"radius-secret"
USERS = {"alice": "correct horse"}


class EapTestServer:
    """Listens on a free port of 127.0.0.1 until closed; ``steps`` collects what happened."""

    def __init__(self, processes: int = 2, methods: tuple[int, ...] = ALL_METHODS, port: int = 0) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", port))
        self.port = self.socket.getsockname()[1]
        self.steps: list[Step] = []
        self.requests: list[Packet] = []
        self.users = dict(USERS)
        self.methods = methods
        now = datetime.now(UTC)
        self.authority = make_authority("Test ISP CA", now)
        server = make_server_certificate(self.authority, ["radius.test"], now)
        key = os.urandom(32)
        chain = server.certificate_pem + self.authority.certificate_pem
        self.servers = {name: EapServer(key, name) for name in (f"node-{n}" for n in range(processes))}
        self.profiles = {name: TlsProfile(chain, server.key_pem, session_context=b"tenant-1") for name in self.servers}
        self._turn = cycle(self.servers)
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """Stop listening."""
        self.socket.close()

    def answer(self, data: bytes) -> bytes | None:
        """What a request is answered with."""
        packet = parse(data)
        if isinstance(packet, str) or packet.code != codes.ACCESS_REQUEST or verify_request(packet, SECRET):
            return None
        self.requests.append(packet)
        step = self._step(packet, next(self._turn))
        match step:
            case Challenge():
                return encode_access_response(codes.ACCESS_CHALLENGE, packet, SECRET, step.attributes())
            case Accept():
                attributes = step.attributes(packet, SECRET, os.urandom(4))
                return encode_access_response(codes.ACCESS_ACCEPT, packet, SECRET, attributes)
            case Reject():
                return encode_access_response(codes.ACCESS_REJECT, packet, SECRET, step.attributes())
            case _:
                return None

    def _step(self, packet: Packet, name: str) -> Step:
        now = int(time.time())
        step = self.servers[name].receive(
            packet.eap_message(),
            packet.attributes.get(codes.STATE, b""),
            binding=b"tenant-1/nas-1",
            now_seconds=now,
            tls=self.profiles[name],
            methods=self.methods,
            framed_mtu=packet.number(codes.FRAMED_MTU),
        )
        self.steps.append(step)
        if isinstance(step, Forward):
            return self._step(packet, step.owner)
        while isinstance(step, Ask):
            step = self.servers[name].answer(step, self.users.get(step.user_name), now_seconds=now)
            self.steps.append(step)
        return step

    def _serve(self) -> None:
        while True:
            try:
                data, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self.answer(data)
            if answer is not None:
                self.socket.sendto(answer, peer)


if __name__ == "__main__":
    server = EapTestServer(port=int(sys.argv[1]) if len(sys.argv) > 1 else 0)
    print(f"listening on 127.0.0.1:{server.port}, secret {SECRET.decode()}, users {USERS}")
    threading.Event().wait()
