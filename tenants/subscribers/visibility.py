"""Which accounts somebody may see at all (STF-2): an operator his regions, and only his own where he is bound to
those; a subscriber the one he signed in with."""

from sqlalchemy import ColumnElement, Select, select, true

from tenants.kernel.actor import Actor
from tenants.subscribers.models import Account


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The condition on ``accounts`` that every list, search and detail of an operator carries."""
    condition: ColumnElement[bool] = true()
    if actor.kind == "subscriber":
        condition = condition & (Account.id == actor.id)
    if actor.region_ids is not None:
        condition = condition & Account.region_id.in_(sorted(actor.region_ids))
    if actor.own_accounts_only:
        condition = condition & (Account.created_by == actor.id)
    return condition


def visible_ids(actor: Actor) -> Select[int] | None:
    """The accounts that somebody may see, for lists of what belongs to accounts; None where he may see all."""
    limited = actor.kind == "subscriber" or actor.region_ids is not None or actor.own_accounts_only
    return select(Account.id).where(visible_to(actor)) if limited else None


def may_see(actor: Actor, *, region_id: int, created_by: int | None) -> bool:
    """The same decision for one account that is already in hand."""
    if actor.region_ids is not None and region_id not in actor.region_ids:
        return False
    return not actor.own_accounts_only or created_by == actor.id
