"""A story: one account, some settings, some dozen steps; after each step both sides are compared."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.billing.check import check_ledger
from tenants.kernel.errors import BusinessError
from tenants.registry import settings as tenant_settings
from tests.reference.billing import due, others
from tests.reference.billing.facts import Order, Refused, State
from tests.reference.billing.product import OWNER, Names, Product, lines_of
from tests.reference.billing.steps import Step, draw, empty, open_world, opening, perform, used_by
from tests.reference.billing.stock import as_text, draw_settings
from tests.reference.billing.world import World

_BEGINNINGS = ("2024-01-31 10:00:00", "2024-02-29 23:10:00", "2025-12-31 02:30:00", "2026-03-28 02:30:00",
               "2026-09-25 02:30:01", "2026-05-15 11:43:12", "2026-10-24 22:15:00")  # fmt: skip


class Disagreement(AssertionError):
    """Product and reference differ."""


@dataclass
class Tally:
    stories: int = 0
    steps: int = 0
    booked: int = 0
    refused: int = 0


def tell(scope: TenantScope, names: Names, seed: str, length: int, tally: Tally) -> None:
    """Raises Disagreement with the whole story so far."""
    chance = random.Random(seed)
    settings = draw_settings(chance, str(scope.zone))
    for key, value in vars(settings).items():
        if key != "zone":
            tenant_settings.write(scope, key, as_text(value), actor=OWNER, now=datetime(2010, 1, 1, tzinfo=UTC))
    start = datetime.fromisoformat(chance.choice(_BEGINNINGS)).replace(tzinfo=scope.zone).astimezone(UTC)
    step = opening(chance, start)
    told = [f"seed {seed}: {settings}", str(step)]
    username = f"u{seed}"
    world = World(settings, empty(start, username))
    product = Product(scope, names)
    try:
        booked = open_world(world, step)
        result = product.open(step, username)
        _compare(world, product, start, booked, lines_of(result))
        for _ in range(length):
            present = world.state.plan.name if world.state.plan else ""
            step = draw(chance, step.at, world.state.expiry, present)
            told.append(str(step))
            _step(world, product, step, tally, told)
        findings = check_ledger(scope).findings
        if findings:
            raise Disagreement(f"ledger check: {findings}")
    except (Disagreement, AssertionError, BusinessError, Refused) as error:
        story = "\n".join(told)
        raise Disagreement(f"{story}\n-> {type(error).__name__}: {error}") from error
    tally.stories += 1


def _step(world: World, product: Product, step: Step, tally: Tally, told: list[str]) -> None:
    if step.what != "first-login" or world.state.waiting is None:
        due.run_due(world, step.at)
        product.run_due(step.at)
    tally.steps += 1
    used = used_by(world, step) if step.what == "use" else (0, 0)
    order, codes = _expected(world, step)
    refusal, result = None, None
    try:
        result = product.perform(step, used)
    except BusinessError as error:
        refusal = error.code
    too_far = codes is not None and "period_too_far" in {refusal, *codes}
    if codes is not None and too_far and step.words.get("quantity", 0) > 12:
        codes |= {refusal or ""} - {""}  # of several reasons any may be told first
    if (refusal is None) != (codes is None) or (codes is not None and refusal not in codes):
        raise Disagreement(f"product: {refusal or 'did it'}; reference: {sorted(codes) if codes else 'does it'}")
    if codes is None:
        tally.booked += 1
    else:
        tally.refused += 1
    if order is not None:
        told.append(f"    {order.total} {[(line.kind, str(line.amount)) for line in order.lines]}")
    _compare(world, product, step.at, order, lines_of(result))
    told.append(f"    refused: {refusal}" if refusal else _line(world, step.at))


def _line(world: World, now: datetime) -> str:
    state = world.state
    plan, until = state.plan and state.plan.name, state.expiry.astimezone(world.settings.zone)
    return f"    {plan} until {until}, balance {state.balance}, owed {state.owed}, left {world.left(now)}"


def _expected(world: World, step: Step) -> tuple[Order | None, frozenset[str] | None]:
    """What the reference says; a refusal leaves it as it was."""
    kept = (world.state, list(world.orders), dict(world.used), world.grants, world.set_at)
    try:
        return perform(world, step), None
    except Refused as refused:
        world.state, world.orders, world.used, world.grants, world.set_at = kept
        return None, refused.codes


def _compare(world: World, product: Product, now: datetime, order: Order | None, booked: Any) -> None:
    expected_order = None
    if order is not None:
        expected_order = (order.kind, order.total, tuple((line.kind, line.amount) for line in order.lines))
    if expected_order != booked:
        raise Disagreement(f"order: product {booked}, reference {expected_order}")
    shown = product.shown(now)
    for key, expected in _document(world, now).items():
        if shown[key] != expected:
            raise Disagreement(f"{key}: product {shown[key]}, reference {expected}")
    worth, expected_worth = product.worth(now), _worth(world, now)
    if worth != expected_worth:
        raise Disagreement(f"a refund would be: product {worth}, reference {expected_worth}")


def _worth(world: World, now: datetime) -> Any:
    kept, set_at = world.state, world.set_at
    try:
        return -others.refund(world, None, now).total
    except Refused:
        return None
    finally:
        if world.state is not kept:
            world.orders.pop()
        world.state, world.set_at = kept, set_at


def _document(world: World, now: datetime) -> dict[str, Any]:
    """What ``account show`` must print."""
    state, zone = world.state, world.settings.zone
    octets, seconds = world.left(now)

    def at(instant: datetime | None) -> str | None:
        return None if instant is None else instant.astimezone(zone).isoformat(timespec="seconds")

    document = {
        "username": state.username,
        "plan": state.plan.name if state.plan else None,
        "status": status(state, now),
        "balance": f"{state.balance:.2f}",
        "receivable": f"{state.owed:.2f}",
        "held_at": at(state.held),
        "never_expires": state.never,
        "quota_left_octets": octets,
        "quota_left_seconds": seconds,
    }
    if state.waiting is None:
        document |= {"expires_at": at(state.expiry), "cut_off_at": at(world.cut_off())}
    return document


def status(state: State, now: datetime) -> str:
    """SUB-5; expiring is told seven days before."""
    for holds, name in (
        (state.closed, "closed"),
        (state.disabled, "disabled"),
        (state.held is not None, "held"),
        (not state.activated, "not_activated"),
        (bool(state.debts), "arrears"),
        (state.never, "normal"),
        (state.expiry <= now, "expired"),
        (state.expiry <= now + timedelta(days=7), "expiring"),
    ):
        if holds:
            return name
    return "normal"
