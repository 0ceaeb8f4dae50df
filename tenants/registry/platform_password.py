"""A platform operator changes the own password; other sessions of the same person end."""

from datetime import datetime

from sqlalchemy import select

from infra.crypto import hash_password, verify_password
from infra.db import Database
from infra.tenant_scope import unscoped
from tenants.kernel.errors import Forbidden
from tenants.registry.errors import PlatformPasswordWrong
from tenants.registry.models import PlatformAuditEntry, PlatformOperator
from tenants.registry.rules import check_password


def change_platform_password(
    database: Database, operator_id: int, old: str, new: str, *, address: str, now: datetime
) -> int:
    """Returns the new session epoch. Raises PlatformPasswordWrong, WeakPassword."""
    with unscoped(database, reason="platform operators belong to no tenant") as session:
        operator = session.scalars(
            select(PlatformOperator).where(PlatformOperator.id == operator_id).with_for_update()
        ).first()
        if operator is None:
            raise Forbidden(permission="platform")
        if not verify_password(operator.password_hash, old):
            raise PlatformPasswordWrong(field="old_password")
        operator.password_hash = hash_password(check_password(new, operator.email, operator.name, field="new_password"))
        operator.session_epoch += 1
        session.add(
            PlatformAuditEntry(at=now, actor=operator.email, action="platform.change_password", address=address)
        )
        return operator.session_epoch
