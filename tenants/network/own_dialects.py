"""An ISP's own dialects: written, changed, removed (NET-3). The packet path uses a change within a second."""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from infra.radius_text.dialects import Dialect, parse_dialect
from infra.radius_text.lines import Problem, TextProblems
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.network.errors import (
    BadAttributeText,
    BadDialectName,
    DialectInUse,
    DialectNameTaken,
    DialectNotFound,
    InterimTooLongFor,
)
from tenants.network.models import OwnDialect
from tenants.registry.models import Nas
from tenants.registry.report_times import first_too_rare, report_times
from tenants.registry.rules_stale import interim_of
from tenants.registry.settings import read

OWN: Final = "own-"  # no shipped dialect begins so
LONGEST_NAME: Final = 32
LONGEST_TEXT: Final = 8_000
MOST_DIALECTS: Final = 50
_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?")


@dataclass(frozen=True, slots=True)
class DialectRow:
    """One dialect of the tenant. ``routers``: how many speak it."""

    id: int
    key: str
    text: str
    version: int
    updated_at: datetime
    updated_by: str
    routers: int

    @property
    def name(self) -> str:
        """The key without its mark."""
        return self.key.removeprefix(OWN)

    @property
    def title(self) -> str:
        """What staff see."""
        return checked(self.key, self.text).title


def checked(key: str, text: str) -> Dialect:
    """The dialect of a text. Raises :class:`BadAttributeText` naming every wrong line."""
    try:
        return parse_dialect(key, text)
    except TextProblems as refused:
        raise BadAttributeText(refused.problems, field="text") from None


def list_dialects(scope: TenantScope) -> tuple[DialectRow, ...]:
    """All of the tenant by key."""
    spoken = func.count(Nas.id).filter(Nas.deleted_at.is_(None))
    rows = scope.registry.execute(
        select(OwnDialect, spoken)
        .outerjoin(Nas, (Nas.tenant_id == OwnDialect.tenant_id) & (Nas.vendor == OwnDialect.key))
        .where(OwnDialect.tenant_id == scope.tenant_id)
        .group_by(OwnDialect.id)
        .order_by(OwnDialect.key)
    ).all()
    return tuple(
        DialectRow(row.id, row.key, row.text, row.version, row.updated_at, row.updated_by, int(routers))
        for row, routers in rows
    )


def dialect_detail(scope: TenantScope, dialect_id: int) -> DialectRow:
    """One dialect. Raises :class:`DialectNotFound`, for another tenant's too."""
    found = next((row for row in list_dialects(scope) if row.id == dialect_id), None)
    if found is None:
        raise DialectNotFound(what="dialect", ref=dialect_id)
    return found


def own_dialect(scope: TenantScope, key: str) -> Dialect | None:
    """The dialect that routers name as their make, None when the tenant has none of that key."""
    statement = select(OwnDialect.text).where(OwnDialect.tenant_id == scope.tenant_id, OwnDialect.key == key)
    text = scope.registry.scalar(statement) if key.startswith(OWN) else None
    return None if text is None else checked(key, text)


def add_dialect(scope: TenantScope, name: str, text: str, *, actor: Actor, now: datetime) -> int:
    """Raises Forbidden, BadDialectName, DialectNameTaken, BadAttributeText; gives its id."""
    actor.require("nas.edit")
    name = name.strip().lower()
    if not _NAME.fullmatch(name):
        raise BadDialectName(field="name", longest=LONGEST_NAME)
    _check_size(text)
    checked(OWN + name, text)
    if len(list_dialects(scope)) >= MOST_DIALECTS:
        raise DialectNameTaken(field="name", name=name)
    row = OwnDialect(
        tenant_id=scope.tenant_id, key=OWN + name, text=text, version=1, updated_at=now, updated_by=actor.name
    )
    try:
        with scope.registry.begin_nested():
            scope.registry.add(row)
    except IntegrityError:
        raise DialectNameTaken(field="name", name=name) from None
    _record(scope, "dialect.add", row, actor, now)
    return row.id


def edit_dialect(scope: TenantScope, dialect_id: int, text: str, *, actor: Actor, now: datetime) -> None:
    """Another text; its routers are answered by it from now on.

    Raises Forbidden, DialectNotFound, BadAttributeText, InterimTooLongFor.
    """
    actor.require("nas.edit")
    row = _find(scope, dialect_id)
    _check_size(text)
    checked(row.key, text)
    if text == row.text:
        return
    _require_reports_in_time(scope, row, text)
    before = row.text
    row.text, row.version, row.updated_at, row.updated_by = text, row.version + 1, now, actor.name
    scope.registry.flush()  # the trigger tells the nodes in this transaction
    _record(scope, "dialect.edit", row, actor, now, before=before)


def delete_dialect(scope: TenantScope, dialect_id: int, *, actor: Actor, now: datetime) -> None:
    """Raises Forbidden, DialectNotFound, and DialectInUse while a router speaks it."""
    actor.require("nas.edit")
    row = _find(scope, dialect_id)
    uses = select(func.count()).where(Nas.tenant_id == scope.tenant_id, Nas.vendor == row.key, Nas.deleted_at.is_(None))
    count = scope.registry.scalar(uses) or 0
    if count:
        raise DialectInUse(name=row.key.removeprefix(OWN), count=count)
    _record(scope, "dialect.delete", row, actor, now, before=row.text)
    scope.registry.delete(row)
    scope.registry.flush()


def _require_reports_in_time(scope: TenantScope, row: OwnDialect, text: str) -> None:
    """The routers that speak it are waited for as long as they are told to be silent. Raises InterimTooLongFor."""
    told, settings = interim_of(text, 0), read(scope)
    if told == interim_of(row.text, 0):
        return
    times = report_times(scope, settings.interim_seconds)
    others = {key: seconds for key, seconds in times.of_dialects.items() if key != row.key}
    times = replace(times, of_dialects=others | ({row.key: told} if told else {}))
    found = first_too_rare(scope, times, settings.interim_seconds * settings.stale_intervals)
    if found is not None:
        raise InterimTooLongFor(field="text", **found.facts)


def _find(scope: TenantScope, dialect_id: int) -> OwnDialect:
    statement = select(OwnDialect).where(OwnDialect.id == dialect_id, OwnDialect.tenant_id == scope.tenant_id)
    row = scope.registry.scalars(statement.with_for_update()).one_or_none()
    if row is None:
        raise DialectNotFound(what="dialect", ref=dialect_id)
    return row


def _check_size(text: str) -> None:
    if len(text) > LONGEST_TEXT:
        raise BadAttributeText(
            [Problem(1, "too_long", f"the text has more than {LONGEST_TEXT} characters")], field="text"
        )


def _record(
    scope: TenantScope, action: str, row: OwnDialect, actor: Actor, now: datetime, *, before: str | None = None
) -> None:
    record(
        scope,
        actor=actor,
        action=action,
        object_kind="dialect",
        object_id=row.id,
        object_label=row.key.removeprefix(OWN),
        before=None if before is None else {"text": before},
        after={"text": row.text} if action != "dialect.delete" else None,
        now=now,
    )
