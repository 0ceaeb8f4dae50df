"""Octets and bit rates as people write them (billing-rules.md, "Units")."""

import re
from decimal import Decimal

from tenants.kernel.errors import BusinessError

GIB = 1024**3
GB = 10**9
DECIMAL_MEGABIT = 1_000_000
BINARY_MEGABIT = 1_048_576
MAX_RATE_BPS = 1_000_000_000_000  # 1 Tbit/s: above it a unit was forgotten or typed twice
_RATE = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)([kKmMgG]?)", re.ASCII)


class BadRate(BusinessError):
    """The text is not a rate."""

    code = "bad_rate"
    message = "{value} is not a rate: write a number with k, M or G, such as 512k, 2M or 1G, greater than 0."


class BadQuantityOfData(BusinessError):
    """The text is not a volume of data or a number of hours."""

    code = "bad_quota"
    message = "{value} is not a quota: write a number greater than 0 with at most 3 decimals."


def rate_bps(text: str, *, megabit: int = DECIMAL_MEGABIT, field: str = "rate") -> int:
    """``2M`` → 2,000,000 bit/s (or 2 × 1,048,576 where the tenant chose binary); ``512k``; a bare number is bit/s.

    Raises :class:`BadRate` for 0, for spaces, for spelled units and for more than 1 Tbit/s.
    """
    match = _RATE.fullmatch(text.strip())
    if match is None:
        raise BadRate(field=field, value=text[:40])
    kilobit = 1000 if megabit == DECIMAL_MEGABIT else 1024
    factor = {"": 1, "k": kilobit, "m": megabit, "g": megabit * kilobit}[match[2].lower()]
    bps = Decimal(match[1]) * factor
    if bps != bps.to_integral_value() or not 0 < bps <= MAX_RATE_BPS:
        raise BadRate(field=field, value=text[:40])
    return int(bps)


def show_rate(bps: int, *, megabit: int = DECIMAL_MEGABIT) -> str:
    """The shortest exact form: ``2M``, ``512k``, ``1500``."""
    kilobit = 1000 if megabit == DECIMAL_MEGABIT else 1024
    for factor, unit in ((megabit * kilobit, "G"), (megabit, "M"), (kilobit, "k")):
        if bps >= factor and bps % factor == 0:
            return f"{bps // factor}{unit}"
    return str(bps)


def _quantity(text: str, factor: int, field: str) -> int:
    if re.fullmatch(r"\d{1,9}(\.\d{1,3})?", text.strip(), re.ASCII) is None:
        raise BadQuantityOfData(field=field, value=text[:40])
    value = int(Decimal(text.strip()) * factor)
    if value <= 0:
        raise BadQuantityOfData(field=field, value=text[:40])
    return value


def gigabytes(text: str, *, gigabyte: int = GIB, field: str = "quota_gb") -> int:
    """``10`` or ``0.5`` GB → octets. Raises :class:`BadQuantityOfData`."""
    return _quantity(text, gigabyte, field)


def hours(text: str, *, field: str = "quota_hours") -> int:
    """``10`` or ``1.5`` hours → seconds. Raises :class:`BadQuantityOfData`."""
    return _quantity(text, 3600, field)
