"""Any sequence of operations, reversed from the last to the first, restores plan, expiry, state and money."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.check import check_ledger
from tenants.billing.close import Close, close
from tenants.billing.context import WATCHED
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.billing.operation import preview
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.kernel.errors import BusinessError
from tenants.ledger.chart import DRAWER, EXPENSE
from tenants.ledger.models import JournalLine
from tests.fixtures.billing import OWNER, Counter, MakeShop

PLANS = ("2M month", "2M quarter", "3M month", "2M prepaid", "natural month", "10 GB", "2 hours a day")


@dataclass(frozen=True)
class Step:
    """One operation to try, some seconds after the one before."""

    seconds: int
    what: str
    build: Callable[[Counter, int, datetime], tuple[Any, Any]]


def steps() -> st.SearchStrategy[Step]:
    seconds = st.sampled_from([0, 1, 3600, 86_400 * 3, 86_400 * 29, 86_400 * 31])
    plan = st.sampled_from(PLANS)
    method = st.sampled_from(["cash", "balance", "arrears"])
    money = st.sampled_from([Decimal("0.01"), Decimal("50.00"), Decimal("333.33")])

    def purchase(kind: Any, operation: Any, p: str, m: str, q: int) -> Any:
        return lambda c, a, _n: (operation, kind(a, c.plan(p), q, m))

    builds: st.SearchStrategy[tuple[str, Any]] = st.one_of(
        st.tuples(
            st.just("buy"), st.builds(lambda p, m, q: purchase(Buy, buy, p, m, q), plan, method, st.integers(1, 3))
        ),
        st.tuples(st.just("change"), st.builds(lambda p, m: purchase(ChangePlan, change_plan, p, m, 1), plan, method)),
        st.tuples(st.just("top-up"), st.builds(lambda v: lambda c, a, n: (top_up, TopUp(a, v)), money)),
        st.tuples(st.just("deduct"), st.builds(lambda v: lambda c, a, n: (top_up, TopUp(a, -v)), money)),
        st.tuples(st.just("hold"), st.just(lambda c, a, n: (hold, Hold(a)))),
        st.tuples(st.just("resume"), st.just(lambda c, a, n: (resume, Resume(a, fee=Decimal(5))))),
        st.tuples(st.just("refund"), st.just(lambda c, a, n: (refund, Refund(a)))),
        st.tuples(st.just("close"), st.just(lambda c, a, n: (close, Close(a)))),
        st.tuples(st.just("pay"), st.builds(lambda v: lambda c, a, n: (pay_arrears, PayArrears(a, amount=v)), money)),
        st.tuples(st.just("pay all"), st.just(lambda c, a, n: (pay_arrears, PayArrears(a)))),
        st.tuples(
            st.just("pay by"),
            st.builds(lambda p: lambda c, a, n: (pay_arrears, PayArrears(a, plan_id=c.plan(p))), plan),
        ),
        st.tuples(st.just("cancel"), st.just(lambda c, a, n: (cancel_arrears, CancelArrears(a)))),
        st.tuples(
            st.just("manual"),
            st.builds(
                lambda p, v: lambda c, a, n: (manual_change, ManualChange(a, c.plan(p), n + timedelta(days=9), v)),
                plan,
                money,
            ),
        ),
        st.tuples(st.just("rename"), st.just(lambda c, a, n: (move, Move(a, new_username=f"r{a}x{n:%d%H%M%S}")))),
        st.tuples(st.just("pack"), st.just(lambda c, a, n: (add_pack, AddPack(a, octets=2**30, price=Decimal(3))))),
    )
    return st.builds(lambda s, b: Step(s, b[0], b[1]), seconds, builds)


def facts(counter: Counter, account: int) -> dict[str, Any]:
    row = counter.account(account)
    return {name: getattr(row, name) for name in (*WATCHED, "balance", "receivable")}


@pytest.fixture(params=["Asia/Shanghai", "Europe/Berlin"])
def any_shop(request: pytest.FixtureRequest, make_shop: MakeShop) -> TenantRef:
    return make_shop(request.param)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(steps(), min_size=1, max_size=8), st.sampled_from(PLANS), st.sampled_from(["2026-01-31", "2024-02-29"]))
def test_sequences_and_their_reversals(
    any_shop: TenantRef, database: Database, sequence: list[Step], plan: str, day: str
) -> None:
    with tenant_scope(database, any_shop) as scope:
        counter = Counter(scope)
        try:
            _walk(counter, sequence, plan, counter.at(f"{day} 10:00:00"))
        finally:
            scope.rollback()  # each example begins with the same shop


BY_PRICE = ("buy", "change", "top-up", "deduct", "pay", "pay all", "pay by", "cancel")  # no fees, no staff's own expiry


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(steps().filter(lambda step: step.what in BY_PRICE), min_size=1, max_size=8),
    st.sampled_from(["2M month", "2M quarter"]),
)
def test_a_refund_gives_back_what_was_paid_never_more(
    any_shop: TenantRef, database: Database, sequence: list[Step], plan: str
) -> None:
    """All of it while no time has passed: nothing of the price may get lost on the way, nor be counted twice."""
    with tenant_scope(database, any_shop) as scope:
        counter, opened_at = Counter(scope), datetime(2026, 1, 31, 2, tzinfo=UTC)
        try:
            now, account = opened_at, counter.open(plan, counter.local(opened_at))
            for step in sequence:
                now += timedelta(seconds=step.seconds)
                operation, command = step.build(counter, account, now)
                with suppress(BusinessError), scope.session.begin_nested():
                    operation(scope, command, actor=OWNER, now=now)
                with suppress(BusinessError):  # not while he owes something
                    given_back = -preview(scope, refund, Refund(account), actor=OWNER, now=now).order.total
                    paid = _paid_in(scope)
                    assert given_back == paid if now == opened_at else given_back <= paid
        finally:
            scope.rollback()


def _paid_in(scope: TenantScope) -> Decimal:
    """What came into the drawers and was given as a gift of the staff, less what was paid out."""
    kinds = JournalLine.kind.in_((DRAWER, EXPENSE))
    return scope.session.scalars(select(func.sum(JournalLine.debit - JournalLine.credit)).where(kinds)).one()


def _walk(counter: Counter, sequence: list[Step], plan: str, now: datetime) -> None:
    session = counter.scope.session
    account = counter.open(plan, counter.local(now))
    history: list[dict[str, Any]] = []
    for step in sequence:
        now += timedelta(seconds=step.seconds)
        operation, command = step.build(counter, account, now)
        before = facts(counter, account)
        try:
            shown = preview(counter.scope, operation, command, actor=OWNER, now=now)
        except BusinessError as refusal:
            with pytest.raises(type(refusal)), session.begin_nested():
                operation(counter.scope, command, actor=OWNER, now=now)
            assert facts(counter, account) == before, step.what
            continue
        assert facts(counter, account) == before, step.what
        booked = operation(counter.scope, command, actor=OWNER, now=now)
        assert (booked.after, booked.order.lines) == (shown.after, shown.order.lines), step.what
        history.append(before)
    assert check_ledger(counter.scope).findings == []
    for before in reversed(history):
        reverse(counter.scope, Reverse(account), actor=OWNER, now=now)
        assert facts(counter, account) == before
    report = check_ledger(counter.scope)
    assert report.findings == []
