"""Free ports: what is chosen for two listeners of one installation must differ."""

import os
import socket
import subprocess
import sys
from collections import deque

import pytest

from infra import ports


def test_the_same_port_is_not_chosen_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = iter([23456, 23456, 23456, 23457])
    monkeypatch.setattr(ports, "_given", deque())
    monkeypatch.setattr(ports, "bind_problem", lambda *_: None)
    monkeypatch.setattr(ports.random, "randint", lambda *_: next(chosen))
    assert [ports.choose_free_port(), ports.choose_free_port()] == [23456, 23457]


def test_a_port_that_a_udp_server_has_is_not_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        number = taken.getsockname()[1]
        free = ports.choose_free_port()
        chosen = iter([number, free + 1, *range(free + 2, free + 50)])
        monkeypatch.setattr(ports.random, "randint", lambda *_: next(chosen))
        assert ports.choose_free_port() != number


def test_what_another_program_was_given_is_not_chosen_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both would open it, where it is shared, and each get half of the packets."""
    monkeypatch.setattr(ports, "_reserved", deque())
    given = ports.choose_free_port()
    tries = f"from infra.ports import _reserve; print(_reserve({given}))"
    assert subprocess.run([sys.executable, "-c", tries], capture_output=True, check=True).stdout == b"False\n"
    chosen = iter([given, given + 1])
    monkeypatch.setattr(ports, "_given", deque())
    monkeypatch.setattr(ports, "bind_problem", lambda *_: None)
    monkeypatch.setattr(ports.random, "randint", lambda *_: next(chosen))
    assert ports.choose_free_port() == given + 1
    for reserved in ports._reserved:
        os.close(reserved)


def test_few_stay_reserved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_reserved", deque())
    first = ports.choose_free_port()
    assert not ports._reserve(first)
    others = [ports.choose_free_port() for _ in range(64)]
    assert ports._reserve(first)
    assert not ports._reserve(others[-1])
    assert len(ports._reserved) == 64
    for reserved in ports._reserved:
        os.close(reserved)
