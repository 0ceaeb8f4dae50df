"""Arrears and reversals: what an order changed becomes what it was, and a quota goes on with what was used."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction

from tests.reference.billing import wall_clock
from tests.reference.billing.due import since_login
from tests.reference.billing.facts import ZERO, Line, Order, Plan, Refused, State
from tests.reference.billing.purchases import purchase, quantity_refusals, sale_refusals
from tests.reference.billing.world import Used, World


def pay_arrears(world: World, amount: Decimal | None, method: str, now: datetime) -> Order:
    codes = world.basics(now, held=True, disabled=True, never=True)
    state = world.state
    if not state.debts:
        codes.add("no_arrears")
    elif amount is not None and amount > state.owed:
        codes.add("pays_too_much")
    if amount is not None and amount <= ZERO:
        codes.add("bad_amount")
    if method not in ("cash", "balance"):
        codes.add("bad_method")
    if codes:
        raise Refused(codes)
    money = state.owed if amount is None else amount
    after, lines = world.arrive(world.pay(state, money, method), money)
    return world.book("pay-arrears", now, lines, after, method=method)


def pay_by_plan(world: World, plan: Plan, quantity: int, method: str, now: datetime) -> Order:
    """G7: the latest arrears order is replaced; what was not its plan's own price is inherited."""
    codes = world.basics(now, disabled=True, never=True) | quantity_refusals(quantity)
    if not world.state.debts:
        codes.add("no_arrears")
    if method not in ("cash", "balance"):
        codes.add("bad_method")
    if codes:
        raise Refused(codes)
    debt = world.state.debts[-1]
    replaced = world.orders[debt.order]
    codes |= _hindered(world, debt.order)
    own = {"plan", "promotion", "discount", "pack"}  # a pack is taken away with its order
    inherited = sum((line.amount for line in replaced.lines if line.kind not in own), ZERO)
    freed, keep = _without(world, debt.order), world.state
    world.state = freed  # in place of the opening order another opening is sold
    codes |= sale_refusals(world, plan)
    world.state = keep
    if codes:
        raise Refused(codes)
    back = _going_on(world, replaced, freed, now)
    try:
        world.state = freed
        back()
        extra = [Line("inherited", inherited)] if inherited else []
        worth = sum((line.amount for line in replaced.lines if line.kind == "difference"), ZERO)
        order = purchase(world, "pay-by-change", plan, quantity, method, now, base=debt.base, extra=extra, worth=worth)
    except Refused:
        world.state = keep
        raise
    order.before = keep
    return order


def cancel_arrears(world: World, now: datetime) -> Order:
    """Plan and expiry become what they were; what was paid meanwhile goes to the balance."""
    codes = world.basics(now, disabled=True)
    if not world.state.debts:
        raise Refused(codes | {"no_arrears"})
    debt = world.state.debts[-1]
    until = wall_clock.plus_days(debt.base, world.settings.arrears_cancel_days, world.settings.zone)
    if now > until and not world.owner:
        codes.add("arrears_window_over")
    codes |= _hindered(world, debt.order)
    if codes:
        raise Refused(codes)
    lines = [Line(line.kind, -line.amount) for line in world.orders[debt.order].lines]
    after = _without(world, debt.order)
    back = _going_on(world, world.orders[debt.order], after, now)
    booked = world.book("cancel-arrears", now, lines, after)
    back()
    return booked


def _hindered(world: World, number: int) -> set[str]:
    """Later orders that changed plan, expiry or quota must be undone first."""
    for later in range(number + 1, len(world.orders)):
        order = world.orders[later]
        if later in world.state.undone or order.kind == "reverse":
            continue
        if _built_on(order.before) != _built_on(order.after):
            return {"not_latest_order"}
    return set()


def _built_on(state: State) -> tuple[object, ...]:
    return state.plan, state.expiry, state.quota, state.packs


def _without(world: World, number: int) -> State:
    """The state without an arrears order: plan, expiry and time's value of before it, money as it is now."""
    now_, before = world.state, world.orders[number].before
    debt = next(debt for debt in now_.debts if debt.order == number)
    order = world.orders[number]
    return replace(
        _restored(now_, order),
        value=before.value + max(Fraction(0), now_.value - order.after.value),  # paid since then for what is older
        balance=now_.balance + debt.paid - max(ZERO, order.after.balance - before.balance),  # a credit goes back
        debts=tuple(other for other in now_.debts if other.order != number),
        undone=now_.undone | {number},
    )


def _restored(state: State, order: Order) -> State:
    """What the order changed becomes what it was; a period that began with a login waits for none any more."""
    changed = {
        field.name: getattr(order.before, field.name)
        for field in fields(State)
        if getattr(order.before, field.name) != getattr(order.after, field.name)
    }
    if order.after.waiting is not None and order.before.waiting is None:
        changed |= {name: getattr(order.before, name) for name in ("waiting", "since", "anchor", "gift_seconds")}
    return replace(state, **changed)


def reverse(world: World, now: datetime) -> Order:
    """The latest order that was not undone: all that it changed becomes what it was."""
    codes = world.basics(now, held=True, disabled=True, never=True) - {"account_closed"}
    number = world.latest()
    if number is None:
        raise Refused(codes | {"nothing_to_reverse"})
    order = world.orders[number]
    if order.settled:
        codes.add("order_settled")
    s = world.settings
    until = order.at + timedelta(seconds=s.reversal_seconds)
    if s.reversal_cutoff_hour is not None:
        wall = wall_clock.shown(order.at, s.zone)
        cut = wall.replace(hour=s.reversal_cutoff_hour, minute=0, second=0, microsecond=0)
        until = min(until, wall_clock.instant(cut, s.zone))
    if now > until and not world.owner:
        codes.add("reversal_window_over")
    if world.state.disabled and order.before.held != order.after.held:
        codes.add("changed_since_order")  # it may be used no more, on hold or not: somebody must enable it first
    if world.state.never != order.after.never and order.before.expiry != order.after.expiry:
        codes.add("changed_since_order")
    if codes:
        raise Refused(codes)
    state = world.state
    undone = order.before.undone | {number} | (state.undone - order.after.undone)
    after = replace(_restored(state, order), undone=undone, balance=order.before.balance)
    after = replace(after, debts=since_login(order.before.debts, state.logged_in))
    lines = [Line(line.kind, -line.amount) for line in order.lines]
    back = _going_on(world, order, after, now)
    booked = world.book("reverse", now, lines, after, method=order.method)
    back()
    return booked


def _going_on(world: World, order: Order, after: State, now: datetime) -> Callable[[], None]:
    """A quota that comes back goes on with what was used of it, and with what was used meanwhile in its window."""
    meanwhile, changes = _used_meanwhile(world, order, after, now), world.state.quota.number != after.quota.number
    return lambda: world.use(*meanwhile, now) if changes else None


def _used_meanwhile(world: World, order: Order, after: State, now: datetime) -> tuple[int, int]:
    present = world.used.get(world.state.quota.number, Used())
    window = world.window(now, after.plan)
    if window is None or present.window == window:
        return present.all
    # Counted over a whole period: it counts for today if all of it was used today.
    return present.all if present.window is None and world.window(order.at, after.plan) == window else (0, 0)
