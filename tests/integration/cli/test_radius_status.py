"""`broadloom radius status` (RAD-7)."""

import json
from datetime import timedelta

import psycopg

from infra import clock
from tests.fixtures.command_line import CommandLine


def test_radius_status_tells_running_processes_from_silent_ones(cli: CommandLine, fresh_database_url: str) -> None:
    now = clock.now()
    counters = {
        "auth.accepted": 3,
        "latency": {"bounds_ms": [1, 20], "auth": [97, 2, 1], "acct": [0, 0, 2]},
        "answer_seconds": {"auth": 0.5, "acct": 1.5},
    }
    with psycopg.connect(fresh_database_url) as connection:
        for node, kind, age_seconds in (("a:1", "radius", 1), ("a:2", "radius", 60), ("a:3", "worker", 1)):
            connection.execute(
                "INSERT INTO registry.nodes (node, kind, host, pid, state, started_at, heartbeat_at, counters)"
                " VALUES (%s, %s, 'a', 1, 'running', %s, %s, %s)",
                (node, kind, now - timedelta(hours=1), now - timedelta(seconds=age_seconds), json.dumps(counters)),
            )
    rows = cli("radius", "status")
    assert [(row["node"], row["state"]) for row in rows] == [("a:1", "running"), ("a:2", "silent")]
    assert rows[0]["counters"] == counters
    code, out, _ = cli.run("radius", "status")
    assert code == 0
    assert out.splitlines()[0].endswith("auth.accepted=3 auth.p99<=20ms acct.p99>20ms")


def test_radius_status_says_so_when_nothing_reports(cli: CommandLine) -> None:
    assert cli("radius", "status") == []
    assert "No RADIUS process" in cli.run("radius", "status")[1]
