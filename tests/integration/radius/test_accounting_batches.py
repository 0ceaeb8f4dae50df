"""``aaa.account`` stores a batch in a few statements, ``aaa.account_each`` row by row with all the rules: both leave
the same. Two providers have the same routers' numbers, session identifiers, user names and account numbers.
"""

import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import pytest

from radius_cluster.wire.codes import ACCT_INTERIM, ACCT_START, ACCT_STOP
from tests.fixtures.accounting import Row, store, store_each
from tests.fixtures.radius import World

# alice has several sessions at once; only bob has a quota: his one session never shares a batch with another of his
_SESSIONS: Final = [
    *((nas, session, "alice") for nas in (1, 2) for session in ("s1", "s2")),
    (1, "s1", "bob"), (1, "s3", "02-00-0A-AA-BB-CC"), (2, "s1", "stranger"),
]  # fmt: skip
_LEFT: Final = {
    "session": "SELECT * FROM aaa.session WHERE tenant_id = %s",
    "history": "SELECT * FROM aaa.session_history WHERE tenant_id = %s",
    "usage": "SELECT * FROM aaa.usage WHERE tenant_id = %s",
    "quota": "SELECT * FROM aaa.quota_use WHERE tenant_id = %s",
    "asked": "SELECT topic, subject, payload FROM work.outbox WHERE tenant_id = %s",
}


@dataclass
class Meter:
    """A session as its router counts it."""

    began: float = 0.0
    octets: int = 0
    running: bool = False
    ip: int | None = None
    prefix: str | None = None


class Routers:
    """Reports of two providers' routers: most in order, some lost, repeated, late, or counted from 0 again."""

    def __init__(self, seed: int, began: float) -> None:
        self._chance = random.Random(seed)
        self._now = began
        self._meters = {(isp, *key): Meter() for isp in (0, 1) for key in _SESSIONS}
        self._sent: dict[tuple[Any, ...], list[Row]] = {key: [] for key in self._meters}

    def batch(self) -> list[Row]:
        """At most one report a session, in the order of their keys; the provider by its place."""
        self._now += self._chance.choice((1, 20, 70, 700))
        keys = self._chance.sample(sorted(self._meters), self._chance.randint(1, len(self._meters)))
        return sorted((self._report(key) for key in keys), key=lambda row: row[:4])

    def _report(self, key: tuple[Any, ...]) -> Row:
        meter, sent, chance = self._meters[key], self._sent[key], self._chance.random()
        if sent and chance < 0.12:  # sent again, as it was or with another time
            old = self._chance.choice([sent[-1], *(row for row in sent[-4:] if row[4] != ACCT_STOP)])
            return old if chance < 0.08 else (*old[:5], old[5] + 2, *old[6:])
        kind = ACCT_INTERIM if meter.running else ACCT_START
        if not meter.running:
            meter.running, meter.began, meter.octets = True, self._now, 0
            meter.ip, meter.prefix = self._chance.choice((None, 1681915904)), None
            if chance > 0.9:  # the Start is lost
                kind = self._chance.choice((ACCT_INTERIM, ACCT_STOP))
        elif chance > 0.75:
            kind, meter.running = ACCT_STOP, False
        if kind != ACCT_START:
            meter.octets += self._chance.choice((0, 300, 5_000_000_000))
            if chance < 0.17:
                meter.octets, meter.began = 7, self._chance.choice((meter.began, self._now))
            if chance > 0.6:
                meter.ip, meter.prefix = 1681915905, self._chance.choice((None, "2001:db8::/56", "2001:db8:1::/56"))
        row = self._row(key, meter, kind)
        sent.append(row)
        return row

    def _row(self, key: tuple[Any, ...], meter: Meter, kind: int) -> Row:
        seconds = 0 if kind == ACCT_START else int(self._now - meter.began)
        first = kind != ACCT_INTERIM or self._chance.random() < 0.5
        details = (f"02:00:00:00:00:0{key[1]}", "pppoe1", 7, "ether2", 167772161) if first else (None,) * 5
        cause = 5 if kind == ACCT_STOP else 0
        octets = meter.octets
        return (
            *key, kind, self._now, seconds, octets, octets * 2, octets // 100, octets // 90, meter.ip,
            int(self._now // 86400), cause, *details, meter.prefix, meter.prefix and "2001:db8:ab::/48",
        )  # fmt: skip


def left(world: World, tenants: Sequence[int]) -> Iterator[list[dict[str, Any]]]:
    """All that is stored of each provider, without its number and in an order of its own."""
    for tenant in tenants:
        for name, statement in _LEFT.items():
            yield sorted((dict(row, tenant_id=name) for row in world._dicts(statement, tenant)), key=repr)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_batch_leaves_what_its_rows_leave_one_by_one(world: World, seed: int) -> None:
    together, single = ([world.tenant() for _ in range(2)] for _ in range(2))
    for tenant in (*together, *single):
        world.subscriber(tenant, "alice", account_id=1)
        world.subscriber(tenant, "bob", account_id=2, quota_kind=2, quota_octets=20_000_000_000, quota_epoch=1)
        world.subscriber(tenant, "02:00:0a:aa:bb:cc", account_id=3)
    routers = Routers(seed, float(int(time.time())) - 30_000)
    quick = 0
    for _ in range(60):
        batch = routers.batch()
        quick += len(batch) - store(world, [(together[row[0]].id, *row[1:]) for row in batch])
        store_each(world, [(single[row[0]].id, *row[1:]) for row in batch])
        for ours, others in zip(
            left(world, [tenant.id for tenant in together]), left(world, [tenant.id for tenant in single]), strict=True
        ):
            differ = [row for row in ours if row not in others], [row for row in others if row not in ours]
            assert differ == ([], []), batch
    assert quick > 200  # most of them: the batch's own statements are what is tested
