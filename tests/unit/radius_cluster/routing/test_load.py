"""The directory in a registry that changes all the time (RAD-10), with a connection that is none."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.crypto import SecretBox
from radius_cluster.listen import stay_connected
from radius_cluster.routing import load
from radius_cluster.routing.directory import Directory
from radius_cluster.routing.on_disk import DirectoryOnDisk


class Registry:
    """A connection to a registry without rows, whose state is another at every look."""

    def __init__(self) -> None:
        self.looks = 0
        self.notify: Callable[..., None] = lambda *_: None

    async def add_listener(self, _channel: str, on_change: Callable[..., None]) -> None:
        self.notify = on_change

    def add_termination_listener(self, _on_end: Any) -> None:
        pass

    async def fetchval(self, _statement: str) -> str:
        self.looks += 1
        return f"state {self.looks}"

    async def fetch(self, *_: Any) -> list[Any]:
        return []

    async def fetchrow(self, *_: Any) -> None:
        return None

    def is_closed(self) -> bool:
        return False

    def terminate(self) -> None:
        pass


def test_a_busy_registry_does_not_put_off_what_is_kept_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    monkeypatch.setattr(load, "_LOOK_EVERY_SECONDS", 0.05)

    async def connect(_url: str, _name: str) -> Registry:
        return registry

    monkeypatch.setattr(stay_connected, "connect", connect)
    file = tmp_path / "directory.json"

    async def run() -> None:
        loader = load.DirectoryLoader("", SecretBox(os.urandom(32)), Directory(), DirectoryOnDisk(file))
        running = asyncio.create_task(loader.run())
        await loader.ready.wait()
        first, deadline = "", asyncio.get_running_loop().time() + 5
        while asyncio.get_running_loop().time() < deadline:
            registry.notify(registry, 0, "broadloom_directory", "nas:1")  # more often than we look
            await asyncio.sleep(0.01)
            saved = DirectoryOnDisk(file).load()
            first = first or (saved.fingerprint if saved else "")
            if saved is not None and saved.fingerprint != first:
                break
        else:
            raise AssertionError("saved at the start only")
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(run())
