"""Book an operation on an account from a view: committed by itself, perhaps with others that arrive just now."""

from typing import cast

from flask import g

from infra.tenant_scope import TenantRef
from portals.shared.in_request import actor, present
from portals.shared.unit_of_work import end_reading, installation
from tenants.billing.operation import C, Operation
from tenants.billing.result import OperationResult


def operate(operation: Operation[C], command: C, *, key: str | None = None) -> OperationResult:
    """Do it in a unit of work that operations of this tenant share, and commit that (``tenants.billing.share``).

    What the view read so far is over before, and it is told nothing before the commit. Raises the operation's refusals.
    """
    end_reading()
    tenant = cast(TenantRef, g.tenant)
    return installation().sharing.perform(tenant, operation, command, actor=actor(), now=present(), key=key)
