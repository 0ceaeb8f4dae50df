"""The blueprint all pages of self-service hang on, and what each view takes from the request."""

from datetime import date

from flask import Blueprint

from portals.shared.in_request import actor as actor  # every view takes them from here
from portals.shared.in_request import present as present
from portals.shared.in_request import scope as scope
from portals.shared.login import here
from portals.shared.tenancy import tenant_settings
from tenants.subscribers.queries_detail import AccountDetail, account_detail

blueprint = Blueprint("selfcare", __name__, template_folder="templates")


def today() -> date:
    """The tenant's local day."""
    return present().astimezone(scope().zone).date()


def account_id() -> int:
    """The account that is signed in; no view takes one from the address."""
    return here().id


def read_account() -> AccountDetail:
    """The own account."""
    return account_detail(scope(), account_id(), actor(), present(), expiring_days=tenant_settings().expiring_days)
