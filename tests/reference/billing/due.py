"""What happens by itself: the prepaid month's deduction, automatic renewal, expiry, the first login."""

from dataclasses import replace
from datetime import datetime

from tests.reference.billing.facts import Debt, Refused
from tests.reference.billing.periods import end_of, seconds_between, unify, with_gift
from tests.reference.billing.purchases import purchase
from tests.reference.billing.world import World


def run_due(world: World, now: datetime) -> None:
    """Everything that was due until ``now``, with its own instant: renewed while the balance covers it."""
    since, world.checked_at = world.checked_at, now
    while since <= world.state.expiry <= now and world.set_at < world.state.expiry and may_renew(world):
        state, at = world.state, world.state.expiry
        plan = state.plan
        assert plan is not None
        try:
            order = purchase(world, "renew", plan, 1, "balance", at, base=at)
        except Refused:
            return
        if order.after.expiry <= at:
            return


def may_renew(world: World) -> bool:
    state = world.state
    wished = state.plan is not None and (state.plan.kind == "prepaid-month" or state.auto_renew)
    stopped = state.closed or state.disabled or state.held or state.never or state.waiting or state.debts
    return bool(wished and not stopped)


def since_login(debts: tuple[Debt, ...], at: datetime | None) -> tuple[Debt, ...]:
    """The days of arrears count from the first login, where the period began with it."""
    if at is None:
        return debts
    return tuple(
        replace(debt, base=at, cut=debt.cut + (at - debt.base)) if debt.waits and debt.base < at else debt
        for debt in debts
    )


def first_login(world: World, at: datetime) -> None:
    """The period that was bought at the opening begins."""
    state = world.state
    if state.waiting is None:
        return
    plan, quantity, gift = state.waiting
    world.set_at = at
    plain = unify(end_of(plan, quantity, at, world.settings, None), plan, at, world.settings)
    end = with_gift(plain, gift, world.settings)
    world.state = replace(
        state,
        waiting=None,
        logged_in=at,
        debts=since_login(state.debts, at),
        activated=True,
        expiry=end,
        since=at,
        gift_seconds=seconds_between(plain, end),
        anchor=(at, quantity) if plan.kind == "prepaid-month" else None,
    )
