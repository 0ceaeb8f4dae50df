"""How long answers took (RAD-7): counted per tenant, hour and bound by the packet path."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import func, select

from infra.tenant_scope import TenantScope
from tenants.usage.models import PacketCount

SUFFIX: Final = "_ms"  # of the kinds auth_ms and acct_ms; outcomes are bounds in ms, or BEYOND
BEYOND: Final = "beyond"
SUM_MICROSECONDS: Final = "sum_us"  # another outcome: the microseconds of all together
KINDS: Final = ("auth", "acct")
BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)  # as radius_cluster.counters has them


@dataclass(frozen=True, slots=True)
class Latency:
    """Answers by how long they took: ``counts`` has one more than ``bounds_ms``, for those beyond all."""

    bounds_ms: tuple[int, ...]
    counts: tuple[int, ...]

    @property
    def answers(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def within_ms(self, share: float) -> int | None:
        """The bound within which this share of the answers was given; None without answers or beyond all bounds."""
        wanted, so_far = self.answers * share, 0
        for bound, count in zip(self.bounds_ms, self.counts, strict=False):
            so_far += count
            if so_far and so_far >= wanted:
                return bound
        return None

    def plus(self, other: "Latency") -> "Latency":
        """Both together."""
        if not self.counts or not other.counts:
            return self if self.counts else other
        return Latency(self.bounds_ms, tuple(a + b for a, b in zip(self.counts, other.counts, strict=True)))


NONE: Final = Latency((), ())


def latency_of(rows: Iterable[tuple[str, int]]) -> Latency:
    """From (outcome, answers) rows of one kind."""
    found: Mapping[str, int] = dict(rows)
    return Latency(BOUNDS_MS, (*(found.get(str(bound), 0) for bound in BOUNDS_MS), found.get(BEYOND, 0)))


def seconds_of(rows: Iterable[tuple[str, int]]) -> float:
    """How long all answers together took, from the same rows."""
    return dict(rows).get(SUM_MICROSECONDS, 0) / 1e6


def answer_times(scope: TenantScope, since: datetime) -> dict[str, Latency]:
    """Of the tenant's own answers since then, by port (auth, acct); empty without any."""
    rows = scope.session.execute(
        select(PacketCount.kind, PacketCount.outcome, func.sum(PacketCount.packets))
        .where(
            PacketCount.tenant_id == scope.tenant_id,
            PacketCount.nas_id == 0,
            PacketCount.hour >= since,
            PacketCount.kind.in_([kind + SUFFIX for kind in KINDS]),
        )
        .group_by(PacketCount.kind, PacketCount.outcome)
    ).all()
    found: dict[str, Latency] = {}
    for kind in KINDS:
        mine = [(outcome, int(number)) for of, outcome, number in rows if of == kind + SUFFIX]
        if mine:
            found[kind] = latency_of(mine)
    return found
