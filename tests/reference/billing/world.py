"""One account of one tenant as the rules say it must be: the reference that the product is compared with.

``World`` holds the settings, the account's ``State``, its orders and what was used of its quotas. The operations stand
in ``purchases.py``, ``others.py`` and ``due.py``; each changes the world or raises :class:`Refused`.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from fractions import Fraction

from tests.reference.billing import wall_clock
from tests.reference.billing.facts import TOTAL_QUOTA, ZERO, Line, Order, Pack, Plan, Refused, Settings, State
from tests.reference.billing.periods import Left

LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass
class Used:
    """What was used of one grant: in its present window, and of the packs beside it (octets, seconds)."""

    window: object = None
    own: tuple[int, int] = (0, 0)
    packs: tuple[int, int] = (0, 0)
    all: tuple[int, int] = (0, 0)  # in this window, also what went beyond quota and packs


@dataclass
class World:
    settings: Settings
    state: State
    orders: list[Order] = field(default_factory=list)
    used: dict[int, Used] = field(default_factory=dict)
    grants: int = 0  # how many quotas were granted so far
    checked_at: datetime = LONG_AGO  # until when due work was done
    set_at: datetime = LONG_AGO  # when plan or expiry were set
    owner: bool = True  # who acts: an owner is bound by no window

    # What every operation asks first

    def basics(self, now: datetime, *, held: bool = False, disabled: bool = False, never: bool = False) -> set[str]:
        """Reasons against an operation that the named states forbid (True: it is possible in that state)."""
        s, codes = self.state, set()
        if now < s.opened:
            codes.add("now_before_account")
        if self.orders and now < self.orders[-1].at:
            codes.add("now_before_order")
        if s.closed:
            codes.add("account_closed")
        if s.held and not held:
            codes.add("account_held")
        if s.disabled and not disabled:
            codes.add("account_disabled")
        if s.never and not never:
            codes.add("account_never_expires")
        return codes

    def expired(self, now: datetime) -> bool:
        return self.state.expiry <= now

    def book(
        self,
        kind: str,
        now: datetime,
        lines: list[Line],
        after: State,
        *,
        method: str = "cash",
        sold: Plan | None = None,
        quantity: int = 1,
    ) -> Order:
        order = Order(kind, now, tuple(lines), self.state, after, method, sold, quantity)
        self.orders.append(order)
        if (order.before.plan, order.before.expiry) != (after.plan, after.expiry):
            self.set_at = now
        self.state = after
        return order

    # Money

    def pay(self, after: State, total: Decimal, method: str) -> State:
        """The state when ``total`` was paid so; raises when the balance is too short."""
        if total == ZERO or method == "cash":
            return after
        if method == "balance":
            if after.balance < total:
                raise Refused(["balance_too_short"])
            return replace(after, balance=after.balance - total)
        return after

    def arrive(self, after: State, money: Decimal) -> tuple[State, list[Line]]:
        """Money that arrives pays what is owed, the oldest first; the rest goes to the balance."""
        debts, value, lines = [], after.value, []
        for debt in after.debts:
            part = min(money, debt.open)
            money -= part
            if part:
                lines.append(Line("arrears", part))
            if part == debt.open:
                value += Fraction(debt.plan_part)  # paid in full it counts for a refund
            else:
                debts.append(replace(debt, paid=debt.paid + part))
        if money:
            lines.append(Line("top-up", money))
        return replace(after, debts=tuple(debts), value=value, balance=after.balance + money), lines

    # Quotas

    def window(self, now: datetime, plan: Plan | None = None) -> object:
        plan = plan or self.state.plan
        resets = plan.resets if plan else ""
        day = wall_clock.day_of(now, self.settings.zone)
        return day if resets == "day" else day.replace(day=1) if resets == "month" else None

    def live_packs(self, now: datetime) -> tuple[Pack, ...]:
        return tuple(pack for pack in self.state.packs if pack.expires is None or pack.expires > now)

    def use(self, octets: int, seconds: int, now: datetime) -> None:
        """Accounting reports that so much was used."""
        used = self.counter(now)
        quota = (self.state.quota.octets, self.state.quota.seconds)
        packs = self.pack_totals(now)
        own, beside, whole = list(used.own), list(used.packs), list(used.all)
        for i, more in enumerate((octets, seconds)):
            if quota[i] is None:
                continue
            whole[i] += more
            from_own = min(more, max(0, (quota[i] or 0) - own[i]))
            own[i] += from_own
            beside[i] += min(more - from_own, max(0, packs[i] - beside[i]))
        self.used[self.state.quota.number] = Used(
            used.window, (own[0], own[1]), (beside[0], beside[1]), (whole[0], whole[1])
        )

    def counter(self, now: datetime) -> Used:
        """The counter of the present grant; one of an earlier day or month counts as 0."""
        used, window = self.used.get(self.state.quota.number, Used()), self.window(now)
        return used if used.window == window else Used(window, (0, 0), used.packs)

    def pack_totals(self, now: datetime) -> tuple[int, int]:
        live = self.live_packs(now)
        return sum(pack.octets for pack in live), sum(pack.seconds for pack in live)

    def own_left(self, now: datetime) -> Left:
        """What is left of the plan's own quota; None: it has no such quota."""
        used, quota = self.counter(now), self.state.quota
        octets = None if quota.octets is None else max(0, quota.octets - used.own[0])
        return octets, None if quota.seconds is None else max(0, quota.seconds - used.own[1])

    def still_owned(self, now: datetime) -> Left:
        """The same, less what was used beyond it."""
        used, quota = self.counter(now), self.state.quota
        octets = None if quota.octets is None else quota.octets - used.all[0]
        return octets, None if quota.seconds is None else quota.seconds - used.all[1]

    def left(self, now: datetime) -> Left:
        """Quota and packs."""
        own, used, packs = self.own_left(now), self.counter(now), self.pack_totals(now)
        octets = None if own[0] is None else own[0] + max(0, packs[0] - used.packs[0])
        return octets, None if own[1] is None else own[1] + max(0, packs[1] - used.packs[1])

    def used_up(self, now: datetime) -> bool:
        """A total quota of which nothing is left has ended."""
        plan = self.state.plan
        return plan is not None and plan.kind in TOTAL_QUOTA and 0 in self.left(now)

    # What is shown

    def cut_off(self) -> datetime | None:
        """Until when somebody in arrears may connect."""
        return min((debt.cut for debt in self.state.debts), default=None)

    def latest(self) -> int | None:
        """The latest order that was not undone and is no counter-order."""
        for number in range(len(self.orders) - 1, -1, -1):
            if number not in self.state.undone and self.orders[number].kind != "reverse":
                return number
        return None
