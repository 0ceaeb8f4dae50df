"""How near Broadloom is to what Python can do at all: two servers that decide nothing.

``python -m tests.bench.limits echo|md5 PORT``: ``echo`` sends each datagram back; ``md5`` does only the sums that a PAP
login cannot do without (verify the Message-Authenticator, uncover the password, sign the answer twice) and accepts
everybody with fixed attributes: no table of users, no rules, no counters, no database.
"""

import socket
import subprocess
import sys
import time
from pathlib import Path

from infra.ports import choose_free_port
from radius_cluster.listen.sockets import open_udp
from radius_cluster.wire.md5 import hmac_md5, md5
from tests.bench.tools import Target

_ROOT = Path(__file__).parent.parent.parent
_SECRET = b"radius-secret"
_ZEROS = bytes(16)
_AUTHENTICATOR_AT, _PASSWORD_AT = 22, 49  # in the generator's packets: Message-Authenticator, user name, password
_REPLY = bytes((26, 15, 0, 0, 0x3A, 0x8C, 8, 9)) + b"50M/50M" + bytes((27, 6, 0, 1, 0x51, 0x80, 85, 6, 0, 0, 1, 44))


def main() -> None:
    """Serve until killed."""
    opened = open_udp("127.0.0.1", int(sys.argv[2]))
    opened.setblocking(True)
    (_echo if sys.argv[1] == "echo" else _accept_all)(opened)


def _echo(opened: socket.socket) -> None:
    receive, send = opened.recvfrom, opened.sendto
    while True:
        data, source = receive(4096)
        send(data, source)


def _accept_all(opened: socket.socket) -> None:
    receive, send = opened.recvfrom, opened.sendto
    head = (38 + len(_REPLY)).to_bytes(2, "big")
    while True:
        data, source = receive(4096)
        authenticator = data[4:20]
        message = data[:_AUTHENTICATOR_AT] + _ZEROS + data[_AUTHENTICATOR_AT + 16 :]
        if hmac_md5(_SECRET, message) != data[_AUTHENTICATOR_AT : _AUTHENTICATOR_AT + 16]:
            continue
        key = md5(_SECRET + authenticator).digest()
        hidden = data[_PASSWORD_AT : _PASSWORD_AT + 16]
        (int.from_bytes(hidden, "big") ^ int.from_bytes(key, "big")).to_bytes(16, "big").rstrip(b"\0")
        start = b"\x02" + data[1:2] + head
        signed = hmac_md5(_SECRET, start + authenticator + b"\x50\x12" + _ZEROS + _REPLY)
        body = b"\x50\x12" + signed + _REPLY
        send(start + md5(start + authenticator + body + _SECRET).digest() + body, source)


class Limit:
    """One of the two servers as a process of its own."""

    def __init__(self, kind: str) -> None:
        port = choose_free_port()
        self._process = subprocess.Popen([sys.executable, "-m", "tests.bench.limits", kind, str(port)], cwd=_ROOT)
        self.target = Target(f"python-{kind}", port, port, (self._process.pid,))
        deadline = time.monotonic() + 10
        while not _is_bound(port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the {kind} server did not start")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()


def _is_bound(port: int) -> bool:
    return any(line.split()[1].endswith(f":{port:04X}") for line in Path("/proc/net/udp").read_text().splitlines()[1:])


if __name__ == "__main__":
    main()
