"""One search over everything a person may jump to: subscribers, orders, routers (UX-5)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.billing.models import Order
from tenants.kernel.actor import Actor
from tenants.registry.settings import read
from tenants.subscribers.models import Account
from tenants.subscribers.queries_list import AccountRow, accounts_by_id
from tenants.subscribers.search_sql import is_of_device, matching_account_ids
from tenants.subscribers.visibility import visible_to
from tenants.usage.queries_routers import Router, list_routers

_SORTED = 500


@dataclass(frozen=True, slots=True)
class FoundOrder:
    """An order whose number begins with what was typed."""

    number: str
    username: str
    kind: str
    total: Decimal
    at: datetime


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, a few of each; ``more_accounts`` when the list would show more."""

    accounts: tuple[AccountRow, ...]
    more_accounts: bool
    orders: tuple[FoundOrder, ...]
    routers: tuple[Router, ...]
    sessions: bool = False  # sessions, too, can be looked for by it

    @property
    def nothing(self) -> bool:
        """Whether nothing fits."""
        return not (self.accounts or self.orders or self.routers)


def search_everything(scope: TenantScope, text: str, actor: Actor, now: datetime, *, limit: int = 8) -> Found:
    """Search what the actor may see; a text shorter than two characters finds nothing."""
    text = text.strip()[:100]
    if len(text) < 2:
        return Found((), False, (), ())
    accounts: list[AccountRow] = []
    more = False
    if actor.may("accounts.view"):
        some = (
            select(Account.id, Account.username)
            .where(
                visible_to(actor),
                Account.deleted_at.is_(None),
                Account.name_released_at.is_(None),
                Account.id.in_(matching_account_ids(text, scope.tenant_id)),
            )
            .limit(_SORTED)
            .subquery()
        )
        # What begins with the text comes first; only a few are sorted, so that a short text stays fast.
        first = some.c.username.startswith(text, autoescape=True)
        ids = list(scope.session.scalars(select(some.c.id).order_by(~first, some.c.username).limit(limit + 1)))
        more = len(ids) > limit
        accounts = accounts_by_id(scope, ids[:limit], actor, now, read(scope).expiring_days)
    orders = _orders(scope, text, actor) if actor.may("orders.view") else ()
    routers = list_routers(scope, text=text)[:5] if actor.may("nas.view") else ()
    return Found(tuple(accounts), more, orders, routers, actor.may("online.view") and is_of_device(text))


def _orders(scope: TenantScope, text: str, actor: Actor) -> tuple[FoundOrder, ...]:
    if not any(character.isdigit() for character in text):
        return ()
    rows = scope.session.execute(
        select(Order.number, Order.username, Order.kind, Order.total, Order.at)
        .join(Account, Account.id == Order.account_id)
        .where(Order.number.startswith(text.upper(), autoescape=True), visible_to(actor))
        .order_by(Order.number)
        .limit(5)
    ).all()
    return tuple(FoundOrder(*row) for row in rows)
