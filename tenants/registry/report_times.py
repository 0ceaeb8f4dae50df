"""How rarely routers may be told to report, by whomever, and whether their sessions are waited for so long (RAD-5).

A router's extra attributes say the last word, then those of a plan group, then its make's dialect, then the settings.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, Table, Text, select
from sqlalchemy.dialects.postgresql import JSONB

from infra.tenant_scope import TenantScope
from tenants.registry.models import Nas
from tenants.registry.rules_stale import fewest_minutes, interim_of

# Their packages stand above this one; what they tell routers is all that is read of them here.
_ABOVE = MetaData()
_GROUPS = Table(
    "plan_groups",
    _ABOVE,
    Column("id", BigInteger),
    Column("options", JSONB),
    Column("deleted_at", DateTime(timezone=True)),
    schema="tenant",
)
_DIALECTS = Table(
    "dialects", _ABOVE, Column("tenant_id", Integer), Column("key", Text), Column("text", Text), schema="registry"
)


@dataclass(frozen=True, slots=True)
class ReportTimes:
    """Seconds between two reports, by who says so."""

    usual_seconds: int
    of_groups: Mapping[int, int]  # by group's id
    of_dialects: Mapping[str, int]  # by make

    def longest(self, extra: str, vendor: str) -> int:
        """Of a router with these extra attributes: it has sessions of all groups."""
        own = interim_of(extra, 0)
        return own or max(self.of_dialects.get(vendor, self.usual_seconds), *self.of_groups.values(), 1)


@dataclass(frozen=True, slots=True)
class TooRare:
    """A router whose sessions would count as ended between two reports."""

    name: str
    interval_seconds: int
    stale_seconds: int

    @property
    def facts(self) -> dict[str, Any]:
        """For the sentence of a refusal."""
        least, minutes = fewest_minutes(self.interval_seconds), self.stale_seconds // 60
        return {"name": self.name, "interval": self.interval_seconds, "minutes": minutes, "least": least}


def report_times(scope: TenantScope, usual_seconds: int) -> ReportTimes:
    """As they are now."""
    groups = select(_GROUPS.c.id, _GROUPS.c.options["extra"].astext).where(_GROUPS.c.deleted_at.is_(None))
    dialects = select(_DIALECTS.c.key, _DIALECTS.c.text).where(_DIALECTS.c.tenant_id == scope.tenant_id)
    told = [(group_id, interim_of(extra or "", 0)) for group_id, extra in scope.session.execute(groups)]
    written = [(key, interim_of(text, 0)) for key, text in scope.registry.execute(dialects)]
    return ReportTimes(
        usual_seconds,
        {group_id: seconds for group_id, seconds in told if seconds},
        {key: seconds for key, seconds in written if seconds},
    )


def first_too_rare(scope: TenantScope, times: ReportTimes, usual_stale_seconds: int) -> TooRare | None:
    """The first router whose sessions would not be waited for, None when all are."""
    routers = select(Nas).where(Nas.tenant_id == scope.tenant_id, Nas.deleted_at.is_(None)).order_by(Nas.id)
    for nas in scope.registry.scalars(routers):
        stale_seconds = nas.stale_seconds or usual_stale_seconds
        interval = times.longest(str(nas.options.get("extra") or ""), nas.vendor)
        if stale_seconds < fewest_minutes(interval) * 60:
            return TooRare(nas.name, interval, stale_seconds)
    return None
