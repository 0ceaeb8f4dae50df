"""Regions and routers as lists for the command line and forms."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from infra.tenant_scope import TenantScope
from tenants.network.models import Region
from tenants.registry.models import Nas


@dataclass(frozen=True, slots=True)
class RegionRow:
    """One region."""

    id: int
    name: str
    title: str
    address: str
    phone: str


@dataclass(frozen=True, slots=True)
class NasRow:
    """One router, without its secret."""

    id: int
    identifier: str
    name: str
    vendor: str
    auth_mode: str
    address: str
    ddns_name: str
    ddns_addresses: tuple[str, ...]
    ddns_error: str
    coa_port: int
    message_authenticator: str
    region: str
    first_packet_at: datetime | None
    first_online_at: datetime | None
    last_packet_at: datetime | None


def list_regions(scope: TenantScope) -> list[RegionRow]:
    """All regions, in the order in which they were made."""
    rows = scope.session.scalars(select(Region).where(Region.deleted_at.is_(None)).order_by(Region.id))
    return [RegionRow(row.id, row.name, row.title, row.address, row.phone) for row in rows]


def list_nas(scope: TenantScope) -> list[NasRow]:
    """All routers by identifier."""
    rows = scope.registry.scalars(
        select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None)).order_by(Nas.identifier)
    )
    regions = {region.id: region.name for region in list_regions(scope)}
    return [nas_row(row, regions) for row in rows]


def nas_row(row: Nas, regions: dict[int, str]) -> NasRow:
    """A router's row as a read model."""
    return NasRow(
        id=row.id,
        identifier=row.identifier,
        name=row.name,
        vendor=row.vendor,
        auth_mode=row.auth_mode,
        address="" if row.address is None else str(row.address),
        ddns_name=row.ddns_name,
        ddns_addresses=tuple(row.ddns_addresses or ()),
        ddns_error=row.ddns_error or "",
        coa_port=row.coa_port,
        message_authenticator=row.message_authenticator,
        region=regions.get(row.region_id or 0, ""),
        first_packet_at=row.first_packet_at,
        first_online_at=row.first_online_at,
        last_packet_at=row.last_packet_at,
    )
