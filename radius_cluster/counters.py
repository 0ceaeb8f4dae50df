"""What a node counts (RAD-7): packets per NAS and outcome, and packets that belong to nobody, merged before they are
written so that a flood costs no more than a trickle."""

import time
from bisect import bisect_left
from dataclasses import dataclass, field
from typing import Any, Final

from radius_cluster.routing.directory import NasEntry

Outcome = tuple[str, str]  # (kind, outcome) of aaa.packet_count

AUTH_ACCEPTED: Final = ("auth", "accepted")
AUTH_CHALLENGED: Final = ("auth", "challenged")
AUTH_DUPLICATE: Final = ("auth", "duplicate")
ACCT_STORED: Final = ("acct", "stored")
ACCT_SPOOLED: Final = ("acct", "spooled")
ACCT_DUPLICATE: Final = ("acct", "duplicate")
STATUS: Final = ("other", "status")

LATENCY_BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
_MOST_REFUSALS = 2_000  # different ones between two reports; the rest is only counted
_DROPPED: dict[tuple[str, str], Outcome] = {}


def dropped(kind: str, reason: str) -> Outcome:
    """The outcome of a packet that got no answer."""
    found = _DROPPED.get((kind, reason))
    if found is None:
        found = _DROPPED[kind, reason] = (kind, f"dropped:{reason}")
    return found


def rejected(reason: str) -> Outcome:
    """The outcome of a refused login."""
    found = _DROPPED.get(("rejected", reason))
    if found is None:
        found = _DROPPED["rejected", reason] = ("auth", f"rejected:{reason}")
    return found


@dataclass(slots=True)
class Refusal:
    """One line of aaa.refused_packet, with how often it happened since the last report."""

    tenant_id: int
    nas_id: int | None
    nas_identifier: str
    source: str
    code: int
    reason: str
    username: str
    account_id: int | None
    mac: str
    method: str
    at: float
    repeats: int = 1
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        """What makes two refusals the same: everything but the time and the source port."""
        host = self.source.rpartition(":")[0]
        return (self.tenant_id, self.nas_id, self.nas_identifier, host, self.code, self.reason, self.username, self.mac)


class Counters:
    """Gathers between two reports; the reporter takes everything."""

    def __init__(self) -> None:
        self.touched: list[NasEntry] = []
        self.nobody: dict[tuple[int, Outcome], int] = {}  # (tenant or 0, outcome): packets of no known NAS
        self.refusals: dict[tuple[Any, ...], Refusal] = {}
        self.latency: dict[str, list[int]] = {}  # kind → requests by LATENCY_BOUNDS_MS, the last beyond all
        self.seen: list[tuple[NasEntry, int, float]] = []  # (NAS, bit of NasEntry.seen, instant)

    def count(self, nas: NasEntry, outcome: Outcome, packets: int = 1) -> None:
        """Count packets of a NAS."""
        counts = nas.counts
        counts[outcome] = counts.get(outcome, 0) + packets
        if not nas.touched:
            nas.touched = True
            self.touched.append(nas)

    def count_nobody(self, tenant_id: int, outcome: Outcome) -> None:
        """Count a packet that no NAS can be held to have sent."""
        key = (tenant_id, outcome)
        self.nobody[key] = self.nobody.get(key, 0) + 1

    def first_seen(self, nas: NasEntry, bit: int) -> None:
        """Note the first packet (0), accept (1) or session (2) of a NAS."""
        nas.seen |= 1 << bit
        self.seen.append((nas, bit, time.time()))

    def took(self, kind: str, seconds: float, requests: int) -> None:
        """Note how long a batch's oldest request waited for its answer, once for each request of the batch: an upper
        bound that costs nothing per packet."""
        histogram = self.latency.get(kind)
        if histogram is None:
            histogram = self.latency[kind] = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        histogram[bisect_left(LATENCY_BOUNDS_MS, seconds * 1000)] += requests

    def refuse(self, refusal: Refusal) -> None:
        """Keep a refusal for the portal; equal ones are merged, and a flood of different ones is cut."""
        key = refusal.key
        known = self.refusals.get(key)
        if known is not None:
            known.repeats += 1
            known.at, known.source = refusal.at, refusal.source
        elif len(self.refusals) < _MOST_REFUSALS:
            self.refusals[key] = refusal
