"""A router behind a dynamic DNS name: found where the name points, also when the name servers are away (NET-2)."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

import workers.context
from infra.settings import Settings
from radius_cluster.wire import codes
from tests.fixtures.name_server import NameServer
from tests.fixtures.radius import Client, Processes, World, wait_for
from workers.context import Context
from workers.jobs.dynamic_names import resolve_names


@pytest.fixture
def name_server(job_context: Context, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[NameServer]:
    """The job asks this one."""
    made = NameServer()
    own = dataclasses.replace(job_context, settings=dataclasses.replace(settings, dns_servers=made.setting))
    monkeypatch.setattr(workers.context, "_context", own)
    yield made
    made.close()


def test_a_router_that_moves(
    name_server: NameServer, world: World, processes: Processes, client: Callable[..., Client]
) -> None:
    tenant = world.tenant()
    name = f"{tenant.prefix}.dyn.example"
    nas_id, _ = world.nas(tenant, auth_mode="ddns", ddns_name=name)
    world.subscriber(tenant, "alice", max_sessions=0)
    name_server.names[name] = ["127.0.0.21", "224.0.0.1"]
    assert resolve_names() == 1
    assert resolve_names() == 0
    processes.start()
    here, there = client("", address="127.0.0.21"), client("", address="127.0.0.22")

    def enters(router: Client, seconds: float = 5.0) -> bool:
        answer = router.ask(router.access("alice"), timeout=seconds)
        return answer is not None and answer.code == codes.ACCESS_ACCEPT

    assert enters(here)
    assert not enters(there, 0.3)
    name_server.names[name] = ["127.0.0.22"]
    assert resolve_names() == 1
    wait_for(lambda: enters(there, 0.5))  # the nodes are told at once
    assert not enters(here, 0.3)

    facts = "SELECT ddns_addresses, ddns_error, ddns_resolved_at = ddns_checked_at FROM registry.nas WHERE id = %s"
    assert world.query(facts, nas_id) == [(["127.0.0.22"], "", True)]
    del name_server.names[name]
    assert resolve_names() == 0
    assert world.query(facts, nas_id) == [(["127.0.0.22"], "no_such_name", False)]  # the last good answer stays
    assert enters(there)
