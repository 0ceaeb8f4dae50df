"""The demonstration's traffic: who was online, how much was used, who was refused and why.

A demonstration has no routers, so these rows are written as the cluster would have written them.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, insert, select, update

from infra.tenant_scope import TenantScope
from tenants.registry.models import Nas
from tenants.subscribers.models import Account
from tenants.usage.models import OnlineSample, RefusedPacket, SessionHistory, Usage
from tenants.usage.models import Session as OnlineSession

_DAYS = 31
_GB = 1024**3
_SAMPLE_MINUTES = 5
_INTERIM_SECONDS = 300
# The login that the demonstration prints stays free, so that its first Access-Request is accepted.
_SHARE_ONLINE = 0.7


@dataclass(frozen=True, slots=True)
class _Person:
    account_id: int
    username: str
    weight: float  # how much he uses, compared with the others
    nas_id: int
    mac: str


def tell_activity(scope: TenantScope, now: datetime, *, keep_offline: str) -> None:
    """A month of usage, a day of refusals, and who is online now; ``keep_offline`` is the login shown to visitors."""
    chance = random.Random(scope.tenant.slug)
    routers = _connect_routers(scope, now)
    people = _people(scope, routers, chance)
    if not people:
        return
    _usage(scope, people, now, chance)
    _history(scope, people, now, chance)
    _refusals(scope, people, routers, now, chance)
    _samples(scope, keep_online(scope, now, keep_offline=keep_offline), now, chance)


def keep_online(scope: TenantScope, now: datetime, *, keep_offline: str) -> int:
    """Open the demonstration's sessions (again): without routers that report, they end like any silent session."""
    there = select(func.count()).select_from(OnlineSession).where(OnlineSession.tenant_id == scope.tenant_id)
    if scope.session.scalar(there):
        return 0
    chance = random.Random(f"{scope.tenant.slug} online")
    routers = list(scope.registry.scalars(_routers(scope).where(Nas.first_packet_at.is_not(None))))
    people = [person for person in _people(scope, routers, chance) if person.username != keep_offline]
    rows = []
    for person in people:
        if chance.random() > _SHARE_ONLINE:
            continue
        started = now - timedelta(minutes=chance.randint(9, 1900))
        seconds = int((now - started).total_seconds())
        down = int(person.weight * seconds / 3600 * _GB * chance.uniform(0.2, 0.9))
        rows.append(
            {
                "session_id": f"8{chance.randrange(16**7):07x}",
                "username": person.username,
                "started_at": started,
                "updated_at": now - timedelta(seconds=chance.randint(1, 290)),
                "seconds": seconds,
                "octets_in": down // 14,
                "octets_out": down,
                "reports": seconds // _INTERIM_SECONDS,
                "up_bps": down // 14 * 8 // seconds,
                "down_bps": down * 8 // seconds,
                "nas_port_id": f"ether{chance.randint(2, 5)}",
                **_place(scope, person, chance),
            }
        )
    if rows:
        scope.session.execute(insert(OnlineSession), rows)
    return len(rows)


def _routers(scope: TenantScope) -> Any:
    return select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None)).order_by(Nas.id)


def _connect_routers(scope: TenantScope, now: datetime) -> list[Nas]:
    """All but the last have long been talking to the cloud; the last one waits for its first packet."""
    routers = list(scope.registry.scalars(_routers(scope)))
    for router in routers[:-1] or routers:
        began = router.created_at
        scope.registry.execute(
            update(Nas)
            .where(Nas.id == router.id)
            .values(
                script_copied_at=began + timedelta(minutes=3),
                first_packet_at=began + timedelta(minutes=5),
                first_accept_at=began + timedelta(minutes=5),
                first_online_at=began + timedelta(minutes=6),
                last_packet_at=now - timedelta(seconds=2),
                last_source=f"203.0.113.{router.id % 200 + 10}:49152",
            )
        )
    return routers[:-1] or routers


def _people(scope: TenantScope, routers: Sequence[Nas], chance: random.Random) -> list[_Person]:
    rows = scope.session.execute(
        select(Account.id, Account.username, Account.region_id)
        .where(
            Account.state == "active",
            Account.activated_at.is_not(None),
            Account.deleted_at.is_(None),
            Account.expires_at > func.now(),
        )
        .order_by(Account.id)
    ).all()
    people = []
    for account_id, username, region_id in rows:
        here = [router.id for router in routers if router.region_id == region_id] or [router.id for router in routers]
        if not here:
            continue
        mac = "bc:d1:77:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3))
        people.append(_Person(account_id, username, chance.lognormvariate(0, 0.7), here[0], mac))
    return people


def _place(scope: TenantScope, person: _Person, chance: random.Random) -> dict[str, Any]:
    return {
        "tenant_id": scope.tenant_id,
        "nas_id": person.nas_id,
        "account_id": person.account_id,
        "framed_ip": f"10.{16 + person.nas_id % 8}.{chance.randint(0, 9)}.{chance.randint(2, 250)}",
        "mac": person.mac,
        "packets_in": 0,
        "packets_out": 0,
    }


def _usage(scope: TenantScope, people: Sequence[_Person], now: datetime, chance: random.Random) -> None:
    today = now.astimezone(scope.zone).date()
    rows = []
    for person in people:
        for back in range(_DAYS):
            day = today - timedelta(days=back)
            down = int(person.weight * 8 * _GB * chance.uniform(0.3, 1.5) * (1.4 if day.weekday() >= 5 else 1))
            rows.append(
                {
                    "tenant_id": scope.tenant_id,
                    "account_id": person.account_id,
                    "day": day,
                    "octets_in": down // 14,
                    "octets_out": down,
                    "seconds": chance.randint(6_000, 80_000),
                }
            )
    scope.session.execute(insert(Usage), rows)


def _history(scope: TenantScope, people: Sequence[_Person], now: datetime, chance: random.Random) -> None:
    rows = []
    for person in people:
        ended = now - timedelta(hours=chance.randint(3, 40))
        for _ in range(chance.randint(3, 9)):
            seconds = chance.randint(1_200, 60_000)
            down = int(person.weight * 5 * _GB * chance.random())
            rows.append(
                {
                    "session_id": f"8{chance.randrange(16**7):07x}",
                    "username": person.username,
                    "started_at": ended - timedelta(seconds=seconds),
                    "updated_at": ended,
                    "ended_at": ended,
                    "seconds": seconds,
                    "octets_in": down // 14,
                    "octets_out": down,
                    "reports": seconds // _INTERIM_SECONDS,
                    "cause": chance.choice((1, 1, 1, 2, 4, 5, 6, 10)),
                    **_place(scope, person, chance),
                }
            )
            ended -= timedelta(seconds=seconds + chance.randint(600, 90_000))
    scope.session.execute(insert(SessionHistory), rows)


def _refusals(
    scope: TenantScope, people: Sequence[_Person], routers: Sequence[Nas], now: datetime, chance: random.Random
) -> None:
    expired = scope.session.execute(
        select(Account.id, Account.username).where(Account.expires_at < func.now(), Account.state == "active").limit(8)
    ).all()
    told: list[tuple[str, str, int | None, int]] = [
        ("unknown_user", "test", None, 3),
        ("unknown_user", "admin", None, 8),
    ]
    told += [("expired", username, account_id, chance.randint(2, 9)) for account_id, username in expired]
    told += [("wrong_password", person.username, person.account_id, chance.randint(1, 6)) for person in people[3:9]]
    told += [("too_many_sessions", person.username, person.account_id, chance.randint(1, 4)) for person in people[9:12]]
    told += [("binding", people[-1].username, people[-1].account_id, 2)]
    rows = []
    for reason, username, account_id, repeats in told:
        router = routers[chance.randrange(len(routers))]
        rows.append(
            {
                "tenant_id": scope.tenant_id,
                "at": now - timedelta(minutes=chance.randint(2, 1380)),
                "nas_id": router.id,
                "nas_identifier": router.identifier,
                "source": f"203.0.113.{router.id % 200 + 10}:49152",
                "code": 1,
                "reason": reason,
                "username": username,
                "account_id": account_id,
                "mac": "d8:07:b6:" + ":".join(f"{chance.randrange(256):02x}" for _ in range(3)),
                "method": chance.choice(("pap", "chap", "mschapv2")),
                "repeats": repeats,
                "node": "aaa-1",
            }
        )
    scope.session.execute(insert(RefusedPacket), rows)


def _curve(at: datetime) -> float:
    """The share of subscribers online over the hours of a day: low at five, highest at nine in the evening."""
    hour = at.hour + at.minute / 60
    return 0.5 + 0.32 * math.cos((hour - 21) / 24 * 2 * math.pi) + 0.1 * math.cos((hour - 13) / 12 * 2 * math.pi)


def _samples(scope: TenantScope, online: int, now: datetime, chance: random.Random) -> None:
    """Two days of samples whose line ends at what is open now."""
    first = now - timedelta(hours=49)
    scale = online / _curve(now.astimezone(scope.zone))
    samples = []
    for step in range(49 * 60 // _SAMPLE_MINUTES):
        at = first + timedelta(minutes=step * _SAMPLE_MINUTES)
        share = _curve(at.astimezone(scope.zone)) * chance.uniform(0.94, 1.06)
        samples.append({"tenant_id": scope.tenant_id, "at": at, "sessions": round(scale * share)})
    scope.session.execute(insert(OnlineSample), samples)
