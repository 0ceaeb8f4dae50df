"""The probe of the start: signed requests out, only genuine answers in."""

import hashlib
import socket
import struct
import threading
from collections.abc import Callable

import pytest

from portals.commands._radius_probe import ProbeAnswer, send_access_request

SECRET = "radius-secret"
ATTRIBUTES = (
    bytes([27, 6]) + struct.pack("!I", 3600)  # Session-Timeout
    + bytes([26, 15]) + struct.pack("!I", 14988) + bytes([8, 9]) + b"50M/50M"  # Mikrotik-Rate-Limit
    + bytes([8, 6, 10, 0, 0, 7])  # Framed-IP-Address
)  # fmt: skip


def ask(answer_with: Callable[[bytes], bytes]) -> ProbeAnswer:
    """Ask a server of one packet that answers with what the function makes of the request."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(5)

        def serve() -> None:
            request, client = server.recvfrom(4096)
            server.sendto(answer_with(request), client)

        thread = threading.Thread(target=serve)
        thread.start()
        answer = send_access_request(
            server.getsockname(),
            user="li",
            password="p" * 20,
            nas_identifier="demo-1",
            secret=SECRET,
            timeout_seconds=2,
        )
        thread.join()
    return answer


def signed(request: bytes, code: int, secret: str = SECRET) -> bytes:
    head = struct.pack("!BBH", code, request[1], 20 + len(ATTRIBUTES))
    digest = hashlib.md5(head + request[4:20] + ATTRIBUTES + secret.encode()).digest()
    return head + digest + ATTRIBUTES


def test_an_accept_is_shown_with_its_attributes() -> None:
    answer = ask(lambda request: signed(request, 2))
    assert answer.kind == "Access-Accept"
    assert answer.attributes == [
        ("Session-Timeout", "3600"),
        ("Mikrotik-Rate-Limit", '"50M/50M"'),
        ("Framed-IP-Address", "10.0.0.7"),
    ]


def test_a_reject_is_a_reject() -> None:
    assert ask(lambda request: signed(request, 3)).kind == "Access-Reject"


@pytest.mark.parametrize(
    "forge", [lambda r: signed(r, 2, "wrong-secret"), lambda r: signed(r, 2)[:-1], lambda _r: b"\2"]
)
def test_a_forged_or_cut_answer_is_no_answer(forge: Callable[[bytes], bytes]) -> None:
    assert ask(forge) == ProbeAnswer("", [])


def test_silence_is_no_answer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        address = silent.getsockname()
        answer = send_access_request(
            address, user="li", password="p", nas_identifier="n", secret=SECRET, timeout_seconds=0.1
        )
    assert answer.kind == ""
