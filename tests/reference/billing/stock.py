"""The plans that the stories sell, the settings that they are told under."""

import random
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from tests.reference.billing.facts import Gift, Plan, Settings

GB = 2**30
ZONES = ("Asia/Shanghai", "Europe/Berlin")
OUTER = "outskirts"  # a second region
_BEGIN, _END = datetime(2010, 1, 1, tzinfo=UTC), datetime(2090, 1, 1, tzinfo=UTC)


def _gift(what: str, value: str, minimum: int = 1, *, first: bool = False) -> tuple[Gift, ...]:
    return (Gift(what, Decimal(value), minimum, first, _BEGIN, _END),)


def _plan(name: str, group: str, kind: str, price: str, **more: object) -> Plan:
    return Plan(name, group, kind, Decimal(price), **more)  # type: ignore[arg-type]


PLANS = {
    plan.name: plan
    for plan in (
        _plan("2M month", "2M", "month", "50.00"),
        _plan("2M quarter", "2M", "quarter", "140.00"),
        _plan("2M half", "2M", "half-year", "270.00"),
        _plan("2M year", "2M", "year", "500.00", gifts=_gift("months", "1")),
        _plan("2M day", "2M", "day", "2.35"),
        _plan("2M week", "2M", "week", "13.00", gifts=_gift("amount", "3.33", 2)),
        _plan("2M prepaid", "2M", "prepaid-month", "49.90"),
        _plan("2M dearer", "2M", "month", "88.88", gifts=_gift("days", "3", first=True)),
        _plan("3M month", "3M", "month", "60.00"),
        _plan("3M quarter", "3M", "quarter", "170.00", gifts=_gift("amount", "200.00", first=True)),
        _plan("3M prepaid", "3M", "prepaid-month", "59.99"),
        _plan("natural day", "nat", "natural-day", "3.00"),
        _plan("natural month", "nat", "natural-month", "40.00", gifts=_gift("hours", "36")),
        _plan("10 GB", "quota", "traffic", "30.00", octets=10 * GB, validity_days=30),
        _plan("25 GB", "quota", "traffic", "64.99", octets=25 * GB, validity_days=45, gifts=_gift("octets", str(GB))),
        _plan("100 hours", "quota", "hours", "20.00", seconds=360_000, validity_days=30),
        _plan("2 hours a day", "quota", "hours-per-day", "25.00", seconds=7200),
        _plan("60 hours a month", "quota", "hours-per-month", "33.33", seconds=216_000, validity_days=40),
        _plan("1 GB a day", "quota", "traffic-per-day", "28.00", octets=GB, validity_days=7),
        _plan("50 GB a month", "quota", "traffic-per-month", "45.00", octets=50 * GB),
        _plan("newcomers", "2M", "month", "30.00", usage="new"),
        _plan("loyal", "2M", "month", "45.00", usage="renew"),
        _plan("secret", "2M", "month", "1.00", hidden=True),
        _plan("far away", "2M", "month", "20.00", regions=(OUTER,)),
        _plan("free", "2M", "month", "0.00"),
    )
}
SALES = [name for name in PLANS if name not in ("newcomers", "loyal", "secret", "far away", "free")]
_CHOICES: dict[str, tuple[object, ...]] = {
    "not_a_change_seconds": (259_200, 259_200, 0, 864_000),
    "bind_original_group": (False, False, True),
    "auto_difference": (True, True, True, False),
    "difference_only": (False, False, True),
    "difference_rounding": ("whole", "cents"),
    "downgrade_credit": (False, True),
    "reversal_seconds": (3600, 0, 864_000),
    "reversal_cutoff_hour": (23, None, 12),
    "arrears_days": (3, 0, 40),
    "arrears_cancel_days": (1, 0, 31),
    "unified_expiry_hour": (None, None, 16, 2, 0),
    "install_fee": (Decimal("0.00"), Decimal("100.00"), Decimal("0.01")),
}


def draw_settings(chance: random.Random, zone: str) -> Settings:
    """Each at its default in about half of the stories."""
    settings = Settings(ZoneInfo(zone))
    for field in fields(settings):
        if field.name in _CHOICES and chance.random() < 0.5:
            setattr(settings, field.name, chance.choice(_CHOICES[field.name]))
    return settings


def as_text(value: object) -> str:
    """A setting as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "on" if value else "off"
    return str(value)
