"""Random steps of a story: what is done, when, with which words; and how the reference does it."""

import random
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.reference.billing import due, others, purchases, undoing
from tests.reference.billing.facts import ZERO, Line, Order, Plan, State
from tests.reference.billing.purchases import purchase
from tests.reference.billing.stock import GB, OUTER, PLANS, SALES
from tests.reference.billing.world import World

_GAPS = (0, 1, 59, 3600, 3601, 86_400, 86_400 * 2 + 7, 86_400 * 9, 86_400 * 28, 86_400 * 31, 86_400 * 100)
_MONEY = ("0.01", "7.77", "50.00", "50.00", "333.33", "1000.00")
_WEIGHTS = {
    "buy": 24, "change-plan": 20, "top-up": 12, "deduct": 3, "hold": 7, "resume": 9, "refund": 3, "close": 1,
    "pay-arrears": 5, "pay-by-plan": 5, "cancel-arrears": 5, "manual": 5, "move": 4, "add-pack": 6, "disable": 2,
    "enable": 3, "reverse": 14, "use": 12, "due": 6, "auto-renew": 2, "never-expires": 1, "first-login": 3,
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    what: str
    at: datetime
    words: dict[str, Any] = field(default_factory=dict)
    owner: bool = True

    def __str__(self) -> str:
        words = " ".join(f"{key}={value}" for key, value in self.words.items())
        return f"{self.at.isoformat()} {'owner' if self.owner else 'clerk'} {self.what} {words}".rstrip()


def opening(chance: random.Random, at: datetime) -> Step:
    words = {
        "plan": chance.choice([*SALES, *SALES, "newcomers"]),
        "quantity": chance.choice([1, 1, 1, 2, 3]),
        "method": chance.choice(["cash", "cash", "cash", "arrears"]),
        "start": chance.choice(["now"] * 7 + ["first-login"]),
    }
    return Step("open", at, words)


def draw(chance: random.Random, now: datetime, expiry: datetime, present: str) -> Step:
    """The next step: mostly some time later, sometimes just at the expiry, or close to it."""
    at = now + timedelta(seconds=chance.choice(_GAPS))
    if expiry > now and chance.random() < 0.15 and expiry < now + timedelta(days=1200):
        at = expiry + timedelta(seconds=chance.choice((-259_201, -259_200, -86_400 * 10, -1, 0, 1)))
        at = max(at, now)
    what = chance.choices(list(_WEIGHTS), list(_WEIGHTS.values()))[0]
    return Step(what, at, _words(chance, what, at, present), chance.random() < 0.6)


def _words(chance: random.Random, what: str, at: datetime, present: str) -> dict[str, Any]:
    plan = chance.choice(SALES if chance.random() < 0.9 else list(PLANS))
    if present and chance.random() < 0.25:
        plan = present
    method = chance.choice(["cash", "cash", "balance", "arrears", "arrears"])
    money = Decimal(chance.choice(_MONEY))
    fee = chance.choice([ZERO, ZERO, Decimal("5.00"), Decimal("0.05")])
    match what:
        case "buy":
            return {"plan": plan, "quantity": chance.choice([1, 1, 1, 2, 3, 12, 0, 999]), "method": method}
        case "change-plan":
            edited = chance.choice([None, None, None, None, ZERO, Decimal("12.34")])
            return {"plan": plan, "quantity": chance.choice([1, 1, 1, 2]), "method": method, "difference": edited}
        case "top-up" | "deduct":
            return {"amount": money if what == "top-up" else -money}
        case "hold" | "resume":
            return {"fee": fee}
        case "refund" | "close":
            return {"amount": chance.choice([None, None, None, money])}
        case "pay-arrears":
            return {"amount": chance.choice([None, None, money]), "method": chance.choice(["cash", "balance"])}
        case "pay-by-plan":
            return {"plan": plan, "quantity": chance.choice([1, 1, 2]), "method": chance.choice(["cash", "balance"])}
        case "manual":
            days = chance.choice([None, None, -5, 0, 3, 9, 400])
            return {
                "plan": chance.choice([None, None, plan]),
                "expires": None if days is None else at + timedelta(days=days),
                "amount": chance.choice([ZERO, ZERO, money, -money]),
            }
        case "move":
            return {
                "region": chance.choice([None, OUTER]),
                "plan": chance.choice([None, None, plan]),
                "fee": fee,
                "username": chance.choice([None, f"n{chance.randrange(10**12)}"]),
                "method": chance.choice(["cash", "balance"]),
            }
        case "add-pack":
            octets, seconds = chance.choice([(GB, 0), (5 * GB, 0), (0, 36_000), (0, 7200)])
            days = chance.choice([None, None, 3])
            price = Decimal(chance.choice(["3.00", "0.00", "9.99"]))
            return {"octets": octets, "seconds": seconds, "price": price, "days": days, "method": method}
        case "use":
            share = chance.choice([0.1, 0.3, 0.5, 0.9, 1.0, 1.5])
            return {"share": share}
    return {}


def used_by(world: World, step: Step) -> tuple[int, int]:
    """How many octets and seconds a step of use takes: a share of what was granted."""
    quota = world.state.quota
    return int((quota.octets or 0) * step.words["share"]), int((quota.seconds or 0) * step.words["share"])


def perform(world: World, step: Step) -> Order | None:
    """The reference's side of a step. Raises Refused."""
    w, now = step.words, step.at
    world.owner = step.owner
    plan: Plan | None = PLANS[w["plan"]] if w.get("plan") else None
    match step.what:
        case "buy":
            return purchases.buy(world, _named(plan), w["quantity"], w["method"], now)
        case "change-plan":
            return purchases.change_plan(world, _named(plan), w["quantity"], w["method"], w["difference"], now)
        case "top-up" | "deduct":
            return others.top_up(world, w["amount"], now)
        case "hold":
            return others.hold(world, w["fee"], now)
        case "resume":
            return others.resume(world, w["fee"], now)
        case "refund" | "close":
            return others.refund(world, w["amount"], now, close=step.what == "close")
        case "pay-arrears":
            return undoing.pay_arrears(world, w["amount"], w["method"], now)
        case "pay-by-plan":
            return undoing.pay_by_plan(world, _named(plan), w["quantity"], w["method"], now)
        case "cancel-arrears":
            return undoing.cancel_arrears(world, now)
        case "manual":
            return others.manual(world, plan, w["expires"], w["amount"], "cash", now)
        case "move":
            return others.move(world, w["region"], plan, w["fee"], w["username"], w["method"], now)
        case "add-pack":
            return others.add_pack(world, w["octets"], w["seconds"], w["price"], w["days"], w["method"], now)
        case "disable" | "enable":
            others.disable(world, now, on=step.what == "disable")
        case "reverse":
            return undoing.reverse(world, now)
        case "never-expires":
            others.never_expires(world, now)
        case "auto-renew":
            others.auto_renew(world, now)
        case "use":
            world.use(*used_by(world, step), now)
        case "first-login":
            due.first_login(world, now)
    return None


def open_world(world: World, step: Step) -> Order:
    """The account's first order: its plan, and the install fee."""
    w = step.words
    fee = world.settings.install_fee
    extra = [Line("install", fee)] if fee else []
    plan = PLANS[w["plan"]]
    world.state = replace(world.state, activated=w["start"] == "now")
    return purchase(world, "open", plan, w["quantity"], w["method"], step.at, extra=extra)


def _named(plan: Plan | None) -> Plan:
    assert plan is not None
    return plan


def empty(at: datetime, username: str) -> State:
    return State(None, at, at, username=username)
