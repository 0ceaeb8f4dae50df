"""Exact usage of many accounts over a span of days, by day, by month, or in one sum (RAD-8)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import ColumnElement, Date, cast, func, literal, select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.visibility import visible_to
from tenants.usage.models import Usage

PER: Final = ("day", "month", "whole")


@dataclass(frozen=True, slots=True)
class UsageSpan:
    """Days of the tenant's calendar, both included; ``per`` is one of :data:`PER`."""

    first: date
    last: date
    per: str = "day"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one account used on the day, or in the month that begins with ``day``; in the whole span: its first day."""

    username: str
    name: str
    day: date
    octets_in: int  # from the subscriber
    octets_out: int  # to the subscriber
    seconds: int


@dataclass(frozen=True, slots=True)
class UsageBatch:
    """The usage of some accounts, those without any left out; ``after``: where the next batch begins, 0 at the end."""

    rows: Sequence[UsageRow]
    accounts: int
    after: int


def usage_of_accounts(
    scope: TenantScope, span: UsageSpan, actor: Actor, *, username: str | None = None, after: int = 0, size: int
) -> UsageBatch:
    """The next ``size`` accounts behind the id ``after`` that the actor may see, closed and deleted ones included.

    ``username``: those of this name only.
    """
    wanted = visible_to(actor) if username is None else visible_to(actor) & (Account.username == username)
    people = scope.session.execute(
        select(Account.id, Account.username, Customer.name)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.id > after, wanted)
        .order_by(Account.id)
        .limit(size)
    ).all()
    if not people:
        return UsageBatch((), 0, 0)
    named = {account_id: (username, name) for account_id, username, name in people}
    of_row: dict[str, ColumnElement[date]] = {
        "day": cast(Usage.day, Date),
        "month": cast(func.date_trunc("month", Usage.day), Date),
        "whole": literal(span.first, Date),
    }
    begins = of_row[span.per].label("begins")
    used = scope.session.execute(
        select(Usage.account_id, begins, func.sum(Usage.octets_in), func.sum(Usage.octets_out), func.sum(Usage.seconds))
        .where(
            Usage.tenant_id == scope.tenant_id,
            Usage.account_id.in_(named),
            Usage.day.between(span.first, span.last),
        )
        .group_by(Usage.account_id, begins)
        .order_by(Usage.account_id, begins)
    )
    rows = [
        UsageRow(*named[account_id], day, int(octets_in), int(octets_out), int(seconds))
        for account_id, day, octets_in, octets_out, seconds in used
    ]
    return UsageBatch(rows, len(people), people[-1].id if len(people) == size else 0)


def count_visible(scope: TenantScope, actor: Actor) -> int:
    """How many accounts the actor may see."""
    return scope.session.scalar(select(func.count()).select_from(Account).where(visible_to(actor))) or 0
