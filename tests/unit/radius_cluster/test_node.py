"""What one RADIUS process does with what others of its host hand it."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.listen.peers import HAND_OVER, RECALL
from radius_cluster.node import Node


class Others:
    """The other processes of this host."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def staying(self, _prefix: str) -> list[str]:
        return ["host:2"]

    def send(self, _name: str, kind: int, _body: bytes) -> bool:
        self.asked.append(kind)
        return True


@pytest.fixture
def node(tmp_path: Path) -> Node:
    settings = Settings(data_dir=tmp_path, secret_key="a secret key for tests, long enough")
    made = Node(settings, Servers("postgresql://nobody@localhost/none", "redis://localhost"))
    made.peers = cast(Any, Others())
    made._loader.ready.set()
    return made


def test_a_packet_that_fails_here_leaves_the_way_to_the_others_open(node: Node) -> None:
    """What another process asks about is asked of nobody else; the next login, while the database is away, is."""
    taken: list[bool] = []
    request: Any = SimpleNamespace(source=("192.0.2.1", 1812), packet=SimpleNamespace(raw=b"login"))

    def take(data: bytes, source: tuple[Any, ...], _now: float) -> None:
        assert source == ("192.0.2.1", 1812)
        taken.append(node._ask_others(request))
        if data == b"broken":
            raise ValueError

    node._receivers = [cast(Any, SimpleNamespace(kind=kind, take=take)) for kind in ("auth",)]
    head = json.dumps(["auth", "192.0.2.1", 1812]).encode() + b"\n"
    with pytest.raises(ValueError):
        node._on_peer("host:2", RECALL, head + b"broken")
    assert taken == [False]
    assert node._ask_others(request)
    node._on_peer("host:2", RECALL, head + b"whole")
    node._on_peer("host:2", HAND_OVER, head + b"whole")
    node._on_peer("host:2", RECALL, json.dumps(["acct", "192.0.2.1", 1812]).encode() + b"\nreport")
    assert taken == [False, False, True]
