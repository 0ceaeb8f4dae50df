"""Opening, buying, changing the plan, paying arrears by another plan, renewing when due."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from tests.reference.billing import wall_clock
from tests.reference.billing.facts import TOTAL_QUOTA, ZERO, Debt, Gift, Line, Order, Plan, Refused, State
from tests.reference.billing.periods import (
    difference,
    end_of,
    granted,
    seconds_between,
    unify,
    unused_value,
    whole_days_left,
    with_gift,
)
from tests.reference.billing.world import World

METHODS = ("cash", "balance", "arrears")


def sale_refusals(world: World, plan: Plan) -> set[str]:
    """Why this plan cannot be sold here: deleted, hidden, of another region, not for renewals or not for openings."""
    codes = set()
    if plan.deleted:
        codes.add("plan_not_found")
    if plan.deleted or (plan.hidden and not world.owner):
        codes.add("plan_not_for_sale")
    if plan.regions and world.state.region not in plan.regions:
        codes.add("plan_not_in_region")
    if plan.usage == ("renew" if world.state.plan is None else "new"):
        codes.add("plan_not_for_use")
    return codes


def quantity_refusals(quantity: int) -> set[str]:
    return set() if 1 <= quantity <= 999 else {"bad_quantity"}


def gift_of(world: World, plan: Plan, quantity: int, now: datetime) -> Gift | None:
    """The promotion that holds now; an account's first purchase is the one that gives it its first plan."""
    for gift in plan.gifts:
        if (
            gift.begins <= now < gift.ends
            and quantity >= gift.minimum
            and not (gift.first_only and world.state.plan is not None)
        ):
            return gift
    return None


def price_lines(plan: Plan, quantity: int, gift: Gift | None) -> list[Line]:
    full = plan.price * quantity
    lines = [Line("plan", full)]
    if gift is not None:
        lines.append(Line("promotion", -min(gift.value, full) if gift.what == "amount" else ZERO))
    return lines


def running(world: World, now: datetime) -> bool:
    """The present period goes on: not expired, and not ended by its quota."""
    state = world.state
    return state.expiry > now and not world.used_up(now)


def same_group(world: World, plan: Plan) -> bool:
    return world.state.plan is None or world.state.plan.group == plan.group


def inside_window(world: World, now: datetime) -> bool:
    """So close to the expiry, or after it, that any plan may be bought and a change is a purchase."""
    return not running(world, now) or seconds_between(now, world.state.expiry) <= world.settings.not_a_change_seconds


def extended(
    world: World, kind: str, plan: Plan, quantity: int, gift: Gift | None, base: datetime, now: datetime, paid: Fraction
) -> State:
    """The state with ``quantity`` periods of ``plan`` from ``base`` on, for which ``paid`` was paid now."""
    s, state = world.settings, world.state
    # What is paid for later counts as bought when the old period still ran.
    goes_on = base == state.expiry and (running(world, now) or kind == "pay-by-change")
    anchor = None
    if plan.kind == "prepaid-month":
        in_time = goes_on or (base == now == state.expiry and kind == "renew")
        keeps = in_time and state.plan is not None and state.plan.name == plan.name and state.anchor
        anchor = state.anchor if keeps else (base, 0)
    plain = end_of(plan, quantity, base, s, anchor)
    end = with_gift(unify(plain, plan, now, s), gift, s)  # what is given is given in full, after the unified hour
    gifted = seconds_between(unify(plain, plan, now, s), end)
    if end >= wall_clock.never(s.zone):
        raise Refused(["period_too_far"])
    if anchor is not None:
        anchor = (anchor[0], anchor[1] + quantity)
    own = world.own_left(now)
    carried, old_gift = Fraction(0), Fraction(0)
    if goes_on:
        carried = unused_value(state, now, own)
        old_gift = min(state.gift_seconds, max(Fraction(0), seconds_between(now, state.expiry)))
    same_kind = goes_on and state.plan is not None and state.plan.name == plan.name
    keeps_number = same_kind and plan.kind not in TOTAL_QUOTA
    if not keeps_number:
        world.grants += 1
    number = state.quota.number if keeps_number else world.grants
    if kind == "pay-by-change":
        own = world.still_owned(now)
    quota = granted(plan, quantity, gift, state, number, own, same_kind)
    return replace(
        state,
        plan=plan,
        expiry=end,
        anchor=anchor,
        value=carried + paid,
        since=now,
        gift_seconds=old_gift + gifted,
        quota=quota,
        packs=state.packs if same_kind else (),
    )


def purchase(
    world: World,
    kind: str,
    plan: Plan,
    quantity: int,
    method: str,
    now: datetime,
    *,
    base: datetime | None = None,
    extra: list[Line] | None = None,
    worth: Decimal = ZERO,
) -> Order:
    """Sell periods; ``extra`` lines are charged too, ``worth`` of them counts as paid for the time."""
    state = world.state
    start = base or (state.expiry if running(world, now) else now)
    gift = gift_of(world, plan, quantity, now)
    lines = price_lines(plan, quantity, gift) + (extra or [])
    price = sum((line.amount for line in lines if line.kind in ("plan", "promotion")), ZERO) + worth
    total = sum((line.amount for line in lines), ZERO)
    owes = method == "arrears" and total > ZERO
    after = extended(world, kind, plan, quantity, gift, start, now, Fraction(0 if owes else price))
    if state.plan is None and not state.activated:  # begins with the first login; until then he may log in
        after = replace(after, waiting=(plan, quantity, gift), expiry=wall_clock.never(world.settings.zone))
    after = world.pay(after, total, method)
    if owes:
        cut = wall_clock.plus_days(start, world.settings.arrears_days, world.settings.zone)
        debt = Debt(len(world.orders), total, price, start, cut, after.waiting is not None)
        after = replace(after, debts=(*after.debts, debt))
    return world.book(kind, now, lines, after, method=method, sold=plan, quantity=quantity)


def buy(world: World, plan: Plan, quantity: int, method: str, now: datetime) -> Order:
    codes = world.basics(now) | quantity_refusals(quantity) | sale_refusals(world, plan)
    if world.state.waiting:
        codes.add("account_not_activated")
    if method not in METHODS:
        codes.add("bad_method")
    if not same_group(world, plan):
        if world.settings.bind_original_group:
            codes.add("bound_to_group")
        elif not inside_window(world, now):
            codes.add("other_group")
    if codes:
        raise Refused(codes)
    return purchase(world, "buy", plan, quantity, method, now)


def change_plan(world: World, plan: Plan, quantity: int, method: str, edited: Decimal | None, now: datetime) -> Order:
    """At once: the new price, and the difference for the days left of the old plan."""
    state, s = world.state, world.settings
    codes = world.basics(now) | quantity_refusals(quantity) | sale_refusals(world, plan)
    if state.waiting:
        codes.add("account_not_activated")
    if method not in METHODS:
        codes.add("bad_method")
    if state.plan is None:
        codes.add("no_plan")
    elif state.plan.name == plan.name:
        codes.add("same_plan")
    is_purchase = inside_window(world, now)
    if is_purchase and edited:
        codes.add("difference_not_due")
    if not same_group(world, plan) and s.bind_original_group and is_purchase:
        codes.add("bound_to_group")
    if edited is not None and edited < 0:
        codes.add("bad_amount")
    if codes:
        raise Refused(codes)
    if is_purchase:
        return purchase(world, "buy", plan, quantity, method, now)
    old = sold_as(world)
    computed = difference(old, plan, whole_days_left(state, now, world.own_left(now)), s)
    charged = edited if edited is not None else computed if s.auto_difference else ZERO
    credit = -charged if charged < 0 and s.downgrade_credit else ZERO
    charged = max(charged, ZERO)
    if credit:  # it may pay for the new plan
        world.state = replace(state, balance=state.balance + credit)
    extra = [Line("difference", charged)]
    if s.difference_only:
        return _credited(world, state, _difference_only(world, plan, method, now, extra, charged), credit)
    order = purchase(world, "change-plan", plan, quantity, method, now, extra=extra, worth=charged)
    return _credited(world, state, order, credit)


def _difference_only(
    world: World, plan: Plan, method: str, now: datetime, extra: list[Line], charged: Decimal
) -> Order:
    """The plan changes, the expiry stays, only the difference is charged."""
    state = world.state
    world.grants += 1
    carried = unused_value(state, now, world.own_left(now))
    owes = method == "arrears" and charged > ZERO
    after = replace(
        state,
        plan=plan,
        value=carried + Fraction(0 if owes else charged),
        since=now,
        gift_seconds=min(state.gift_seconds, seconds_between(now, state.expiry)),
        anchor=(state.expiry, 0) if plan.kind == "prepaid-month" else None,
        quota=granted(plan, 1, None, state, world.grants, (None, None), False),
        packs=(),
    )
    after = world.pay(after, charged, method)
    if owes:
        cut = wall_clock.plus_days(state.expiry, world.settings.arrears_days, world.settings.zone)
        after = replace(after, debts=(*after.debts, Debt(len(world.orders), charged, charged, state.expiry, cut)))
    return world.book("change-plan", now, extra, after, method=method, sold=plan)


def _credited(world: World, before: State, order: Order, credit: Decimal) -> Order:
    """What a downgrade credited is no longer worth anything as time: a refund gives nothing back twice."""
    order.before = before
    if credit:
        value = order.after.value - Fraction(credit)
        if order.lines[0].kind == "difference":  # no period was bought
            value = max(Fraction(0), value)
        order.after = world.state = replace(order.after, value=value)
    return order


def sold_as(world: World) -> Plan:
    """The present plan at the price it was sold at; today's where it was given without a sale."""
    plan = world.state.plan
    assert plan is not None
    for number in range(len(world.orders) - 1, -1, -1):
        order = world.orders[number]
        if number not in world.state.undone and order.kind != "reverse" and order.sold is not None:
            return order.sold if order.sold.name == plan.name else plan
    return plan
