"""The fixtures themselves: what other tests rely on."""

from collections.abc import Callable

import psycopg
import redis

from infra.servers import resolve
from infra.settings import Settings


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
