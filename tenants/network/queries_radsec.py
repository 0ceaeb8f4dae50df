"""What the RadSec page of a router shows, and which routers' certificates end soon."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.network.models import RadsecCredential
from tenants.network.rules_certificates import WARN_BEFORE, Ending, Shown, ending_of


@dataclass(frozen=True, slots=True)
class Credential:
    """One certificate or key. ``state``: valid | ending (valid, for some weeks more) | withdrawn | expired."""

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

    @property
    def lets_in(self) -> bool:
        """Whether a router may come in with it."""
        return self.state in ("valid", "ending")


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
    if row.expires_at is None or row.expires_at - now > WARN_BEFORE:
        return "valid"
    return "expired" if row.expires_at <= now else "ending"


def radsec_endings(scope: TenantScope, heard: Mapping[int, datetime | None], *, now: datetime) -> dict[int, Ending]:
    """Of these routers (and when each was heard last) those that come in with a certificate that ends soon."""
    mine = RadsecCredential.tenant_id == scope.tenant_id, RadsecCredential.revoked_at.is_(None)
    soon = select(RadsecCredential.nas_id).where(
        *mine, RadsecCredential.last_used_at.is_not(None), RadsecCredential.expires_at <= now + WARN_BEFORE
    )
    shown: dict[int, list[Shown]] = defaultdict(list)
    for row in scope.registry.scalars(select(RadsecCredential).where(*mine, RadsecCredential.nas_id.in_(soon))):
        shown[row.nas_id].append(Shown(row.id, row.created_at, row.expires_at, row.last_used_at))
    found = {nas_id: ending_of(of_router, heard[nas_id], now) for nas_id, of_router in shown.items() if nas_id in heard}
    return {nas_id: ending for nas_id, ending in found.items() if ending is not None}
