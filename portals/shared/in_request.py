"""What every view takes from its request: the unit of work, who asks, and the one instant."""

from datetime import datetime
from typing import cast

from flask import g

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor


def scope() -> TenantScope:
    """The unit of work of this request, inside the tenant of the address."""
    return cast(TenantScope, g.scope)


def actor() -> Actor:
    """Who asks."""
    return cast(Actor, g.actor)


def present() -> datetime:
    """The one instant of this request."""
    return cast(datetime, g.now)
