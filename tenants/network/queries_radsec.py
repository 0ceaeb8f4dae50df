"""What the RadSec page of a router shows."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.network.models import RadsecCredential


@dataclass(frozen=True, slots=True)
class Credential:
    """One certificate or key. ``state``: valid | withdrawn | expired."""

    id: int
    kind: str
    identity: str
    serial: str
    state: str
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    revoked_by: str
    last_used_at: datetime | None
    last_source: str

    @property
    def fingerprint(self) -> str:
        """As OpenSSL prints it, in pairs."""
        return ":".join(self.identity[at : at + 2] for at in range(0, len(self.identity), 2)).upper()


def credentials_of(scope: TenantScope, nas_id: int, *, now: datetime) -> list[Credential]:
    """All of a router, valid ones first, the newest first."""
    rows = scope.registry.scalars(
        select(RadsecCredential)
        .where(RadsecCredential.tenant_id == scope.tenant_id, RadsecCredential.nas_id == nas_id)
        .order_by(RadsecCredential.revoked_at.is_not(None), RadsecCredential.id.desc())
        .limit(100)
    )
    return [
        Credential(
            id=row.id,
            kind=row.kind,
            identity=row.identity,
            serial=row.serial,
            state=_state(row, now),
            created_at=row.created_at,
            created_by=row.created_by,
            expires_at=row.expires_at,
            revoked_at=row.revoked_at,
            revoked_by=row.revoked_by,
            last_used_at=row.last_used_at,
            last_source=row.last_source,
        )
        for row in rows
    ]


def _state(row: RadsecCredential, now: datetime) -> str:
    if row.revoked_at is not None:
        return "withdrawn"
    return "expired" if row.expires_at is not None and row.expires_at <= now else "valid"
