"""Writes what a node counted, every two seconds (RAD-7, TEN-3, TEN-4): packet counts, refusals, NAS seen, heartbeat."""

import json
import os
import socket
from collections import defaultdict
from itertools import islice
from typing import Any, Final

import structlog

from radius_cluster.counters import (
    LATENCY_BOUNDS_MS,
    LATENCY_OUTCOMES,
    LATENCY_SUM,
    Counters,
    Outcome,
    Refusal,
    answers_of,
    microseconds_of,
    take_counts,
)
from radius_cluster.listen.database import connect
from radius_cluster.listen.node_link import NodeLink
from radius_cluster.process.lock_out import LockOut
from radius_cluster.process.tell_locked import tell_locked
from radius_cluster.routing.directory import Directory, NasEntry, TenantEntry

LOG = structlog.get_logger(__name__)
MAIN_CELL: Final = "main"  # infra.db has the name too, but with it comes SQLAlchemy, 40 MB that no packet needs
_SAME_REFUSAL_SECONDS: Final = 60.0  # repeats within it count up the row instead of adding one
_SAVE_NAS_SECONDS: Final = 30.0
_RETURN_SECONDS: Final = 900  # three reports of the usual five minutes
_MOST_SOURCES: Final = 7
_MOST_ROWS_REMEMBERED: Final = 5_000
# Counts are some rows of each router, latencies some more of each tenant. Those of many tenants are written with every
# fifth report only: of a thousand they took five per cent of a core, two of them the latencies.
_MANY_TENANTS: Final = 200
_MANY_EVERY: Final = 5
_ROWS_AT_ONCE: Final = 1_000  # a millisecond, in which no packet is answered

_COUNT: Final = """
INSERT INTO aaa.packet_count AS c (tenant_id, nas_id, hour, kind, outcome, packets)
SELECT tenant, nas, date_trunc('hour', to_timestamp($1::float8)), kind, outcome, packets
FROM unnest($2::int[], $3::int[], $4::text[], $5::text[], $6::bigint[]) AS q(tenant, nas, kind, outcome, packets)
ORDER BY 1, 2, 4, 5
ON CONFLICT (tenant_id, nas_id, hour, kind, outcome) DO UPDATE SET packets = c.packets + EXCLUDED.packets
"""
# An EAP conversation that comes to nothing ends before anybody looks for the account.
_REFUSED: Final = """
INSERT INTO aaa.refused_packet (tenant_id, at, nas_id, nas_identifier, source, code, reason, username, account_id, mac,
  method, repeats, node)
SELECT tenant, to_timestamp(at), nas, identifier, source, code, reason, username,
  CASE WHEN account IS NULL AND reason LIKE 'eap!_%' ESCAPE '!' THEN aaa.account_of_spelling(tenant, username)
    ELSE account END, mac, method, repeats, $13
FROM unnest($1::int[], $2::float8[], $3::int[], $4::text[], $5::text[], $6::smallint[], $7::text[], $8::text[],
  $9::bigint[], $10::text[], $11::text[], $12::int[]) WITH ORDINALITY
  AS q(tenant, at, nas, identifier, source, code, reason, username, account, mac, method, repeats, n)
ORDER BY n RETURNING id
"""
_REPEATED: Final = """
UPDATE aaa.refused_packet r SET repeats = r.repeats + q.more, at = to_timestamp(q.at), source = q.source
FROM unnest($1::bigint[], $2::int[], $3::float8[], $4::text[]) AS q(id, more, at, source) WHERE r.id = q.id
"""
# Whose last packet is older than what another process has written, says nothing of where its router is.
_NAS_SEEN: Final = """
UPDATE registry.nas n SET last_packet_at = GREATEST(n.last_packet_at, to_timestamp(q.at)),
  last_source = CASE WHEN n.last_packet_at > to_timestamp(q.at) THEN n.last_source ELSE q.source END,
  first_packet_at = COALESCE(n.first_packet_at, to_timestamp(q.packet)),
  first_accept_at = COALESCE(n.first_accept_at, to_timestamp(q.accept)),
  first_online_at = COALESCE(n.first_online_at, to_timestamp(q.online))
FROM unnest($1::int[], $2::float8[], $3::text[], $4::float8[], $5::float8[], $6::float8[])
  AS q(id, at, source, packet, accept, online)
WHERE n.id = q.id
"""
# Two routers of one identifier (a copied configuration) are told by addresses that come again, which is what an address
# that changes now and then does not do. Asked before the statement above, of the rows that are to be written; those
# whose address is as it was, nearly all, are left alone. The last minutes and a few addresses count.
_NAS_MOVED: Final = f"""
UPDATE registry.nas n SET
  other_sources = (SELECT COALESCE(jsonb_object_agg(o.key, o.value), '{{}}') FROM (SELECT key, value
      FROM jsonb_each(n.other_sources) WHERE key <> q.address AND value::float8 > q.at - {_RETURN_SECONDS}
      ORDER BY value::float8 DESC LIMIT {_MOST_SOURCES}) o)
    || jsonb_build_object(regexp_replace(n.last_source, ':[0-9]+$', ''), date_part('epoch', n.last_packet_at)),
  returns = CASE WHEN (n.other_sources ->> q.address)::float8 > q.at - {_RETURN_SECONDS}
    THEN CASE WHEN n.returned_at > to_timestamp(q.at - {_RETURN_SECONDS}) THEN n.returns + 1 ELSE 1 END
    ELSE n.returns END,
  returned_at = CASE WHEN (n.other_sources ->> q.address)::float8 > q.at - {_RETURN_SECONDS} THEN to_timestamp(q.at)
    ELSE n.returned_at END
FROM unnest($1::int[], $2::float8[], $3::text[]) AS q(id, at, address)
WHERE n.id = q.id AND n.last_packet_at < to_timestamp(q.at) AND NOT starts_with(n.last_source, q.address || ':')
"""  # noqa: S608  only our own numbers
_HEARTBEAT: Final = """
INSERT INTO registry.nodes (node, kind, host, pid, address, auth_port, acct_port, radsec_port, state, started_at,
  heartbeat_at, counters, memory_octets, link)
VALUES ($1, $12, $2, $3, $4, NULLIF($5, 0), NULLIF($6, 0), $7, $8, to_timestamp($9), now(), $10::text::jsonb, $11, $13)
ON CONFLICT (node) DO UPDATE SET state = EXCLUDED.state, heartbeat_at = now(), counters = EXCLUDED.counters,
  memory_octets = EXCLUDED.memory_octets, started_at = EXCLUDED.started_at, link = EXCLUDED.link
"""
_OTHERS: Final = """
SELECT kind, node, link FROM registry.nodes WHERE link <> '' AND heartbeat_at > now() - interval '15 seconds'
"""


def resident_octets() -> int:
    """Memory of this process."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Reporter:
    """One connection per cell, made when needed; what cannot be written now is kept and written later."""

    def __init__(
        self, urls: dict[str, str], directory: Directory, counters: Counters, started_at: float, kind: str = "radius"
    ) -> None:
        self._kind = kind
        self.link: NodeLink | None = None  # the way to processes of other hosts
        self.lock_out: LockOut | None = None  # who is locked out, where logins are decided
        self._urls = urls
        self._directory = directory
        self._counters = counters
        self._connections: dict[str, Any] = {}
        self._unsaved: dict[str, dict[tuple[int, int, Outcome], int]] = defaultdict(lambda: defaultdict(int))
        self._rows: dict[tuple[Any, ...], tuple[int, float]] = {}  # refusal → (row id, when it was added)
        self._timed: set[TenantEntry] = set()  # whose latencies were not yet gathered
        self._reports = 0
        self._started_at = started_at
        self.host = socket.gethostname()
        self.node = f"{self.host}:{os.getpid()}"
        self.totals: dict[str, int] = defaultdict(int)

    async def report(self, now: float, *, state: str, listening: tuple[str, int, int, int | None]) -> None:
        """Write everything gathered since the last report. Never raises for a database that is away."""
        due = self._gather(the_last=state == "draining")
        refusals = defaultdict(list)
        for refusal in self._counters.refusals.values():
            refusals[self._cell_of(refusal.tenant_id)].append(refusal)
        self._counters.refusals = {}
        for cell in self._urls:
            try:
                connection = await self._connection(cell)
                if due:
                    await self._save_counts(connection, cell, now)
                await self._save_refusals(connection, refusals[cell], now)
                if self.lock_out is not None:
                    await tell_locked(connection, self.lock_out, cell, now)
                if cell == MAIN_CELL:
                    await self._save_nas(connection, now)
                    await self._beat(connection, state, listening)
            except Exception as error:
                LOG.warning("report_failed", cell=cell, error=f"{type(error).__name__}: {error}")
                await self._disconnect(cell)
                for refusal in refusals[cell]:
                    self._counters.refusals.setdefault(refusal.key, refusal)

    async def goodbye(self) -> None:
        """Take this node off the list."""
        try:
            connection = await self._connection(MAIN_CELL)
            await connection.execute("DELETE FROM registry.nodes WHERE node = $1", self.node)
        except Exception as error:
            LOG.warning("report_failed", cell=MAIN_CELL, error=f"{type(error).__name__}: {error}")
        for cell in list(self._connections):
            await self._disconnect(cell)

    def _gather(self, *, the_last: bool) -> bool:
        """Collect what was counted; gives whether this report is to write it."""
        counters = self._counters
        touched, counters.touched = counters.touched, []
        for nas in touched:
            unsaved = self._unsaved[self._cell(nas.tenant)]
            self._timed.add(nas.tenant)
            for outcome, packets in take_counts(nas).items():
                unsaved[nas.tenant.id, nas.id, outcome] += packets
                self.totals[f"{outcome[0]}.{outcome[1]}"] += packets
        nobody, counters.nobody = counters.nobody, {}
        for (tenant_id, outcome), packets in nobody.items():
            self._unsaved[self._cell_of(tenant_id)][tenant_id, 0, outcome] += packets
            self.totals[f"{outcome[0]}.{outcome[1]}"] += packets
        self._reports += 1
        due = the_last or len(self._timed) <= _MANY_TENANTS or not self._reports % _MANY_EVERY
        if due:
            for tenant in self._timed:
                self._gather_latency(tenant, self._unsaved[self._cell(tenant)])
            self._timed.clear()
        return due

    def _gather_latency(self, tenant: TenantEntry, unsaved: dict[tuple[int, int, Outcome], int]) -> None:
        """The answers of a tenant by how long they took, as packets of no router (RAD-7)."""
        latency = tenant.latency
        for at, slot in enumerate(latency):
            if slot:
                outcome = LATENCY_OUTCOMES[at]
                unsaved[tenant.id, 0, outcome] += answers_of(slot)
                unsaved[tenant.id, 0, (outcome[0], LATENCY_SUM)] += microseconds_of(slot)
                latency[at] = 0

    def _cell_of(self, tenant_id: int) -> str:
        tenant = self._directory.tenants.get(tenant_id)
        return MAIN_CELL if tenant is None else self._cell(tenant)

    def _cell(self, tenant: TenantEntry) -> str:
        return tenant.cell if tenant.cell in self._urls else MAIN_CELL

    async def _connection(self, cell: str) -> Any:
        connection = self._connections.get(cell)
        if connection is None or connection.is_closed():
            connection = self._connections[cell] = await connect(self._urls[cell], f"broadloom radius {cell} report")
        return connection

    async def _disconnect(self, cell: str) -> None:
        connection = self._connections.pop(cell, None)
        if connection is not None:
            connection.terminate()

    async def _save_counts(self, connection: Any, cell: str, now: float) -> None:
        unsaved = self._unsaved[cell]
        while unsaved:
            rows = list(islice(unsaved.items(), _ROWS_AT_ONCE))  # the statement sorts them
            await connection.execute(
                _COUNT,
                now,
                [tenant_id for (tenant_id, _, _), _ in rows],
                [nas_id for (_, nas_id, _), _ in rows],
                [outcome[0] for (_, _, outcome), _ in rows],
                [outcome[1] for (_, _, outcome), _ in rows],
                [packets for _, packets in rows],
                timeout=5,
            )
            for key, _ in rows:
                del unsaved[key]
        del self._unsaved[cell]

    async def _save_refusals(self, connection: Any, refusals: list[Refusal], now: float) -> None:
        for key in [key for key, (_, added) in self._rows.items() if now - added > _SAME_REFUSAL_SECONDS]:
            del self._rows[key]
        again = [refusal for refusal in refusals if refusal.key in self._rows]
        new = [refusal for refusal in refusals if refusal.key not in self._rows]
        if again:
            await connection.execute(
                _REPEATED,
                [self._rows[refusal.key][0] for refusal in again],
                [refusal.repeats for refusal in again],
                [refusal.at for refusal in again],
                [refusal.source for refusal in again],
                timeout=5,
            )
        if new:
            rows = await connection.fetch(
                _REFUSED,
                *(
                    [getattr(refusal, name) for refusal in new]
                    for name in (
                        "tenant_id", "at", "nas_id", "nas_identifier", "source", "code", "reason", "username",
                        "account_id", "mac", "method", "repeats",
                    )
                ),
                self.node,
                timeout=5,
            )  # fmt: skip
            if len(self._rows) < _MOST_ROWS_REMEMBERED:
                self._rows.update({r.key: (row["id"], now) for r, row in zip(new, rows, strict=True)})

    async def _save_nas(self, connection: Any, now: float) -> None:
        firsts: dict[NasEntry, list[float | None]] = {}
        seen, self._counters.seen = self._counters.seen, []
        for nas, bit, at in seen:
            firsts.setdefault(nas, [None, None, None])[bit] = at
        for nas in self._directory.nas.values():
            if nas.heard:
                nas.heard, nas.last_at = False, now
        changed = [
            nas
            for nas in self._directory.nas.values()
            if nas.last_at
            and (
                nas in firsts
                or nas.last_source[0] != nas.saved_source[0]
                or (nas.last_at > nas.saved_at and now - nas.saved_at > _SAVE_NAS_SECONDS)
            )
        ]
        if not changed:
            return
        changed.sort(key=lambda nas: nas.id)
        instants = [firsts.get(nas, [None, None, None]) for nas in changed]
        ids, heard_at = [nas.id for nas in changed], [nas.last_at for nas in changed]
        try:
            await connection.execute(_NAS_MOVED, ids, heard_at, [str(nas.last_source[0]) for nas in changed], timeout=5)
            await connection.execute(
                _NAS_SEEN,
                ids,
                heard_at,
                [f"{nas.last_source[0]}:{nas.last_source[1]}" for nas in changed],
                *([instant[bit] for instant in instants] for bit in range(3)),
                timeout=5,
            )
        except BaseException:
            self._counters.seen += seen
            raise
        for nas in changed:
            nas.saved_at, nas.saved_source = max(nas.last_at, now), nas.last_source

    def _measured(self) -> dict[str, Any]:
        """Totals since the start, latencies as {kind: requests by LATENCY_BOUNDS_MS}, and {kind: their seconds}."""
        measured = self._counters.latency
        latency = {kind: [answers_of(slot) for slot in slots] for kind, slots in measured.items()}
        seconds = {kind: sum(map(microseconds_of, slots)) / 1e6 for kind, slots in measured.items()}
        return {**self.totals, "latency": {"bounds_ms": LATENCY_BOUNDS_MS, **latency}, "answer_seconds": seconds}

    async def _beat(self, connection: Any, state: str, listening: tuple[str, int, int, int | None]) -> None:
        address, auth_port, acct_port, radsec_port = listening
        await connection.execute(
            _HEARTBEAT, self.node, self.host, os.getpid(), address, auth_port, acct_port, radsec_port, state,
            self._started_at, json.dumps(self._measured()), resident_octets(), self._kind,
            "" if self.link is None else self.link.shown, timeout=5,
        )  # fmt: skip
        if self.link is not None:
            rows = await connection.fetch(_OTHERS, timeout=5)
            self.link.learn({(row["kind"], row["node"]): row["link"] for row in rows})
