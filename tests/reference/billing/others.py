"""Everything that is no purchase: money, hold, refund, arrears, packs, states."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tests.reference.billing import wall_clock
from tests.reference.billing.facts import ZERO, Debt, Line, Order, Pack, Plan, Quota, Refused, State
from tests.reference.billing.periods import fen, seconds_between, unused_value, zero
from tests.reference.billing.wall_clock import with_hour
from tests.reference.billing.world import World

MOST = Decimal("999999999.99")


def top_up(world: World, amount: Decimal, now: datetime) -> Order:
    codes = world.basics(now, held=True, disabled=True, never=True)
    if amount == ZERO or abs(amount) > MOST:
        codes.add("bad_amount")
    if amount < ZERO and world.state.balance + amount < ZERO:
        codes.add("balance_too_short")
    if codes:
        raise Refused(codes)
    if amount > ZERO:
        after, lines = world.arrive(world.state, amount)
    else:
        after, lines = replace(world.state, balance=world.state.balance + amount), [Line("deduction", amount)]
    return world.book("top-up", now, lines, after)


def manual(
    world: World, plan: Plan | None, expiry: datetime | None, amount: Decimal, method: str, now: datetime
) -> Order:
    """Plan, expiry, income (positive) or expense (negative) by hand."""
    codes = world.basics(now, never=True)
    state = world.state
    if method not in ("cash", "balance"):
        codes.add("bad_method")
    if state.waiting and expiry is None:
        codes.add("account_not_activated")
    if plan is not None and plan.regions and state.region not in plan.regions:
        codes.add("plan_not_in_region")
    if expiry is not None and expiry < state.opened:
        codes.add("bad_expiry")
    if expiry is not None and expiry > wall_clock.never(world.settings.zone):
        codes.add("bad_expiry")
    changes = expiry is not None or (plan is not None and (state.plan is None or plan.name != state.plan.name))
    if not changes and amount == ZERO:
        codes.add("nothing_to_do")
    if codes:
        raise Refused(codes)
    after = state
    if plan is not None and (state.plan is None or plan.name != state.plan.name):
        world.grants += 1
        after = replace(after, plan=plan, quota=_fresh(world, plan), packs=(), anchor=None)
        after = replace(after, waiting=_waits(state, plan))
    if expiry is not None:
        never = expiry == wall_clock.never(world.settings.zone)
        hour, zone = world.settings.unified_expiry_hour, world.settings.zone
        typed = expiry if never or expiry <= now else with_hour(expiry, hour, now, zone)
        after = replace(after, expiry=typed, never=never, waiting=None, activated=True)
        after = replace(after, anchor=(typed, 0) if after.anchor else None)
    if changes:
        # The rest of the time and what was paid now are worth what they cost, spread over the new time.
        after = replace(
            after,
            value=max(Fraction(0), unused_value(state, now, world.own_left(now)) + Fraction(amount)),
            quota=after.quota if after.quota != state.quota else replace(state.quota, base=world.own_left(now)),
            since=now,
            gift_seconds=_gifts(world, state.expiry, now),
        )
    after = world.pay(after, amount, method)
    return world.book("manual", now, [Line("manual", amount)] if amount else [], after, method=method)


def _fresh(world: World, plan: Plan) -> Quota:
    own = (plan.octets, plan.seconds)
    return Quota(world.grants, *own, own, (plan.octets or 0, plan.seconds or 0))


def _waits(state: State, plan: Plan) -> tuple[Plan, int, None] | None:
    """A plan that is given before the first login begins with it."""
    return None if state.activated else (plan, 1, None)


def _gifts(world: World, expiry: datetime, now: datetime) -> Fraction:
    return min(world.state.gift_seconds, seconds_between(now, max(now, expiry)))


def move(
    world: World, region: str | None, plan: Plan | None, fee: Decimal, username: str | None, method: str, now: datetime
) -> Order:
    codes = world.basics(now, never=True)
    state = world.state
    if method not in ("cash", "balance"):
        codes.add("bad_method")
    if state.waiting and plan is not None:
        codes.add("account_not_activated")
    if fee < ZERO:
        codes.add("bad_amount")
    there = region or state.region
    if plan is not None:
        codes |= {"plan_not_found", "plan_not_for_sale"} if plan.deleted else set()
        if plan.regions and there not in plan.regions:
            codes.add("plan_not_in_region")
    same_plan = plan is None or (state.plan is not None and plan.name == state.plan.name)
    if there == state.region and same_plan and username in (None, state.username) and fee == ZERO:
        codes.add("nothing_to_do")
    if codes:
        raise Refused(codes)
    after = replace(state, region=there, username=username or state.username)
    if not same_plan and plan is not None:
        world.grants += 1
        after = replace(after, plan=plan, quota=_fresh(world, plan), packs=(), waiting=_waits(state, plan))
        after = replace(after, anchor=(state.expiry, 0) if plan.kind == "prepaid-month" else None)
        value, gifts = unused_value(state, now, world.own_left(now)), _gifts(world, state.expiry, now)
        after = replace(after, value=value, since=now, gift_seconds=gifts)
    after = world.pay(after, fee, method)
    return world.book("move", now, [Line("fee", fee)] if fee else [], after, method=method)


def refund(world: World, amount: Decimal | None, now: datetime, *, close: bool = False) -> Order:
    """The balance and the unused part of what was paid go back; the account expires now."""
    codes = world.basics(now, disabled=close, never=True)
    state = world.state
    if state.plan is None and not state.balance and not close:
        codes.add("no_plan")
    if state.debts:
        codes.add("in_arrears")
    if amount is not None and amount < ZERO:
        codes.add("bad_amount")
    if codes:
        raise Refused(codes)
    worth = Fraction(0) if state.never else unused_value(state, now, world.own_left(now))
    paid = fen(Fraction(state.balance) + worth) if amount is None else amount
    ended = now if state.waiting else min(state.expiry, now)
    after = replace(zero(state), balance=ZERO, expiry=ended, never=False, waiting=None, closed=close, activated=True)
    after = replace(after, anchor=None, auto_renew=False)
    return world.book("close" if close else "refund", now, [Line("refund", -paid)] if paid else [], after)


def hold(world: World, fee: Decimal, now: datetime) -> Order:
    codes = world.basics(now)
    state = world.state
    if state.waiting:
        codes.add("account_not_activated")
    if state.plan is None:
        codes.add("no_plan")
    if world.expired(now) or world.used_up(now):
        codes.add("account_expired")
    if state.debts:
        codes.add("in_arrears")
    if fee < ZERO:
        codes.add("bad_amount")
    if codes:
        raise Refused(codes)
    return world.book("hold", now, [Line("fee", fee)] if fee else [], replace(state, held=now))


def resume(world: World, fee: Decimal, now: datetime) -> Order:
    codes = world.basics(now, held=True)
    state = world.state
    if state.held is None:
        codes.add("not_held")
    if state.debts:
        codes.add("in_arrears")
    if fee < ZERO:
        codes.add("bad_amount")
    if codes or state.held is None:
        raise Refused(codes)
    pause = now - state.held
    after = replace(
        state,
        held=None,
        expiry=state.expiry + pause,
        since=None if state.since is None else state.since + pause,
        anchor=None if state.anchor is None else (state.anchor[0] + pause, state.anchor[1]),
        packs=tuple(
            replace(pack, expires=None if pack.expires is None else pack.expires + pause) for pack in state.packs
        ),
    )
    return world.book("resume", now, [Line("fee", fee)] if fee else [], after)


def disable(world: World, now: datetime, *, on: bool) -> None:
    codes = world.basics(now, held=not on, disabled=not on, never=True)
    if not on and not world.state.disabled:
        codes.add("not_disabled")
    if codes:
        raise Refused(codes)
    world.state = replace(world.state, disabled=on)


def never_expires(world: World, now: datetime) -> None:
    codes = world.basics(now, never=True)
    if world.state.plan is None:
        codes.add("no_plan")
    if world.state.never:
        codes.add("nothing_to_do")
    if world.state.debts:
        codes.add("in_arrears")
    if codes:
        raise Refused(codes)
    expiry, world.set_at = wall_clock.never(world.settings.zone), now
    if world.state.waiting:
        world.state = replace(world.state, since=now)  # it begins
    world.state = replace(world.state, never=True, expiry=expiry, waiting=None, activated=True)


def auto_renew(world: World, now: datetime) -> None:
    codes = world.basics(now, held=True, disabled=True, never=True)
    if world.state.plan is None:
        codes.add("no_plan")
    if world.state.auto_renew:
        codes.add("nothing_to_do")
    if codes:
        raise Refused(codes)
    world.state = replace(world.state, auto_renew=True)


def add_pack(
    world: World, octets: int, seconds: int, price: Decimal, validity_days: int | None, method: str, now: datetime
) -> Order:
    codes = world.basics(now)
    state = world.state
    if state.waiting:
        codes.add("account_not_activated")
    if state.plan is None:
        codes |= {"no_plan", "pack_needs_quota"}
    if world.expired(now):
        codes.add("account_expired")
    if (octets and state.quota.octets is None) or (seconds and state.quota.seconds is None):
        codes.add("pack_needs_quota")
    if method not in ("cash", "balance", "arrears"):
        codes.add("bad_method")
    if codes:
        raise Refused(codes)
    expires = None if validity_days is None else wall_clock.plus_days(now, validity_days, world.settings.zone)
    after = replace(state, packs=(*state.packs, Pack(octets, seconds, expires)))
    after = world.pay(after, price, method)
    if method == "arrears" and price:
        cut = wall_clock.plus_days(state.expiry, world.settings.arrears_days, world.settings.zone)
        after = replace(after, debts=(*after.debts, Debt(len(world.orders), price, ZERO, state.expiry, cut)))
    return world.book("add-pack", now, [Line("pack", price)], after, method=method)
