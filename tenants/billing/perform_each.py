"""Operations on many accounts within one unit of work: booked together, each refused by itself (bulk changes)."""

from collections.abc import Sequence

from infra.tenant_scope import TenantScope
from tenants.billing.operation import Asked, Outcome, perform_together
from tenants.billing.result import OperationResult
from tenants.kernel.errors import BusinessError


def perform_each(scope: TenantScope, asked: Sequence[Asked]) -> list[OperationResult | BusinessError]:
    """What became of each; a refused one leaves nothing behind. The accounts differ; the caller commits."""
    outcomes = _in_savepoint(scope, asked, shared=True) if len(asked) > 1 else [None] * len(asked)
    return [
        outcome if isinstance(outcome, OperationResult | BusinessError) else _alone(scope, one)
        for one, outcome in zip(asked, outcomes, strict=True)
    ]


def _alone(scope: TenantScope, one: Asked) -> OperationResult | BusinessError:
    [outcome] = _in_savepoint(scope, [one], shared=False)
    assert isinstance(outcome, OperationResult | BusinessError)
    return outcome


def _in_savepoint(scope: TenantScope, asked: Sequence[Asked], *, shared: bool) -> Sequence[Outcome | None]:
    savepoint = scope.session.begin_nested()
    try:
        outcomes = perform_together(scope, asked, shared=shared)
    except BusinessError as refusal:  # by the database, of all: each is tried by itself
        savepoint.rollback()
        return [None] * len(asked) if shared else [refusal]
    if shared or isinstance(outcomes[0], OperationResult):
        savepoint.commit()
    else:
        savepoint.rollback()
    return outcomes
