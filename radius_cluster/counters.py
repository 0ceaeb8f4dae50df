"""What a node counts (RAD-7): packets per NAS and outcome, and packets that belong to nobody, merged before they are
written so that a flood costs no more than a trickle."""

import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from radius_cluster.routing.directory import NasEntry

if TYPE_CHECKING:
    from radius_cluster.listen.receive import Request

Outcome = tuple[str, str]  # (kind, outcome) of aaa.packet_count
Counts = dict[Outcome, int]

AUTH_ACCEPTED: Final = ("auth", "accepted")
AUTH_CHALLENGED: Final = ("auth", "challenged")
AUTH_DUPLICATE: Final = ("auth", "duplicate")
ACCT_STORED: Final = ("acct", "stored")
ACCT_SPOOLED: Final = ("acct", "spooled")
ACCT_DUPLICATE: Final = ("acct", "duplicate")
STATUS: Final = ("other", "status")

LATENCY_BOUNDS_MS: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
# Every answer falls into one: up to the bound, the last beyond all. kind → its outcomes in aaa.packet_count.
LATENCY_KINDS: Final = {"auth": 0, "acct": len(LATENCY_BOUNDS_MS) + 1}  # kind → where it begins in a tenant's counts
LATENCY_OUTCOMES: Final = tuple(
    (f"{kind}_ms", str(bound)) for kind in LATENCY_KINDS for bound in (*LATENCY_BOUNDS_MS, "beyond")
)
LATENCY_SUM: Final = "sum_us"  # the outcome under which all their microseconds are added up
# A slot counts answers in its low bits and their microseconds above: one addition for both.
_COUNT_BITS: Final = 32
_COUNT_MASK: Final = (1 << _COUNT_BITS) - 1
_BOUNDS_SECONDS: Final = tuple(bound / 1000 for bound in LATENCY_BOUNDS_MS)
_MOST_REFUSALS = 2_000  # different ones between two reports; the rest is only counted
_DROPPED: dict[tuple[str, str], Outcome] = {}


def dropped(kind: str, reason: str) -> Outcome:
    """The outcome of a packet that got no answer."""
    found = _DROPPED.get((kind, reason))
    if found is None:
        found = _DROPPED[kind, reason] = (kind, f"dropped:{reason}")
    return found


def answers_of(slot: int) -> int:
    """How many answers a slot of a histogram has counted."""
    return slot & _COUNT_MASK


def microseconds_of(slot: int) -> int:
    """How long all of them took together."""
    return slot >> _COUNT_BITS


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


def take_counts(nas: NasEntry) -> Counts:
    """What was counted of a NAS since the last call."""
    counts: Counts = {}
    if nas.counts:
        counts, nas.counts = nas.counts, {}
    if nas.accepted:
        counts[AUTH_ACCEPTED] = nas.accepted
    if nas.stored:
        counts[ACCT_STORED] = nas.stored
    nas.accepted = nas.stored = 0
    nas.touched = False
    return counts


class Counters:
    """Gathers between two reports; the reporter takes everything."""

    def __init__(self) -> None:
        self.touched: list[NasEntry] = []
        self.nobody: dict[tuple[int, Outcome], int] = {}  # (tenant or 0, outcome): packets of no known NAS
        self.refusals: dict[tuple[Any, ...], Refusal] = {}
        self.latency: dict[str, list[int]] = {}  # kind → slots by LATENCY_BOUNDS_MS, the last beyond all
        self.seen: list[tuple[NasEntry, int, float]] = []  # (NAS, bit of NasEntry.seen, instant)

    def count(self, nas: NasEntry, outcome: Outcome, packets: int = 1) -> None:
        """Count packets of a NAS."""
        if outcome is AUTH_ACCEPTED:
            nas.accepted += packets
        elif outcome is ACCT_STORED:
            nas.stored += packets
        else:
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

    def took(self, kind: str, now: float, answered: "Iterable[Request]") -> None:
        """Note how long each of these waited from its arrival to its decision (a Reject is then held for a second).

        Requests that were read in one wake-up have one instant, so most cost one addition and a look-up.
        """
        histogram = self.latency.get(kind)
        if histogram is None:
            histogram = self.latency[kind] = [0] * (len(LATENCY_BOUNDS_MS) + 1)
        begin, instants, arrived = LATENCY_KINDS[kind], dict[float, list[int]](), -1.0
        slot = [0, 0, 0]
        for request in answered:
            if request.arrived is not arrived:
                arrived = request.arrived
                known = instants.get(arrived)
                if known is None:
                    waited = max(0.0, now - arrived)  # a clock may be set back
                    known = [
                        begin + bisect_left(_BOUNDS_SECONDS, waited),
                        int(waited * 1e6) << _COUNT_BITS | 1,
                        0,
                    ]
                    instants[arrived] = known
                slot = known
            slot[2] += 1
            request.nas.tenant.latency[slot[0]] += slot[1]
        for at, one, requests in instants.values():
            histogram[at - begin] += one * requests

    def refuse(self, refusal: Refusal) -> None:
        """Keep a refusal for the portal; equal ones are merged, and a flood of different ones is cut."""
        key = refusal.key
        known = self.refusals.get(key)
        if known is not None:
            known.repeats += 1
            known.at, known.source = refusal.at, refusal.source
        elif len(self.refusals) < _MOST_REFUSALS:
            self.refusals[key] = refusal
