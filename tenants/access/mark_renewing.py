"""Tell the cluster whose next period is covered: his session is not timed out at the expiry (JOB-1, SLF-10)."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, bindparam, func, update
from sqlalchemy.dialects.postgresql import ARRAY

from infra.tenant_scope import TenantScope
from tenants.access.models import Subscriber


def mark_renewing(scope: TenantScope, renewing: Sequence[int], not_renewing: Sequence[int]) -> None:
    """Correct the flag after a booking moved the balance: the projection before it saw the old one."""
    for ids, flag in ((renewing, True), (not_renewing, False)):
        if ids:
            these = bindparam(None, list(ids), type_=ARRAY(BigInteger))
            scope.session.execute(
                update(Subscriber)
                .where(
                    Subscriber.tenant_id == scope.tenant_id,
                    Subscriber.account_id == func.any(these),
                    Subscriber.renews.is_not(flag),
                )
                .values(renews=flag)
                .execution_options(synchronize_session=False)
            )
