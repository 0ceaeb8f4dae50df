"""What is stored is what the routers counted, however its reports come: late, twice, in disorder or never (RAD-4).

Each session is a story with a known end; the reports of all of them come in the same batches. Two providers have the
same routers' numbers, session identifiers, user names and account numbers.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import pytest

from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.accounting import Row, store
from tests.fixtures.radius import World

REPLACED: Final = 102
KINDS: Final = ("in order", "lossy", "disorder", "used again", "stop lost")


@dataclass
class Story:
    """A session: its reports in the order in which they come, and the rows of history that they must end in."""

    key: tuple[Any, ...]  # tenant, NAS, session, user
    comes: list[tuple[float, Row]] = field(default_factory=list)
    ends: list[dict[str, Any]] = field(default_factory=list)


def told(chance: random.Random, key: tuple[Any, ...], kind: str, began: float) -> Story:
    """A session, or two with one identifier; ``kind`` says how its reports come."""
    story = Story(key)
    if kind in ("used again", "stop lost"):
        _session(chance, story, began, stop=kind == "used again", restarts=False)
        _session(chance, story, story.comes[-1][0] + 200, stop=True, restarts=False)
        return story
    _session(chance, story, began, stop=True, restarts=kind == "in order")
    reports = [row for _, row in story.comes]
    if kind == "lossy":  # at least the Stop comes
        reports = [row for row in reports if row[4] == ACCT_STOP or chance.random() < 0.5]
    elif kind == "disorder":
        reports += chance.sample(reports, 2)
        chance.shuffle(reports)
    if kind != "in order":
        story.comes = [(began + 600 * place, row) for place, row in enumerate(reports)]
    return story


def _session(chance: random.Random, story: Story, began: float, *, stop: bool, restarts: bool) -> None:
    interims, cause = chance.randint(1, 4), chance.randint(1, 10)
    restart = chance.choice(("octets", "all", "in", "out", "")) if restarts else ""
    at, base_at = began, began
    counted_in = counted_out = packets = sum_in = sum_out = 0
    details = (f"02:00:00:00:00:{chance.randrange(10, 99)}", "pppoe1", chance.randrange(1 << 32), "ether2", 167772161)
    prefix = None

    def report(kind: int) -> None:
        row = (*story.key, kind, at, int(at - base_at), counted_in, counted_out, packets, packets * 2, 1681915904,
               int(at // 86400), cause if kind == ACCT_STOP else 0, *details, prefix, prefix)  # fmt: skip
        story.comes.append((at, row))

    report(ACCT_START)
    for number in range(interims):
        at += 300
        more_in, more_out = chance.randrange(1_000, 5_000_000_000), chance.randrange(1_000, 5_000_000_000)
        if restart and number == interims - 1 and number:  # counters from 0 again, the session goes on
            if restart == "all":
                base_at = at - 299
                more_in, more_out = 5, 6
            counted_in = 0 if restart != "out" else counted_in
            counted_out = 0 if restart != "in" else counted_out
            more_in = 5 if restart != "out" else more_in
            more_out = 6 if restart != "in" else more_out
        counted_in, counted_out, packets = counted_in + more_in, counted_out + more_out, packets + 7
        sum_in, sum_out = sum_in + more_in, sum_out + more_out
        if restarts and number == 1:
            prefix = "2001:db8:ab::/56"
        report(ACCT_INTERIM)
    seconds = at - began
    if base_at != began:
        seconds -= 1  # what the router forgot between two reports
    if stop:
        at += 60
        counted_in, counted_out = counted_in + 11, counted_out + 12
        sum_in, sum_out, seconds = sum_in + 11, sum_out + 12, seconds + 60
        report(ACCT_STOP)
    story.ends.append(
        {"octets_in": sum_in, "octets_out": sum_out, "seconds": int(seconds), "started_at": began, "ended_at": at,
         "cause": cause if stop else REPLACED, "packets_in": packets, "packets_out": packets * 2, "mac": details[0],
         "nas_port": details[2], "framed_ip": "100.64.0.0", "framed_ipv6_prefix": prefix,
         "delegated_ipv6_prefix": prefix}
    )  # fmt: skip


def batches(stories: Iterable[Story]) -> Iterator[list[Row]]:
    """All reports as they come, cut where a session's next one would share a batch with it."""
    batch: dict[tuple[Any, ...], Row] = {}
    for _, row in sorted((at, row) for story in stories for at, row in story.comes):
        if row[:4] in batch or len(batch) == 40:
            yield [batch[key] for key in sorted(batch)]
            batch = {}
        batch[row[:4]] = row
    yield [batch[key] for key in sorted(batch)]


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_stored_is_what_the_routers_counted(world: World, seed: int) -> None:
    chance = random.Random(seed)
    tenants = [world.tenant(), world.tenant()]
    users = ["alice", "bob", "02:00:0a:aa:bb:cc"]
    for tenant in tenants:
        for account_id, name in enumerate(users, 1):
            world.subscriber(tenant, name, account_id=account_id)
    began = float(int(time.time())) - 20_000
    stories = [
        told(chance, (tenant.id, nas, session, user), chance.choice(KINDS), began + chance.randrange(2_000))
        for tenant in tenants for nas in (1, 2) for session in ("s1", "s2", "s3", "s4") for user in users
    ]  # fmt: skip
    for batch in batches(stories):
        store(world, batch)
    for tenant in tenants:
        assert world.sessions(tenant) == []
        rows = world.history(tenant)
        used: Counter[tuple[str, str]] = Counter()
        for story in stories:
            if story.key[0] != tenant.id:
                continue
            _, nas, session, user = story.key
            found = [row for row in rows if (row["nas_id"], row["session_id"], row["username"]) == (nas, session, user)]
            seen = [
                {**row, "started_at": row["started_at"].timestamp(), "ended_at": row["ended_at"].timestamp(),
                 "framed_ip": str(row["framed_ip"])}
                for row in sorted(found, key=lambda row: row["ended_at"])
            ]  # fmt: skip
            assert [{name: row[name] for name in end} for row, end in zip(seen, story.ends, strict=True)] == story.ends
            assert {row["account_id"] for row in found} == {users.index(user) + 1}
            for end in story.ends:
                for column in ("octets_in", "octets_out", "seconds"):
                    used[user, column] += end[column]
        for account_id, user in enumerate(users, 1):
            [(octets_in, octets_out, seconds)] = world.query(
                "SELECT sum(octets_in)::bigint, sum(octets_out)::bigint, sum(seconds)::bigint FROM aaa.usage"
                " WHERE tenant_id = %s AND account_id = %s", tenant.id, account_id,
            )  # fmt: skip
            assert (octets_in, octets_out, seconds) == (
                used[user, "octets_in"], used[user, "octets_out"], used[user, "seconds"],
            )  # fmt: skip
