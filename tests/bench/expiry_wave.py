"""``python -m tests.bench.expiry_wave``: many sessions expire within a minute; each is cut at its instant (RAD-6).

The real way: due rows, the scheduler's clock, a worker, the outbox, the coa process, UDP to listeners that stand for
the routers and acknowledge. 10,000 sessions expire spread over a minute, and 1,000 more at one instant of it. Ends
with exit code 1 when a Disconnect-Request came before its instant, more than 5 s after it, or not at all.
"""

import argparse
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import text

from infra import clock
from infra.db import Database, schema_name
from infra.settings import Settings
from infra.tenant_scope import TenantRef
from radius_cluster.wire import codes
from radius_cluster.wire.coa import encode_dynamic_response
from radius_cluster.wire.packet import Packet, parse
from tenants.onboarding import fill_demo
from tenants.registry.keys import configure
from tests.fixtures.own_installation import own_installation
from tests.fixtures.radius import environment_of, wait_for

WITHIN_SECONDS = 5.0
_SECRET = b"radius-secret"  # of the filled routers
_PROGRAMS = ("radius_cluster.coa", "workers", "workers.scheduler")

# Sessions of the first accounts, ending one after the other over the minute, or (``:same``) all at one instant.
_EXPIRE = (
    """CREATE TEMP TABLE chosen ON COMMIT DROP AS
       SELECT id, username, :begin + CASE WHEN n <= :same THEN 0.5 * :span
         ELSE (n - :same) * CAST(:span AS interval) / GREATEST(1, :count) END AS at
       FROM (SELECT id, username, row_number() OVER (ORDER BY id) AS n FROM __schema__.accounts) a
       WHERE n <= :same + :count""",
    "UPDATE __schema__.accounts a SET expires_at = c.at FROM chosen c WHERE c.id = a.id",
    """UPDATE aaa.subscriber s SET valid_until = c.at FROM chosen c
       WHERE s.tenant_id = :tenant AND s.account_id = c.id""",
    """UPDATE work.due d SET run_at = c.at FROM chosen c
       WHERE d.tenant_id = :tenant AND d.kind = 'account.expire' AND d.subject_id = c.id""",
    """INSERT INTO aaa.session (tenant_id, nas_id, session_id, username, account_id, started_at, updated_at, seconds,
         octets_in, octets_out, packets_in, packets_out)
       SELECT :tenant, :nas, 's' || c.id, username, c.id, now(), now(), 0, 0, 0, 0, 0 FROM chosen c""",
    "SELECT 's' || id, extract(epoch FROM at)::float8 FROM chosen",
)


class Routers:
    """One UDP port per router; every Disconnect-Request is acknowledged, its instant kept."""

    def __init__(self, count: int) -> None:
        self.came: dict[tuple[int, str], list[float]] = {}
        self._selector = selectors.DefaultSelector()
        self._sockets = []
        for number in range(count):
            opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
            opened.bind(("127.0.0.1", 0))
            opened.setblocking(False)
            self._selector.register(opened, selectors.EVENT_READ, number)
            self._sockets.append(opened)
        self.ports = [opened.getsockname()[1] for opened in self._sockets]
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            for key, _ in self._selector.select():
                opened = self._sockets[key.data]
                while True:
                    try:
                        data, source = opened.recvfrom(4096)
                    except BlockingIOError:
                        break
                    packet = parse(data)
                    assert isinstance(packet, Packet)
                    self.came.setdefault((key.data, packet.text(codes.ACCT_SESSION_ID)), []).append(time.time())
                    opened.sendto(encode_dynamic_response(codes.DISCONNECT_ACK, packet, _SECRET, b""), source)


def prepare(
    database: Database, tenant: TenantRef, port: int, *, begin: datetime, span: float, count: int, same: int
) -> dict[str, float]:
    """Sessions of one tenant that expire between ``begin`` and ``begin + span``; when, by session."""
    values = {
        "tenant": tenant.id,
        "begin": begin,
        "span": timedelta(seconds=span),
        "count": count,
        "same": same,
    }
    with database.owner_connection() as connection:
        nas = connection.execute(
            text(
                "UPDATE registry.nas SET coa_port = :port, last_source = '127.0.0.1:1' WHERE tenant_id = :tenant"
                " RETURNING id"
            ),
            {"port": port, "tenant": tenant.id},
        ).scalar_one()
        for statement in _EXPIRE:
            rows = connection.execute(
                text(statement.replace("__schema__", schema_name(tenant.id))), {**values, "nas": nas}
            )
        return {row[0]: row[1] for row in rows}


def main() -> int:
    """Exit code 1 when a Disconnect-Request came too early, too late or not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=10_000, help="spread over the minute")
    parser.add_argument("--same", type=int, default=1_000, help="at one instant in the middle of it")
    parser.add_argument("--tenants", type=int, default=20)
    parser.add_argument("--span", type=float, default=60)
    parser.add_argument("--others", type=int, default=20_000, help="accounts that do not expire, beside them")
    options = parser.parse_args()
    with own_installation() as own, tempfile.TemporaryDirectory(prefix="broadloom-wave-") as logs:
        configure(own.settings.secret_key)
        database = Database(own.settings.database_url)
        tenants = [fill_demo.ensure_demo_tenant(database, n + 1, now=clock.now()) for n in range(options.tenants)]
        own_share, same_tenants = options.sessions // options.tenants, 2
        for tenant in tenants:
            fill_demo.ensure_demo_nas(database, tenant, 1)
            accounts = own_share + options.same // same_tenants + options.others // options.tenants
            fill_demo.fill_accounts(database, tenant, range(1, accounts + 1), now=clock.now())
        fill_demo.analyse(database, tenants)
        routers = Routers(options.tenants)
        due: dict[tuple[int, str], float] = {}
        begin = clock.now() + timedelta(seconds=15)
        for number, tenant in enumerate(tenants):
            same = options.same // same_tenants if number < same_tenants else 0
            ends = prepare(
                database, tenant, routers.ports[number], begin=begin, span=options.span, count=own_share, same=same
            )
            due |= {(number, session): at for session, at in ends.items()}
        programs = _start(own.settings, Path(logs))
        try:
            print(f"{len(due)} sessions of {options.tenants} tenants expire within {options.span:.0f} s", flush=True)
            last = max(due.values()) + 2 * WITHIN_SECONDS
            wait_for(lambda: len(routers.came) >= len(due) or time.time() > last, 15 + options.span + 60)
            time.sleep(1)
        finally:
            for program in programs:
                program.terminate()
            for program in programs:
                program.wait(15)
        with database.owner_connection() as connection:
            states = connection.execute(
                text(
                    "SELECT concat_ws(' ', state, result), count(*) FROM work.outbox"
                    " WHERE topic = 'radius.disconnect' GROUP BY 1"
                )
            ).all()
        database.dispose()
    return _report(due, routers.came, {row[0]: row[1] for row in states})


def _start(settings: Settings, logs: Path) -> list[subprocess.Popen[bytes]]:
    """The programs of the way, ready."""
    environment = environment_of(replace(settings, log_level="info"))
    programs = []
    for name in _PROGRAMS:
        with (logs / f"{name}.log").open("wb") as out:
            programs.append(
                subprocess.Popen([sys.executable, "-m", name], env=environment, stdout=out, stderr=subprocess.STDOUT)
            )
    wait_for(lambda: "coa_ready" in (logs / f"{_PROGRAMS[0]}.log").read_text(), 20)
    wait_for(lambda: "scheduler_leads" in (logs / f"{_PROGRAMS[2]}.log").read_text(), 20)
    return programs


def _report(due: dict[tuple[int, str], float], came: dict[tuple[int, str], list[float]], states: dict[str, int]) -> int:
    delays = sorted(came[key][0] - at for key, at in due.items() if key in came)
    missing = len(due) - len(delays)
    instants = statistics.multimode(due.values())[:1]
    wave = sorted(came[key][0] - at for key, at in due.items() if key in came and at in instants)
    for name, values in (("all", delays), ("of one instant", wave)):
        if values:
            print(
                f"{name}: {len(values)} requests, after their instant: median {statistics.median(values):.2f} s,"
                f" p99 {values[int(len(values) * 0.99)]:.2f} s, last {values[-1]:.2f} s, first {values[0]:.2f} s"
            )
    repeats = sum(len(times) - 1 for times in came.values())
    print(f"not sent: {missing}; sent more than once: {repeats}; results: {states}")
    held = not missing and delays[0] >= 0 and delays[-1] <= WITHIN_SECONDS
    print("Everything held." if held else "NOT within its time.")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
