"""Writes the operation log (STF-6): who did what to which object, before and after."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.audit.models import AuditEntry
from tenants.kernel.actor import Actor

Facts = Mapping[str, Any]
_AS_THEY_ARE = frozenset({str, int, bool, float})


def record(
    scope: TenantScope,
    *,
    actor: Actor,
    action: str,
    object_kind: str,
    object_id: object,
    object_label: str = "",
    before: Facts | Sequence[Any] | None = None,
    after: Facts | Sequence[Any] | None = None,
    reason: str = "",
    now: datetime,
) -> None:
    """Add an entry in the caller's transaction; what did not change is left out of ``before`` and ``after``.

    Never pass secrets or passwords: the log is readable and for ever.
    """
    values = entry_values(
        actor=actor,
        action=action,
        object_kind=object_kind,
        object_id=object_id,
        object_label=object_label,
        before=_plain(before),
        after=_plain(after),
        reason=reason,
        now=now,
    )
    scope.session.add(AuditEntry(**values))


def entry_values(
    *,
    actor: Actor,
    action: str,
    object_kind: str,
    object_id: object,
    object_label: str,
    before: Any,
    after: Any,
    reason: str,
    now: datetime,
) -> dict[str, Any]:
    """The row that :func:`record` adds, for those who store it with other rows; they bring the facts into JSON."""
    if isinstance(before, dict) and isinstance(after, dict):
        same = {key for key in before.keys() & after.keys() if before[key] == after[key]}
        if same:
            before, after = ({k: v for k, v in facts.items() if k not in same} for facts in (before, after))
    return {
        "at": now,
        "actor_kind": actor.kind,
        "actor_id": actor.id,
        "actor_name": actor.name,
        "address": actor.address,
        "action": action,
        "object_kind": object_kind,
        "object_id": str(object_id),
        "object_label": object_label,
        "before": before,
        "after": after,
        "reason": reason,
    }


def plain(facts: Facts | None) -> dict[str, Any] | None:
    """Facts as JSON can hold them: amounts and instants become text."""
    return None if facts is None else {str(key): _plain(value) for key, value in facts.items()}


def _plain(value: Any) -> Any:
    if value is None or type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return plain(value)
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    if isinstance(value, bytes):
        raise TypeError("bytes do not belong into the operation log; they are secrets more often than not")
    return str(value)
