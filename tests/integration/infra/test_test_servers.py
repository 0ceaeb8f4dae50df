"""The fixtures themselves: what other tests rely on."""

from collections.abc import Callable

import psycopg
import redis

from infra.db import Database
from infra.outbox import OutboxRow
from infra.servers import resolve
from infra.settings import Settings
from infra.tenant_scope import TenantRef, tenant_scope
from tenants.usage.models import Session
from tests.fixtures.accounts import go_online, open_one, sell
from tests.fixtures.radius import World
from tests.fixtures.stock import Stock
from tests.fixtures.tenants import MakeTenant


def test_servers_are_real_and_new_enough(settings: Settings) -> None:
    servers = resolve(settings)
    with psycopg.connect(servers.database_url) as connection:
        assert connection.info.server_version >= 180000
    with redis.Redis.from_url(servers.redis_url) as connection:
        assert connection.dbsize() == 0


def test_chinese_text_has_trigrams(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")
        row = connection.execute("SELECT cardinality(show_trgm('上网账号'))").fetchone()
    assert row is not None
    assert row[0] == 5  # two leading spaces, four characters, one trailing space: five windows of three


def test_databases_are_apart(make_database: Callable[..., str]) -> None:
    first, second = make_database(migrated=False), make_database(migrated=False)
    with psycopg.connect(first) as connection:
        connection.execute("CREATE TABLE mark (n int)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT to_regclass('mark')").fetchone() == (None,)


def test_what_a_test_left_is_gone_when_the_next_begins(
    world: World, stock: Stock, database: Database, tenant: TenantRef, make_tenant: MakeTenant
) -> None:
    stranger, named = world.tenant(), make_tenant("of-a-slug-of-its-own")
    world.nas(stranger, auth_mode="address", address="127.0.0.1")
    for tenant_id in (tenant.id, 0):
        world.run("INSERT INTO work.outbox (tenant_id, topic, payload) VALUES (%s, 'mail.send', '{}')", tenant_id)
    world.run("INSERT INTO registry.nodes (node, kind, host, pid, started_at, heartbeat_at)"
              " VALUES ('a:1', 'radius', 'a', 1, now(), now())")  # fmt: skip
    world.run("UPDATE registry.tiers SET max_nas = 1")
    with tenant_scope(database, tenant) as scope:
        go_online(scope, open_one(scope, "alice", sell(scope)))
    stock.give_back("nobody asks for it", tenant)
    stock.tidy()
    ours = [0, stranger.id, named.id, tenant.id]  # others in stock may have had rows of their own from their beginning
    for table in ("registry.nas", OutboxRow.__table__.fullname, Session.__table__.fullname):
        assert world.query(f"SELECT * FROM {table} WHERE tenant_id = ANY(%s)", ours) == [], table
    assert world.query("SELECT * FROM registry.nodes") == []
    assert world.query("SELECT id FROM registry.tenants WHERE id = ANY(%s)", [stranger.id, named.id, tenant.id]) == [
        (tenant.id,)
    ]
    assert world.query("SELECT to_regnamespace(%s), to_regnamespace(%s)", f"t_{named.id}", f"t_{tenant.id}") == [
        (None, f"t_{tenant.id}")
    ]
    assert world.query("SELECT count(*) FROM registry.tiers WHERE max_nas = 1") == [(0,)]
    assert make_tenant("of-a-slug-of-its-own") != named
