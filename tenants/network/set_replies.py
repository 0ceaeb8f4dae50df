"""What a router is sent beyond its make's dialect (NET-2, NET-4): extra attributes, places for who has not paid."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.kernel.errors import Phrase
from tenants.network.errors import BadReplyOption
from tenants.network.find import find_nas
from tenants.network.rules import check_interim
from tenants.network.rules_replies import WHOLE_NUMBER, check_expiring, check_extra, check_place, check_rate_unit
from tenants.registry.report_times import report_times
from tenants.registry.settings import read

MOST_COA_RATE = 5_000


@dataclass(frozen=True, slots=True)
class SetReplies:
    """The whole of it; what is left empty goes back to the default."""

    nas_id: int
    extra: str = ""
    rate_unit: str = ""
    expired: Mapping[str, Any] = field(default_factory=dict)
    expiring: Mapping[str, Any] = field(default_factory=dict)
    expiring_days: int = 0
    region_only: bool = False
    mac_auth: bool = False
    coa_rate: int | None = None


def set_replies(scope: TenantScope, command: SetReplies, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, NasNotFound, BadAttributeText, InterimTooLong, BadReplyOption, ExpiringIncomplete."""
    actor.require("nas.edit")
    nas = find_nas(scope, command.nas_id, lock=True)
    if command.coa_rate is not None and not 1 <= command.coa_rate <= MOST_COA_RATE:
        hint = Phrase(WHOLE_NUMBER, low=1, high=MOST_COA_RATE)
        raise BadReplyOption(field="coa_rate", value=command.coa_rate, hint=hint)
    extra = check_extra(command.extra)
    settings = read(scope)
    stale_seconds = nas.stale_seconds or settings.interim_seconds * settings.stale_intervals
    longest = report_times(scope, settings.interim_seconds).longest(extra, nas.vendor)
    check_interim(longest, stale_seconds, "extra")
    options = {
        "extra": extra,
        "rate_unit": check_rate_unit(command.rate_unit),
        "expired": check_place(command.expired, "expired_"),
        "expiring": check_expiring(command.expiring, command.expiring_days),
        "expiring_days": command.expiring_days,
        "region_only": command.region_only,
        "mac_auth": command.mac_auth,
        "coa_rate": command.coa_rate,
    }
    before = dict(nas.options)
    kept = {name: value for name, value in before.items() if name not in options}
    nas.options = kept | {name: value for name, value in options.items() if value}
    nas.updated_at = now
    scope.registry.flush()  # the trigger tells the nodes in this transaction
    record(
        scope,
        actor=actor,
        action="nas.set_replies",
        object_kind="nas",
        object_id=nas.id,
        object_label=nas.identifier,
        before=before,
        after=nas.options,
        now=now,
    )
