"""Free ports: what is chosen for two listeners of one installation must differ."""

import socket
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
