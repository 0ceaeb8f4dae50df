"""Reads and writes a tenant's settings (TEN-9); a few are copied to ``registry.tenants`` for those without a schema."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, NoReturn
from zoneinfo import available_timezones

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from infra.outbox import emit
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, InvalidInputs, Phrase
from tenants.registry.errors import BadSetting, UnknownSetting
from tenants.registry.models import Tenant, TenantSetting
from tenants.registry.report_times import first_too_rare, report_times
from tenants.registry.setting_kinds import Setting
from tenants.registry.settings_catalogue import CATALOGUE, DEFAULTS, GROUPS, TenantSettings

__all__ = ["CATALOGUE", "DEFAULTS", "GROUPS", "Setting", "SettingView", "TenantSettings"]

# Copied, because the packet path, the directory and the due clock know a tenant only by its registry row.
COPIED_TO_REGISTRY = ("timezone", "locale", "currency", "interim_seconds", "max_session_seconds", "stale_intervals")
TIMEZONE = "tenant.timezone"
_INTERIM = "interim_seconds"
_CACHE = "broadloom.settings"
_SWITCH = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_NOTHING = ("", "none", "null", "off")


@dataclass(frozen=True, slots=True)
class SettingView:
    """One setting with its value, for lists."""

    key: str
    group: str
    value: Any
    default: Any
    is_default: bool
    unit: str
    help: str


def read(scope: TenantScope) -> TenantSettings:
    """All settings of the tenant, defaults filled in; read once per unit of work."""
    known = scope.session.info.get(_CACHE)
    if isinstance(known, TenantSettings):
        return known
    rows = scope.session.execute(select(TenantSetting.key, TenantSetting.value))
    settings = _typed({row.key: row.value for row in rows})
    scope.session.info[_CACHE] = settings
    return settings


@lru_cache(maxsize=1024)
def parse_stored(text: str | bytes | None) -> TenantSettings:
    """All settings from one JSON object of key and stored value (None: no row at all).

    The text is the key of the cache: who reads it with each operation sees a change at once and parses it once.
    """
    return _typed({} if text is None else json.loads(text))


def _typed(rows: Mapping[str, Any]) -> TenantSettings:
    known = {key: value for key, value in rows.items() if key in CATALOGUE}  # not those of a newer or older version
    return replace(DEFAULTS, **{key: from_stored(CATALOGUE[key], value) for key, value in known.items()})


def list_settings(scope: TenantScope) -> list[SettingView]:
    """Every setting with its present value, in the order of the catalogue."""
    values = read(scope)
    return [
        SettingView(s.key, s.group, value, s.default, value == s.default, s.unit, s.help)
        for s in CATALOGUE.values()
        for value in [getattr(values, s.key)]
    ]


def write(scope: TenantScope, key: str, raw: str, *, actor: Actor, now: datetime) -> Any:
    """Set one setting from text; returns the typed value. Raises UnknownSetting, BadSetting, Forbidden."""
    return write_many(scope, {key: raw}, actor=actor, now=now)[key]


def write_many(scope: TenantScope, raw: dict[str, str], *, actor: Actor, now: datetime) -> dict[str, Any]:
    """Set several at once or none. Raises :class:`InvalidInputs` when more than one is wrong."""
    actor.require("settings.edit")
    errors: list[BusinessError] = []
    values: dict[str, Any] = {}
    for key, text in raw.items():
        try:
            values[key] = parse(find_setting(key), text)
        except BusinessError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
    before = read(scope)
    changed = {key: value for key, value in values.items() if getattr(before, key) != value}
    for key in (_INTERIM, "stale_intervals"):
        if key in changed:
            after = replace(before, **changed)
            _require_reports_in_time(scope, key, after.interim_seconds, after.stale_intervals)
    for key, value in changed.items():
        _store(scope, key, value, actor=actor, now=now)
    if changed:
        _copy_to_registry(scope, changed)
        if "timezone" in changed:  # what is due at an hour of the wall clock is due at another instant now
            emit(scope.session, scope.tenant_id, TIMEZONE, {}, subject=changed["timezone"])
        scope.session.info.pop(_CACHE, None)
        record(
            scope,
            actor=actor,
            action="settings.edit",
            object_kind="settings",
            object_id=",".join(changed),
            before={key: getattr(before, key) for key in changed},
            after=changed,
            now=now,
        )
    return values


def reset(scope: TenantScope, key: str, *, actor: Actor, now: datetime) -> Any:
    """Back to the default."""
    return write(scope, key, as_text(find_setting(key).default), actor=actor, now=now)


def find_setting(key: str) -> Setting:
    """The catalogue's entry. Raises :class:`UnknownSetting`."""
    found = CATALOGUE.get(key)
    if found is None:
        raise UnknownSetting(field=key, key=key)
    return found


def parse(setting: Setting, raw: str) -> Any:
    """The typed value of what a person wrote; pure. Raises :class:`BadSetting`, which says what would be right."""
    text = raw.strip()
    match setting.kind:
        case "switch":
            value = _SWITCH.get(text.lower())
            if value is None:
                _refuse(setting, raw, "use on or off")
            return value
        case "integer":
            return _number(setting, raw, text)
        case "optional_hour":
            return None if text.lower() in _NOTHING else _number(setting, raw, text)
        case "money":
            return _amount(setting, raw, text)
        case "choice":
            if text not in setting.choices:
                _refuse(setting, raw, Phrase("use {choices}", choices=" / ".join(setting.choices)))
            return text
        case "timezone":
            if text not in available_timezones():
                _refuse(setting, raw, "use a zone like Asia/Shanghai")
            return text
        case "color":
            if text and not re.fullmatch("#[0-9a-fA-F]{6}", text):
                _refuse(setting, raw, "use a colour like #0b6670")
            return text.lower()
        case "names":
            names = tuple(dict.fromkeys(text.replace(",", " ").split()))
            if any(name not in setting.choices for name in names):
                _refuse(setting, raw, Phrase("use any of {choices}", choices=", ".join(setting.choices)))
            return names
        case _:
            return _text(setting, raw, text)


def as_text(value: Any) -> str:
    """A typed value as :func:`parse` reads it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return " ".join(value) if isinstance(value, tuple) else str(value)


def from_stored(setting: Setting, value: Any) -> Any:
    """The typed value of what JSON kept."""
    if setting.kind == "money":
        return Decimal(str(value))
    return tuple(value) if setting.kind == "names" else value


def _store(scope: TenantScope, key: str, value: Any, *, actor: Actor, now: datetime) -> None:
    if value == CATALOGUE[key].default:
        scope.session.execute(delete(TenantSetting).where(TenantSetting.key == key))
        return
    row = {
        "value": json.loads(json.dumps(value, default=str)),
        "updated_at": now,
        "updated_by": actor.name,
    }
    statement = insert(TenantSetting).values(key=key, **row)
    scope.session.execute(statement.on_conflict_do_update(index_elements=["key"], set_=row))


def _copy_to_registry(scope: TenantScope, changed: dict[str, Any]) -> None:
    copied = {key: changed[key] for key in COPIED_TO_REGISTRY if key in changed}
    if copied:
        scope.registry.execute(
            update(Tenant)
            .where(Tenant.id == scope.tenant_id)
            .values(directory_version=Tenant.directory_version + 1, **copied)
        )


def _require_reports_in_time(scope: TenantScope, key: str, interim_seconds: int, intervals: int) -> None:
    """Each router must be able to report before its sessions count as ended; it may have its own interval or time."""
    found = first_too_rare(scope, report_times(scope, interim_seconds), interim_seconds * intervals)
    if found is not None:
        why = "sessions of the router {name} end after {minutes} silent minutes; give it {least} or more first"
        facts = {name: value for name, value in found.facts.items() if name != "interval"}
        _refuse(CATALOGUE[key], str(interim_seconds if key == _INTERIM else intervals), Phrase(why, **facts))


def _number(setting: Setting, raw: str, text: str) -> int:
    low, high = setting.minimum, setting.maximum
    try:
        value = int(text)
    except ValueError:
        value = None
    if value is None or (low is not None and value < low) or (high is not None and value > high):
        _refuse(setting, raw, Phrase("a whole number from {low} to {high} is needed", low=low, high=high))
    return value or 0


def _amount(setting: Setting, raw: str, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        _refuse(setting, raw, "an amount like 100 or 99.50 is needed")
    if not value.is_finite() or value.as_tuple().exponent < -2:  # type: ignore[operator]
        _refuse(setting, raw, "an amount has at most two decimals")
    if not (setting.minimum or 0) <= value <= (setting.maximum or 0):
        limits = {"low": setting.minimum or 0, "high": setting.maximum or 0}
        _refuse(setting, raw, Phrase("an amount from {low} to {high} is needed", **limits))
    return value.quantize(Decimal("0.01"))


def _text(setting: Setting, raw: str, text: str) -> str:
    if setting.maximum is not None and len(text) > setting.maximum:
        most = Phrase("at most {most} characters are possible", most=setting.maximum)
        _refuse(setting, raw[:20] + "…", most)
    if any(ord(c) < 32 and not (c in "\r\n\t" and setting.kind == "long_text") for c in text):
        _refuse(setting, raw.strip()[:20], "control characters are not possible")
    return text


def _refuse(setting: Setting, raw: str, why: str) -> NoReturn:
    raise BadSetting(field=setting.key, key=setting.key, value=raw, why=why)
