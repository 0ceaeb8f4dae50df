"""An expiry that somebody typed (G5: the unified hour applies when an expiry is set)."""

from datetime import datetime

from tenants.billing.context import Context
from tenants.billing.rules import is_expired
from tenants.kernel.period import unify_hour


def typed_expiry(context: Context, expiry: datetime) -> datetime:
    """With the tenant's unified hour; one in the past stays, or typing it would not end the period."""
    if is_expired(expiry, context.now):
        return expiry
    return unify_hour(expiry, context.settings.unified_expiry_hour, context.now, context.zone)
