"""Whoever has routers asked about a session says the same of it (tenants/access/session_request.py)."""

import re
from pathlib import Path

import pytest

from radius_cluster.process import login_sql, redial, session_limits
from tenants.access.ask_routers import _ask_sql
from tenants.access.session_request import facts_sql
from tenants.access.tell_routers import told_sql

ACCOUNTING = Path(__file__).parents[4] / "migrations" / "registry" / "functions" / "accounting.sql"
ELSEWHERE = {
    "accounting.sql": ACCOUNTING.read_text("utf-8"),  # inside the database
    "login_sql": login_sql.DROP_OLDEST_SESSIONS,
    "redial": redial._PROBE,
    "session_limits": session_limits._END,
    "ask_routers": _ask_sql(7),
    "tell_routers": told_sql(7, "t_7"),
}


def keys(statement: str) -> list[str]:
    """Of the payload that names a session."""
    built = re.search(r"jsonb_build_object\(\s*('nas_id'.*?'reason')", statement, re.S)
    assert built is not None, statement
    return re.findall(r"'(\w+)',", built[1] + ",")


@pytest.mark.parametrize("name", ELSEWHERE)
def test_payloads_are_the_same_everywhere(name: str) -> None:
    assert keys(ELSEWHERE[name]) == [*re.findall(r"'(\w+)',", facts_sql("s")), "reason"]
