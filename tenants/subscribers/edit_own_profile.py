"""A subscriber keeps the own telephone number, e-mail and postal address right (SLF-4)."""

from dataclasses import asdict, dataclass
from datetime import datetime

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.subscribers.edit_customer import change_customer
from tenants.subscribers.errors import AccountNotFound
from tenants.subscribers.find import find_account
from tenants.subscribers.models import Customer


@dataclass(frozen=True, slots=True)
class OwnProfile:
    """What may be changed; the name and the ID number belong to the contract and stay with staff."""

    phone: str
    email: str
    address: str


def edit_own_profile(scope: TenantScope, profile: OwnProfile, *, actor: Actor, now: datetime) -> Customer:
    """Raises BadPhone, BadEmail, TextTooLong or several at once (InvalidInputs)."""
    if actor.kind != "subscriber" or actor.id is None:
        raise AccountNotFound(what="account", ref=actor.name)
    account = find_account(scope, actor.id)
    return change_customer(scope, account.customer_id, asdict(profile), actor=actor, now=now)
