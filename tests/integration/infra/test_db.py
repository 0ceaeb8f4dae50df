"""Transactions behind their walls, and pooled connections that live through what befalls them."""

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from infra.db import APP_ROLE, MAIN_CELL, Database


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
