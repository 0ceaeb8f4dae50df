"""The blueprint all pages of self-service hang on, and what each view takes from the request."""

from datetime import date, datetime
from typing import cast

from flask import Blueprint, g

from infra.tenant_scope import TenantScope
from portals.shared.login import here
from portals.shared.tenancy import tenant_settings
from tenants.kernel.actor import Actor
from tenants.subscribers.queries_detail import AccountDetail, account_detail

blueprint = Blueprint("selfcare", __name__, template_folder="templates")


def scope() -> TenantScope:
    """The unit of work of this request, inside the tenant of the address."""
    return cast(TenantScope, g.scope)


def actor() -> Actor:
    """The subscriber."""
    return cast(Actor, g.actor)


def present() -> datetime:
    """The one instant of this request."""
    return cast(datetime, g.now)


def today() -> date:
    """The tenant's local day."""
    return present().astimezone(scope().zone).date()


def account_id() -> int:
    """The account that is signed in; no view takes one from the address."""
    return here().id


def read_account() -> AccountDetail:
    """The own account."""
    return account_detail(scope(), account_id(), actor(), present(), expiring_days=tenant_settings().expiring_days)
