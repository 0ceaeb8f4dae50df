"""The little resolver: bounded waits, answers of the right server to the right question only."""

import asyncio
import struct
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.gateways.dns import A, Answer, encode_query, parse_servers, read_answer, resolve_all, system_servers
from tests.fixtures.name_server import NameServer

QUERY = encode_query(7, "router.example", A)


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.close()


def test_names_with_without_and_unknown(server: NameServer) -> None:
    server.names = {"both.example": ["203.0.113.7", "2001:db8::7"], "none.example": [], "Big.Example": ["192.0.2.1"]}
    asked = ["both.example", "none.example", "gone.example", "Big.Example"]
    found = asyncio.run(resolve_all(asked, parse_servers(server.setting), within_seconds=5))
    assert found == {
        "both.example": Answer(("203.0.113.7", "2001:db8::7")),
        "none.example": Answer(error="no_address"),
        "gone.example": Answer(error="no_such_name"),
        "Big.Example": Answer(("192.0.2.1",)),
    }


def test_silence_holds_up_nobody(server: NameServer) -> None:
    server.names = {"good.example": ["203.0.113.7"]}
    server.silent = {f"silent{number}.example" for number in range(40)}
    began = time.monotonic()
    names = [*sorted(server.silent), "good.example"]
    # Less time than the tries for the silent ones take.
    found = asyncio.run(resolve_all(names, parse_servers(server.setting), within_seconds=2))
    assert time.monotonic() - began < 10
    assert found["good.example"] == Answer(("203.0.113.7",))
    assert {found[name].error for name in server.silent} == {"no_answer"}


def test_without_any_server_nothing_is_found() -> None:
    assert asyncio.run(resolve_all(["a.example"], [], within_seconds=1)) == {"a.example": Answer(error="no_answer")}


def test_the_systems_servers(tmp_path: Path) -> None:
    config = tmp_path / "resolv.conf"
    config.write_text("# comment\nsearch example\nnameserver 192.0.2.1\nnameserver fe80::1%eth0\nnameserver\n")
    assert system_servers(config) == [("192.0.2.1", 53), ("fe80::1", 53)]
    assert system_servers(tmp_path / "missing") == []
    with pytest.raises(ValueError):
        parse_servers("not-an-address")


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_or_not(data: bytes, framed: bool) -> None:
    answer = read_answer(QUERY[:2] + b"\x81\x80\x00\x01" + data if framed else data, QUERY, A)
    assert answer is None or isinstance(answer, Answer)


def test_a_chain_ends_in_its_address_and_other_questions_do_not_count() -> None:
    record = struct.pack(">HHHIH", 0xC00C, 5, 1, 60, 4) + b"\x01a\xc0\x0c"
    record += b"\x01a\xc0\x0c" + struct.pack(">HHIH", 1, 1, 60, 4) + bytes((203, 0, 113, 7))
    head = QUERY[:2] + struct.pack(">HHHHH", 0x8180, 1, 2, 0, 0)
    assert read_answer(head + QUERY[12:] + record, QUERY, A) == Answer(("203.0.113.7",))
    other = encode_query(7, "another.example", A)
    assert read_answer(head + other[12:] + record, QUERY, A) is None
    assert read_answer(b"\x00\x08" + head[2:] + QUERY[12:] + record, QUERY, A) is None
    with pytest.raises(ValueError):
        encode_query(1, "a..b", A)
