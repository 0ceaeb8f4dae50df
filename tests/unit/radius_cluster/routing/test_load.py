"""The directory in a registry that changes all the time (RAD-10), with a connection that is none."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infra.crypto import DATA_KEY, NAS_SECRET, SecretBox
from radius_cluster.listen import stay_connected
from radius_cluster.routing import load
from radius_cluster.routing.directory import Directory
from radius_cluster.routing.on_disk import DirectoryOnDisk, DirectoryRows


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

    async def connect(_url: str, _name: str, _longest: float) -> Registry:
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


def test_a_router_whose_row_cannot_be_used_keeps_no_other_from_serving() -> None:
    """Options that are no object, by whatever hand: the whole directory had not been loaded."""
    master, key = SecretBox(os.urandom(32)), os.urandom(32)
    secret = SecretBox(key).seal(b"radius-secret", NAS_SECRET)
    tenant = {
        "id": 7, "slug": "one", "nas_prefix": "one", "cell": "main", "state": "active", "locale": "en",
        "timezone": "UTC", "interim_seconds": 300, "max_session_seconds": 0, "stale_intervals": 4,
        "data_key_wrapped": master.seal(key, DATA_KEY + b"7"),
    }  # fmt: skip

    def nas(number: int, options: str) -> dict[str, Any]:
        return {
            "id": number, "tenant_id": 7, "identifier": f"one-nas{number}", "vendor": "mikrotik",
            "secret_sealed": secret, "auth_mode": "address", "address": None, "ddns_addresses": [], "coa_port": 3799,
            "message_authenticator": "required", "invert_directions": False, "region_id": None, "options": options,
            "first_packet_at": None, "first_accept_at": None, "first_online_at": None,
        }  # fmt: skip

    directory = Directory()
    loader = load.DirectoryLoader("", master, directory)
    rows = [nas(1, "{}"), nas(2, '"coa_rate"'), nas(3, "[1]"), nas(4, '{"coa_rate": 5}')]
    asyncio.run(loader._put_all(DirectoryRows("x", [tenant], rows, [])))
    assert sorted(directory.nas) == [1, 4]
    assert sorted(directory.by_identifier) == [b"one-nas1", b"one-nas4"]
