"""Who may come in by RadSec, as the registry says it; and the certificate that the server shows."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from infra import clock
from infra.crypto import CLUSTER_CERTIFICATE_KEY, RADSEC_PSK, SecretBox
from radius_cluster.radsec import credentials as module
from radius_cluster.radsec.credentials import Credential, Credentials, as_in_certificates, names_in
from radius_cluster.routing.directory import Directory
from tenants.network.rules_certificates import RENEW_BEFORE
from tests.fixtures.busy_machine import limit

TENANT, NAS, KEY = 7, 3, bytes(range(32))
NAMES = ["radsec.example", "2001:DB8::1", "example"]


class Registry:
    """What the statements find and write."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.server: dict[str, Any] | None = None
        self.looks = self.renewals = 0
        self.used: list[tuple[list[int], list[str]]] = []
        self.refuses = False

    async def fetch(self, statement: str) -> list[dict[str, Any]]:
        assert statement == module._CREDENTIALS
        self.looks += 1
        return self.rows

    async def fetchrow(self, _statement: str, name: str) -> dict[str, Any] | None:
        assert name == "radsec"
        return self.server

    async def execute(self, statement: str, *values: Any) -> None:
        if statement == module._USED:
            if self.refuses:
                raise OSError("read only")
            self.used.append((values[0], values[2]))
        elif statement == module._ADD_SERVER:
            names = ("authority_pem", "authority_key_sealed", "chain_pem", "key_sealed", "expires_at")
            self.server = dict(zip(names, values[1:], strict=True))
        else:
            assert statement == module._RENEW_SERVER
            assert self.server is not None
            self.renewals += 1
            self.server |= dict(zip(("chain_pem", "key_sealed", "expires_at"), values[1:], strict=True))


class Cloud:
    """The registry, and the process that reads it."""

    def __init__(self, names: list[str] = NAMES) -> None:
        self.registry, self.changes = Registry(), 0
        self.master, box = SecretBox(os.urandom(32)), SecretBox(os.urandom(32))
        directory = Directory()
        directory.tenants[TENANT] = cast(Any, SimpleNamespace(slug="one", box=box))
        self.credentials = Credentials("", self.master, directory, list(names), self._changed)
        self.box = box

    def _changed(self) -> None:
        self.changes += 1

    def add(self, identity: str, *, key: bytes | None = None, **columns: Any) -> None:
        sealed = None if key is None else self.box.seal(key, RADSEC_PSK)
        row = {"id": len(self.registry.rows) + 1, "tenant_id": TENANT, "nas_id": NAS, "identity": identity,
               "kind": "certificate" if key is None else "psk", "psk_sealed": sealed, "withdrawn": False,
               "expires_at": None, **columns}  # fmt: skip
        self.registry.rows.append(row)

    def run(self, story: Callable[[], Awaitable[None]]) -> None:
        """While the registry is followed."""

        async def follow() -> None:
            following = asyncio.create_task(self.credentials._serve(self.registry))
            await self.credentials.ready.wait()
            await story()
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

        asyncio.run(follow())

    def credential(self, identity: str) -> Credential:
        return self.credentials.by_identity[identity]


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(limit(5)):
        while not condition():
            await asyncio.sleep(0.005)


def test_keys_are_known_as_long_as_they_are_valid() -> None:
    cloud, now = Cloud(), clock.now().timestamp()
    cloud.add("cert")
    cloud.add("good", key=KEY)
    cloud.add("ends", key=KEY, expires_at=now + 3600)
    cloud.add("ended", key=KEY, expires_at=now - 1)
    cloud.add("withdrawn", key=KEY, withdrawn=True)
    cloud.add("stranger's", key=KEY, tenant_id=TENANT + 1)
    cloud.add("unreadable", key=KEY, psk_sealed=b"x" * 60)

    async def story() -> None:
        found = {name: cloud.credentials.find_key(name.encode()) for name in ("good", "ends", "ended", "withdrawn")}
        assert found == {"good": KEY, "ends": KEY, "ended": None, "withdrawn": None}
        for nobody in (b"cert", b"stranger's", b"unreadable", b"nobody", b"\xff"):
            assert cloud.credentials.find_key(nobody) is None
        assert sorted(cloud.credentials.by_identity) == ["cert", "ended", "ends", "good", "withdrawn"]
        assert cloud.credential("cert").is_valid(now)
        assert (cloud.credential("ends").is_valid(now + 3599), cloud.credential("ends").is_valid(now + 3600)) == (
            True, False,
        )  # fmt: skip

    cloud.run(story)


def test_what_the_registry_says_has_changed_is_read_at_once() -> None:
    cloud = Cloud()
    cloud.add("old")

    async def story() -> None:
        cloud.registry.rows.clear()
        cloud.add("new")
        changes = cloud.changes
        cloud.credentials.look(NAS)
        await until(lambda: "new" in cloud.credentials.by_identity)
        assert "old" not in cloud.credentials.by_identity
        assert cloud.changes == changes + 1

    cloud.run(story)


def test_a_thousand_routers_that_connect_have_nothing_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """After a restart all of them do: reading ten thousand credentials twenty times a second took half a process."""
    cloud = Cloud()
    cloud.add("one")
    cloud.add("two")

    async def story() -> None:
        for number in range(20):
            cloud.credentials.used(cloud.credential("one"), f"192.0.2.1:{number}")
            await asyncio.sleep(0.02)
        await until(lambda: cloud.registry.used[-1] == ([1], ["192.0.2.1:19"]))
        assert cloud.registry.looks == 1
        monkeypatch.setattr(module, "_LOOK_EVERY_SECONDS", 0.05)  # from the next look on
        cloud.credentials.look(NAS)
        for _ in range(20):
            cloud.credentials.used(cloud.credential("two"), "192.0.2.2:1")
            await asyncio.sleep(0.02)
        assert cloud.registry.looks > 3  # also where somebody connects all the time

    cloud.run(story)


def test_who_has_connected_is_written_down_later_where_it_cannot_be_now() -> None:
    cloud = Cloud()
    cloud.add("one")
    cloud.add("two")

    async def story() -> None:
        cloud.registry.refuses = True
        cloud.credentials.used(cloud.credential("one"), "192.0.2.1:1")
        cloud.credentials.used(cloud.credential("two"), "192.0.2.2:1")
        with pytest.raises(OSError):
            await cloud.credentials._save_used(cloud.registry)
        cloud.credentials.used(cloud.credential("one"), "192.0.2.1:2")
        cloud.registry.refuses = False
        await cloud.credentials._save_used(cloud.registry)
        await cloud.credentials._save_used(cloud.registry)
        assert [sorted(zip(*used, strict=True)) for used in cloud.registry.used] == [
            [(1, "192.0.2.1:2"), (2, "192.0.2.2:1")]
        ]

    cloud.run(story)


def test_the_server_has_one_certificate_until_it_ends_or_lacks_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SERVER_EVERY_SECONDS", 0.0)
    cloud = Cloud()

    async def story() -> None:
        server = cloud.registry.server
        assert server is not None
        assert cloud.credentials.server is not None
        assert cloud.credentials.server.chain_pem == server["chain_pem"].encode()
        assert cloud.master.open(server["key_sealed"], CLUSTER_CERTIFICATE_KEY) == cloud.credentials.server.key_pem
        assert names_in(cloud.credentials.server.chain_pem) == set(map(as_in_certificates, NAMES))

        async def look() -> None:
            looks = cloud.registry.looks
            cloud.credentials.look(NAS)
            await until(lambda: cloud.registry.looks > looks)

        await look()
        assert cloud.registry.renewals == 0  # an address may be written in several ways
        first = server["chain_pem"]
        server["expires_at"] = clock.now() + RENEW_BEFORE + timedelta(hours=1)
        await look()
        assert cloud.registry.renewals == 0
        server["expires_at"] = clock.now() + RENEW_BEFORE - timedelta(hours=1)
        await look()
        assert cloud.registry.renewals == 1
        assert server["chain_pem"] != first
        assert cloud.credentials.server.chain_pem == server["chain_pem"].encode()
        assert cloud.credentials.server.authority.certificate_pem == server["authority_pem"].encode()
        cloud.credentials._server_names.append("another.example")
        await look()
        assert cloud.registry.renewals == 2
        assert "another.example" in names_in(cloud.credentials.server.chain_pem)

    cloud.run(story)
