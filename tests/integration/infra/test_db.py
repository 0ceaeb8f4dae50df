"""Transactions behind their walls, and pooled connections that live through what befalls them."""

import socket

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError, ProgrammingError
from sqlalchemy.orm import Session

from infra.db import APP_ROLE, MAIN_CELL, Database, ask
from infra.driver import SHORT_STATEMENTS


def facts(session: Session) -> tuple[str, str, int]:
    """(role, tenant, server process) of the transaction."""
    sql = "SELECT current_user, current_setting('broadloom.tenant_id', true), pg_backend_pid()"
    role, tenant, process = session.execute(text(sql)).one()
    return role, tenant, process


def test_each_transaction_stands_behind_its_walls(database: Database) -> None:
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        first = facts(session)
        session.commit()
        assert facts(session) == first
    assert first[:2] == (APP_ROLE, "7")
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=8) as session:
        assert facts(session)[1] == "8"
    with database.owner_connection() as connection:
        role, tenant = connection.execute(
            text("SELECT current_user, current_setting('broadloom.tenant_id', true)")
        ).one()
        assert role != APP_ROLE
        assert not tenant


def test_a_connection_that_the_server_closed_while_it_rested_is_replaced(database_url: str) -> None:
    database = Database(database_url)
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        process = facts(session)[2]
    with psycopg.connect(database_url, autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        assert facts(session)[2] != process
    database.dispose()


def test_statements_stay_prepared_over_a_refusal(database_url: str) -> None:
    database = Database(database_url)
    count = text("SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE '%kept over%'")
    with database.session(MAIN_CELL, APP_ROLE) as session:
        for _ in range(8):
            session.execute(text("SELECT CAST(:n AS int) AS kept_over, 'kept over'"), {"n": 1})
        assert session.scalar(count) == 1
        session.rollback()
        assert session.scalar(count) == 1
        with pytest.raises(DBAPIError):
            session.execute(text("SELECT 1/0"))
        session.rollback()
        assert facts(session)[0] == APP_ROLE
    database.dispose()


def test_a_hot_statement_shares_the_transaction_and_its_walls(database: Database) -> None:
    sql = "SELECT current_user, current_setting('broadloom.tenant_id', true), $1::int + 1, $2::text"
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        for _ in range(2):  # prepared, then known
            assert ask(session, sql, ["41", None]) == [[APP_ROLE.encode(), b"7", b"42", None]]
        assert ask(session, "SELECT 1 WHERE false", []) == []


def test_a_hot_statement_is_known_again_after_a_savepoint_was_undone(database: Database) -> None:
    sql = "SELECT $1::text"
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        for _ in range(8):  # so often that psycopg has prepared statements of its own, and drops all of them
            assert session.execute(text("SELECT 1")).scalar_one() == 1
        assert ask(session, sql, ["a"]) == [[b"a"]]
        session.begin_nested().rollback()
        assert session.execute(text("SELECT 1")).scalar_one() == 1
        assert ask(session, sql, ["b"]) == [[b"b"]]


def test_more_hot_statements_than_are_kept(database: Database) -> None:
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        for _ in range(2):
            for number in range(SHORT_STATEMENTS + 2):
                assert ask(session, f"SELECT {number}", []) == [[str(number).encode()]]
        kept = session.execute(text("SELECT count(*) FROM pg_prepared_statements WHERE name LIKE 'short%'"))
        assert kept.scalar_one() == SHORT_STATEMENTS


def test_what_a_hot_statement_is_refused_for_reads_as_ever(database: Database) -> None:
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        with pytest.raises(DBAPIError) as refused:
            ask(session, "SELECT 1 / $1::int", ["0"])
        assert getattr(refused.value.orig, "sqlstate", "") == "22012"
        session.rollback()
        assert ask(session, "SELECT $1::int", ["5"]) == [[b"5"]]
        with pytest.raises(ProgrammingError):
            ask(session, "SELECT nonsense", [])


def test_a_connection_lost_under_a_hot_statement_is_replaced(database_url: str) -> None:
    database = Database(database_url)
    with database.session(MAIN_CELL, APP_ROLE, tenant_id=7) as session:
        process = facts(session)[2]
        with psycopg.connect(database_url, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [process])
        with pytest.raises(OperationalError):
            ask(session, "SELECT 1", [])
        session.rollback()
        assert ask(session, "SELECT 1", []) == [[b"1"]]
    database.dispose()


@pytest.mark.parametrize("watched", [False, True])
def test_a_server_whose_host_has_gone_is_noticed_within_a_quarter_of_a_minute(database_url: str, watched: bool) -> None:
    """Whoever waits for an answer of a host that is no more would wait for two hours: the system's own patience."""
    database = Database(database_url, watched=watched)
    with database.owner_connection() as connection:
        assert connection.connection.dbapi_connection is not None
        with socket.socket(fileno=connection.connection.dbapi_connection.fileno()) as opened:  # type: ignore[attr-defined]
            assert opened.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, pause, count, unsent = (
                opened.getsockopt(socket.IPPROTO_TCP, option)
                for option in (
                    socket.TCP_KEEPIDLE,
                    socket.TCP_KEEPINTVL,
                    socket.TCP_KEEPCNT,
                    socket.TCP_USER_TIMEOUT,
                )
            )
            opened.detach()
    assert idle + pause * count <= 15
    assert 0 < unsent <= 15_000
    database.dispose()
