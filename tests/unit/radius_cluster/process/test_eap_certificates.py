"""Loading the TLS profiles of tenants: what goes wrong with one login or tenant is nobody else's trouble."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from infra.crypto import CERTIFICATE_KEY, SecretBox, new_data_key
from radius_cluster.counters import Counters
from radius_cluster.process import eap_certificates
from radius_cluster.process.eap_certificates import TenantTls
from radius_cluster.process.eap_request import EapLogins
from tenants.network.rules_certificates import make_pki
from tests.fixtures.busy_machine import limit

Row = dict[str, Any]


class Connection:
    def __init__(self) -> None:
        self.terminated = False

    def is_closed(self) -> bool:
        return self.terminated

    def terminate(self) -> None:
        self.terminated = True


class Registry(TenantTls):
    """One whose rows come from ``answer`` instead of a database."""

    def __init__(self, answer: Callable[[Any], Awaitable[Row]]) -> None:
        super().__init__("", "")
        self.answer = answer
        self.connections: list[Connection] = []

    async def _row(self, tenant: Any) -> Row:
        if self._connection is None:
            self._connection = Connection()
            self.connections.append(self._connection)
        return await self.answer(tenant)


def tenant(number: int) -> Any:
    return SimpleNamespace(id=number, slug=f"t{number}", box=BOX)


BOX = SecretBox(new_data_key())
MADE = make_pki("Authority", ["radius.example"], datetime(2026, 1, 1, tzinfo=UTC))


def row_of(version: int = 1) -> Row:
    sealed = BOX.seal(MADE.key_pem, CERTIFICATE_KEY)
    return {"chain_pem": MADE.chain_pem.decode(), "key_sealed": sealed, "version": version}


async def settled(tls: TenantTls) -> None:
    while tls._tasks:
        await asyncio.gather(*tls._tasks, return_exceptions=True)


def test_a_login_that_fails_leaves_none_of_the_others_waiting() -> None:
    told: list[tuple[str, bool]] = []

    def fails(_loaded: bool) -> None:
        raise RuntimeError("of this login")

    async def story() -> None:
        async def answer(_tenant: Any) -> Row:
            return row_of()

        tls = Registry(answer)
        tls.when_ready(tenant(1), lambda loaded: told.append(("first", loaded)))
        tls.when_ready(tenant(1), fails)
        tls.when_ready(tenant(1), lambda loaded: told.append(("third", loaded)))
        await settled(tls)

    asyncio.run(story())
    assert told == [("first", True), ("third", True)]


def test_such_a_login_is_given_up_and_counted() -> None:
    forgotten: list[str] = []
    nas = SimpleNamespace(tenant=tenant(1), counts={}, touched=False)
    request: Any = SimpleNamespace(nas=nas, packet=None, forget=forgotten.append)

    async def story() -> None:
        async def answer(_tenant: Any) -> Row:
            return row_of()

        tls = Registry(answer)
        logins = EapLogins(None, tls, Counters(), lambda _owner, _request: False)  # type: ignore[arg-type]
        logins.receive(request, lambda _request: None)  # without a server it fails
        await settled(tls)

    asyncio.run(story())
    assert forgotten == ["internal_error"]
    assert nas.counts == {("auth", "dropped:internal_error"): 1}


def test_one_tenants_unreadable_key_breaks_no_other_ones_connection() -> None:
    told: dict[int, bool] = {}

    async def story() -> list[Connection]:
        async def answer(of: Any) -> Row:
            if of.id == 1:
                return row_of() | {"key_sealed": b"nonsense"}
            await asyncio.sleep(0.01)  # meanwhile the first one is found to be unreadable
            assert not tls.connections[-1].terminated
            return row_of()

        tls = Registry(answer)
        for number in (1, 2):
            tls.when_ready(tenant(number), lambda loaded, number=number: told.update({number: loaded}))  # type: ignore[misc]
        await settled(tls)
        return tls.connections

    assert len(asyncio.run(story())) == 1
    assert told == {1: False, 2: True}


def test_while_the_registry_hangs_all_wait_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eap_certificates, "_TIMEOUT_SECONDS", 0.2)
    told: list[bool] = []

    async def story() -> float:
        async def answer(_tenant: Any) -> Row:
            await asyncio.Event().wait()
            raise AssertionError

        tls = Registry(answer)
        began = asyncio.get_running_loop().time()
        for number in range(20):
            tls.when_ready(tenant(number), told.append)
        await settled(tls)
        assert all(one.terminated for one in tls.connections)
        return asyncio.get_running_loop().time() - began

    assert asyncio.run(story()) < limit(1)  # not 20 times 0.2 s
    assert told == [False] * 20


def test_a_certificate_that_changes_while_it_is_loaded_is_loaded_again() -> None:
    asked: list[int] = []

    async def story() -> int:
        async def answer(_tenant: Any) -> Row:
            asked.append(1)
            if len(asked) == 1:
                tls.forget(1)
                return row_of(1)
            return row_of(2)

        tls = Registry(answer)
        tls.when_ready(tenant(1), lambda _loaded: None)
        await settled(tls)
        return tls._kept[1].version

    assert asyncio.run(story()) == 2
    assert len(asked) == 2
