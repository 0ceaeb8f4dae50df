"""Who is behind a session of self-service: account row → :class:`Actor` of kind subscriber."""

from dataclasses import dataclass

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.registry.settings import read
from tenants.subscribers.models import Account, Customer

# A subscriber buys for the own account, out of its own balance; nothing else is his to decide.
OWN_RIGHTS = frozenset({"op.buy", "op.quantity", "op.change_plan", "op.pay_arrears", "pay.balance"})


@dataclass(frozen=True, slots=True)
class SelfSignedIn:
    """The account for the page's head, and the actor for every operation."""

    actor: Actor
    account_id: int
    username: str
    name: str


def self_signed_in(scope: TenantScope, account_id: int, session_epoch: int, *, address: str) -> SelfSignedIn | None:
    """None when the account is gone, or its password was changed since."""
    row = scope.session.execute(
        select(Account.username, Account.state, Account.selfcare_epoch, Customer.name)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.id == account_id, Account.deleted_at.is_(None))
    ).first()
    if row is None or row.state == "closed" or row.selfcare_epoch != session_epoch:
        return None
    rights = OWN_RIGHTS | {"op.unbind"} if read(scope).selfcare_unbind else OWN_RIGHTS
    actor = Actor("subscriber", account_id, row.username, permissions=rights, address=address)
    return SelfSignedIn(actor, account_id, row.username, row.name)
