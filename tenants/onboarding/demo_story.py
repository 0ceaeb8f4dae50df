"""A year in the life of a made-up ISP, told through the public operations only: people open, renew, hold, leave.

Each subscriber's life is a generator that yields the instant of its next event; all lives run on one time line, so
orders and receipts are numbered as they would have been.
"""

import heapq
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from infra.tenant_scope import TenantScope
from tenants.billing.buy import Buy, buy
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.hold import Hold, hold
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.open_account import START_FIRST_LOGIN, START_NOW, OpenAccount, open_account
from tenants.billing.result import OperationResult
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.actor import Actor
from tenants.kernel.period import add_months
from tenants.onboarding.demo_people import DemoIsp
from tenants.subscribers.create_account import CreateAccount

Life = Iterator[datetime]
FIRST_NUMBER = 1001


@dataclass(slots=True)
class Stage:
    """Everything a life needs; the owner acts where a cashier has no right."""

    scope: TenantScope
    isp: DemoIsp
    owner: Actor
    cashiers: list[Actor]
    plans: dict[str, list[int]]  # ids by kind
    region_ids: list[int]
    now: datetime
    chance: random.Random = field(default_factory=random.Random)

    def username(self, number: int) -> str:
        """User name of the n-th subscriber."""
        return f"{self.isp.username_prefix}{FIRST_NUMBER + number}"

    def password(self, number: int) -> str:
        """His password."""
        return f"net-{FIRST_NUMBER + number}"

    def open(self, number: int, plan_id: int, at: datetime, **more: object) -> OperationResult:
        """Open the account of the n-th subscriber at a counter."""
        isp, chance = self.isp, self.chance
        name = isp.names[number % len(isp.names)]
        building, room = chance.randint(1, 30), f"{chance.randint(1, 18)}{chance.randint(1, 6):02d}"
        chinese = isp.locale == "zh"
        phone = f"138{20130000 + number * 37 % 9999:08d}" if chinese else f"555 01{10 + number % 90}"
        account = CreateAccount(
            username=self.username(number),
            password=self.password(number),
            region_id=self.region_ids[number % len(self.region_ids)],
            fields={
                "name": name,
                "phone": phone,
                "address": f"{isp.streets[number % len(isp.streets)]} {chance.randint(1, 280)}{' 号' * chinese}",
                "building": f"{building}{' 栋' * chinese}",
                "room": room,
                "access_type": ("FTTH", "LAN", "EOC", "AP")[number % 4],
                "box": f"OLT-{building % 4 + 1}/{number % 16 + 1}",
            },
        )
        values = {"method": "cash", "start": START_NOW, "install_fee": Decimal(0), **more}
        command = OpenAccount(account=account, plan_id=plan_id, **values)  # type: ignore[arg-type]
        return open_account(self.scope, command, actor=self.cashier(), now=at)

    def daytime(self, instant: datetime) -> datetime:
        """The same day while the counter is open; today's instants stay, so that nothing moves across now."""
        local = instant.astimezone(self.scope.zone)
        if abs(instant - self.now) < timedelta(days=1):
            return instant
        return local.replace(hour=self.chance.randint(9, 19), minute=self.chance.randint(0, 59))

    def cashier(self) -> Actor:
        """Whoever is at the counter."""
        return self.chance.choice(self.cashiers)


def tell_story(stage: Stage) -> None:
    """Run all lives in the order of their events."""
    waiting: list[tuple[datetime, int, Life]] = []
    for number in range(stage.isp.subscribers):
        life = _LIVES[number % len(_LIVES)](stage, number)
        waiting.append((next(life), number, life))
    heapq.heapify(waiting)
    while waiting:
        _, number, life = heapq.heappop(waiting)
        following = next(life, None)
        if following is not None:
            heapq.heappush(waiting, (following, number, life))


def _month_start(stage: Stage, days_from_now: float, months: int) -> datetime:
    """The instant from which ``months`` monthly periods lead to ``now + days_from_now``."""
    end = stage.daytime(stage.now + timedelta(days=days_from_now))
    return add_months(end, -months, stage.scope.zone)


def _renewing(stage: Stage, number: int, *, days_left: float, months: int) -> Iterator[datetime]:
    """Opened some months ago and renewed each month, a day or so before the end, until ``days_left`` from now."""
    plan = stage.plans["month"][number % len(stage.plans["month"])]
    at = _month_start(stage, days_left, months)
    yield at
    result = stage.open(number, plan, at)
    end = min(stage.now, stage.now + timedelta(days=days_left - 0.5))
    while result.after.expires_at <= end:
        days, hours = stage.chance.randint(0, 3), stage.chance.uniform(0.2, 1)
        at = result.after.expires_at - timedelta(days=days, hours=hours)
        yield at
        result = buy(stage.scope, Buy(result.account_id, plan), actor=stage.cashier(), now=at)


def _monthly(stage: Stage, number: int) -> Life:
    """Pays every month; a few weeks are left."""
    return _renewing(stage, number, days_left=stage.chance.uniform(8, 27), months=stage.chance.randint(1, 9))


def _expiring(stage: Stage, number: int) -> Life:
    return _renewing(stage, number, days_left=stage.chance.uniform(0.5, 6.5), months=stage.chance.randint(1, 6))


def _expired(stage: Stage, number: int) -> Life:
    return _renewing(stage, number, days_left=-stage.chance.uniform(1, 25), months=stage.chance.randint(1, 6))


def _long_plan(stage: Stage, number: int) -> Life:
    """Bought a quarter, half a year or a year."""
    kind = ("year", "quarter", "half-year")[number % 3]
    days = {"year": 330, "quarter": 80, "half-year": 160}[kind]
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(5, days)))
    yield at
    plan = stage.plans[kind][number % len(stage.plans[kind])]
    result = stage.open(number, plan, at)
    if number % 2:
        at += timedelta(days=2, hours=3)
        yield at
        if at < stage.now:
            top_up(stage.scope, TopUp(result.account_id, Decimal(100)), actor=stage.owner, now=at)


def _held(stage: Stage, number: int) -> Life:
    at = stage.daytime(stage.now - timedelta(days=40))
    yield at
    result = stage.open(number, stage.plans["quarter"][0], at)
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(3, 20)))
    yield at
    hold(stage.scope, Hold(result.account_id), actor=stage.cashier(), now=at)


def _disabled(stage: Stage, number: int) -> Life:
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(20, 60)))
    yield at
    result = stage.open(number, stage.plans["half-year"][0], at)
    yield stage.now - timedelta(days=2)
    reason = "路由器被盗用" if stage.isp.locale == "zh" else "Stolen router"
    disable(stage.scope, Disable(result.account_id, reason), actor=stage.owner, now=stage.now - timedelta(days=2))


def _in_arrears(stage: Stage, number: int) -> Life:
    """Promised to pay later, and has not: two days are left until the cut-off, or it is over."""
    at = _month_start(stage, -1.2, 1)
    yield at
    plan = stage.plans["month"][0]
    result = stage.open(number, plan, at)
    at = stage.now - timedelta(days=2.5)
    yield at
    buy(stage.scope, Buy(result.account_id, plan, method="arrears"), actor=stage.cashier(), now=at)


def _not_activated(stage: Stage, number: int) -> Life:
    at = stage.now - timedelta(days=stage.chance.uniform(0.1, 3))
    yield at
    stage.open(number, stage.plans["month"][1], at, start=START_FIRST_LOGIN)


def _closed(stage: Stage, number: int) -> Life:
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(60, 80)))
    yield at
    result = stage.open(number, stage.plans["half-year"][0], at)
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(2, 12)))
    yield at
    close(stage.scope, Close(result.account_id), actor=stage.owner, now=at)


def _never_expires(stage: Stage, number: int) -> Life:
    at = stage.daytime(stage.now - timedelta(days=stage.chance.uniform(100, 300)))
    yield at
    result = stage.open(number, stage.plans["year"][0], at)
    yield at + timedelta(days=1)
    command = SetNeverExpires(result.account_id, on=True)
    set_never_expires(stage.scope, command, actor=stage.owner, now=at + timedelta(days=1))


# Half of all pay every month; every other state of SUB-5 comes at least once among the first twelve.
_LIVES: tuple[Callable[[Stage, int], Life], ...] = (
    _monthly, _long_plan, _expiring, _monthly, _expired, _held, _monthly, _in_arrears, _disabled, _not_activated,
    _closed, _monthly, _never_expires, _monthly, _long_plan, _monthly, _expiring, _monthly, _long_plan, _monthly,
)  # fmt: skip
