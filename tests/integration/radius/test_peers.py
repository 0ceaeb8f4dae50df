"""Messages between the processes of a host: bursts, the dead, and folders whose names are long."""

import asyncio
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from radius_cluster.listen import peers
from radius_cluster.listen.peers import ASK, FORWARD, HELLO, Peers, owner_name
from tests.fixtures.busy_machine import limit


def test_a_burst_arrives_whole_and_in_order_and_a_dead_peer_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / ("a folder with a long name " * 5) / "run"  # beyond the 107 characters of a socket's path

    async def talk() -> None:
        got: list[tuple[str, int, bytes]] = []
        left = Peers(folder, owner_name("host", 1), lambda *message: None)
        right = Peers(folder, owner_name("host", 2), lambda *message: got.append(message))
        assert left.names() == ["host:2"]
        assert right.names("host") == ["host:1"]
        messages = [b"%d " % number + bytes(1000) for number in range(1000)]
        for message in messages:  # without a pause: more than the kernel queues
            assert left.send("host:2", FORWARD, message)
        for _ in range(500):
            if len(got) == 1000:
                break
            await asyncio.sleep(0.01)
        assert got == [("host:1", FORWARD, message) for message in messages]
        assert not left.send("host:3", ASK, b"x")
        assert not left.send("../host:2", ASK, b"x")
        assert not left.send("host:2\0", ASK, b"x")
        assert not left.send("\0", ASK, b"x")
        assert not left.send("host:1", ASK, b"x")  # itself
        right._socket.close()  # as a process that is killed: its file stays
        assert not left.send("host:2", ASK, b"x")
        assert left.names() == []
        left.close()
        asyncio.get_running_loop().remove_reader(right._socket)

    asyncio.run(talk())
    assert stat.S_IMODE((folder / "peers").stat().st_mode) == 0o700


def test_a_process_that_hangs_keeps_nothing_from_the_others(tmp_path: Path) -> None:
    """Stopped, or waiting for a disk: what it does not read waits for it alone, and not for ever."""

    async def talk() -> None:
        got: list[bytes] = []
        left = Peers(tmp_path, "left", lambda *message: None)
        hangs = Peers(tmp_path, "hangs", lambda _sender, _kind, body: got.append(body))
        right = Peers(tmp_path, "right", lambda _sender, _kind, body: got.append(body))
        loop = asyncio.get_running_loop()
        loop.remove_reader(hangs._socket)
        for number in range(600):  # more than any kernel queues
            assert left.send("hangs", FORWARD, b"%d" % number)
        assert left.send("right", FORWARD, b"now")
        async with asyncio.timeout(limit(2)):
            while b"now" not in got:
                await asyncio.sleep(0.005)
        waiting = left._waiting["hangs"]
        while waiting:  # whoever asked has asked again by then
            assert time.monotonic() - waiting[0][0] < limit(4)
            await asyncio.sleep(0.1)
        assert left.send("right", FORWARD, b"later")
        loop.add_reader(hangs._socket, hangs._on_readable)
        async with asyncio.timeout(limit(5)):
            while b"later" not in got or b"0" not in got:
                await asyncio.sleep(0.01)
        assert b"599" not in got
        got.clear()
        async with asyncio.timeout(limit(5)):
            while b"again" not in got:
                left.send("hangs", FORWARD, b"again")
                await asyncio.sleep(0.01)
        for one in (left, hangs, right):
            one.close()

    asyncio.run(talk())


def test_a_message_that_makes_no_sense_is_passed_over(tmp_path: Path) -> None:
    async def talk() -> None:
        got: list[tuple[str, int, bytes]] = []

        def on_message(sender: str, kind: int, body: bytes) -> None:
            if body == b"bad":
                raise ValueError("cannot be read")
            got.append((sender, kind, body))

        left = Peers(tmp_path, "left", lambda *message: None)
        right = Peers(tmp_path, "right", on_message)
        left._socket.sendto(b"\xff", right._path("right"))
        left.send("right", ASK, b"bad")
        left.send("right", ASK, b"good")
        await asyncio.sleep(0.05)
        assert got == [("left", ASK, b"good")]
        left.close()
        right.close()

    asyncio.run(talk())


def test_who_is_about_to_end_is_given_nothing_more(tmp_path: Path) -> None:
    async def talk() -> None:
        left = Peers(tmp_path, owner_name("host", 1), lambda *message: None)
        right = Peers(tmp_path, owner_name("host", 2), lambda *message: None)
        assert left.staying("host:") == ["host:2"]
        right.leave()
        assert left.staying("host:") == []
        assert left.names("host:") == ["host:2"]  # it still answers what only it can
        assert left.send("host:2", HELLO, b"")
        right.close()
        right = Peers(tmp_path, owner_name("host", 2), lambda *message: None)  # the number is used again
        assert left.staying("host:") == ["host:2"]
        right._socket.close()  # killed
        assert not left.send("host:2", HELLO, b"")
        assert left.staying("host:") == []
        left.close()
        asyncio.get_running_loop().remove_reader(right._socket)

    asyncio.run(talk())


def test_nothing_is_kept_of_processes_that_have_ended(tmp_path: Path) -> None:
    """One that is started again and again has another name each time."""

    async def talk() -> None:
        left = Peers(tmp_path, "left", lambda *message: None)
        before = len(os.listdir("/proc/self/fd"))
        for number in range(20):
            other = Peers(tmp_path, f"coa@host:{number}", lambda *message: None)
            for peer in left.names("coa@"):
                assert left.send(peer, HELLO, b"")
            other.close()
        assert left.names() == []
        assert len(os.listdir("/proc/self/fd")) == before
        left.close()

    asyncio.run(talk())


def test_what_waits_for_a_process_has_a_limit_and_goes_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peers, "_MOST_WAITING", 50)

    async def talk() -> None:
        got: list[bytes] = []
        left = Peers(tmp_path, "left", lambda *message: None)
        hangs = Peers(tmp_path, "hangs", lambda _sender, _kind, body: got.append(body))
        loop = asyncio.get_running_loop()
        loop.remove_reader(hangs._socket)
        sent = 0
        while left.send("hangs", FORWARD, b"%d" % sent):
            sent += 1
        assert len(left._waiting["hangs"]) == 50
        hangs._on_readable()  # there is room again, and what comes now is no sooner there than what waits
        left._send_waiting()
        left.send("hangs", FORWARD, b"%d" % sent)
        loop.add_reader(hangs._socket, hangs._on_readable)
        async with asyncio.timeout(limit(5)):
            while len(got) < sent + 1:
                await asyncio.sleep(0.01)
        assert got == [b"%d" % number for number in range(sent + 1)]
        assert left.names("right") == []
        left.close()
        assert left.is_closed
        hangs.close()
        assert list((tmp_path / "peers").iterdir()) == []

    asyncio.run(talk())


@pytest.mark.parametrize("message", [b"", b"\x00", b"\x04left", b"\x04lef", b"\xff" + bytes(20)])
def test_a_message_that_is_cut_short_calls_nobody(tmp_path: Path, message: bytes) -> None:
    async def talk() -> None:
        got: list[object] = []
        right = Peers(tmp_path, "right", lambda *message: got.append(message))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.sendto(message, right._path("right"))
            sender.sendto(b"\x04left\x07", right._path("right"))
        right._on_readable()
        assert got == [("left", HELLO, b"")]
        right.close()

    asyncio.run(talk())
