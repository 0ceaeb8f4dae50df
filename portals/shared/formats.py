"""How values are written on screens: money, dates in the tenant's zone, octets, rates, durations (looks.md)."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, g, has_request_context
from markupsafe import Markup

from infra import clock
from portals.shared.engine_states import engine_state
from portals.shared.i18n import _, ngettext

_GB = 1024**3  # billing-rules.md: 1 GB sold is 1024³ octets
_MB = 1024**2


def zone() -> ZoneInfo:
    """The tenant's time zone; UTC outside a tenant."""
    tenant = getattr(g, "tenant", None) if has_request_context() else None
    return tenant.zone if tenant is not None else ZoneInfo("UTC")


def money(value: Any) -> str:
    """``1,234.50``: two decimals, thousands apart, no sign of the currency (it stands once in the head)."""
    amount = getattr(value, "amount", value)
    return f"{Decimal(amount):,.2f}".replace("-", "−")


def number(value: int | None) -> str:
    """``1,234``; a dash for what is unknown."""
    return "—" if value is None else f"{value:,}"


def local(at: datetime, seconds: bool = False) -> str:
    """``2026-11-22 16:10`` in the tenant's zone."""
    return at.astimezone(zone()).strftime("%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M")


def when(at: datetime | None, seconds: bool = False, short: bool = False) -> Markup:
    """An instant as ``<time>`` with the relative time as tooltip; ``short`` leaves today's date out."""
    if at is None:
        return Markup('<span class="mut">—</span>')
    text = local(at, seconds)
    if short and text[:10] == local(clock.now())[:10]:
        text = text[11:]
    return Markup('<time datetime="{}" title="{}">{}</time>').format(
        at.astimezone(UTC).isoformat(timespec="seconds"), relative(at), text
    )


def day(on: date | None) -> str:
    """``2026-11-22``, or a dash."""
    return "—" if on is None else on.isoformat()


def relative(at: datetime) -> str:
    """``3 minutes ago`` or ``in 2 days``."""
    seconds = (at - clock.now()).total_seconds()
    if abs(seconds) < 1:
        return _("now")
    span = duration(abs(seconds))
    return _("in %(span)s", span=span) if seconds > 0 else _("%(span)s ago", span=span)


def duration(seconds: float | timedelta) -> str:
    """The two largest units: ``1 day 19 h``, ``7 h 56 min``, ``12 s``."""
    total = int(seconds.total_seconds() if isinstance(seconds, timedelta) else seconds)
    days, rest = divmod(max(total, 0), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, left = divmod(rest, 60)
    if days:
        first = ngettext("%(num)s day", "%(num)s days", days)
        return f"{first} {_('%(hours)s h', hours=hours)}" if hours and days < 100 else first
    if hours:
        first = _("%(hours)s h", hours=hours)
        return f"{first} {_('%(minutes)s min', minutes=minutes)}" if minutes else first
    return _("%(minutes)s min", minutes=minutes) if minutes else _("%(seconds)s s", seconds=left)


def octets(value: int | None) -> str:
    """``6.81 GB``, ``412 MB``, ``0 MB``."""
    if value is None:
        return "—"
    if value >= 1024 * _GB:
        return f"{value / (1024 * _GB):,.2f} TB"
    if value >= _GB:
        return f"{value / _GB:,.2f} GB"
    return f"{value / _MB:,.1f} MB" if 0 < value < 10 * _MB else f"{value / _MB:,.0f} MB"


def rate(bits_per_second: int | None) -> str:
    """``100M``, ``512k``, ``1.5G`` (1 Mb = 1,000,000 bits)."""
    if bits_per_second is None:
        return "—"
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if bits_per_second >= size:
            return f"{bits_per_second / size:.6g}{unit}"
    return str(bits_per_second)


def mbps(bits_per_second: int | None) -> str:
    """A measured rate in Mb/s (1 Mb = 1,000,000 bits), without the unit: ``87.6``, ``1,240``."""
    if bits_per_second is None:
        return "—"
    return f"{bits_per_second / 10**6:,.{1 if bits_per_second < 10**8 else 0}f}"


def speed(bits_per_second: int) -> str:
    """A measured rate with its unit: ``8.42 Gb/s``, ``87.6 Mb/s``."""
    if bits_per_second >= 10**9:
        return f"{bits_per_second / 10**9:,.2f} Gb/s"
    return f"{mbps(bits_per_second)} Mb/s"


def spark(values: list[float]) -> Markup:
    """A small line drawn by the server, decoration only."""
    if len(values) < 2:
        return Markup("")
    low, high = min(values), max(values)
    points = [
        (round(i * 96 / (len(values) - 1), 1), round(28 - (float(v) - low) / ((high - low) or 1) * 26, 1))
        for i, v in enumerate(values)
    ]
    line = "M" + " L".join(f"{x} {y}" for x, y in points)
    return Markup(
        '<svg class="spark" viewBox="0 0 96 30" preserveAspectRatio="none" aria-hidden="true">'
        '<path class="a" d="{0} L96 30 L0 30Z"/><path class="l" d="{0}"/></svg>'
    ).format(line)


def init_formats(app: Flask) -> None:
    """Give the formats to templates as filters."""
    for formatter in (money, number, local, when, day, relative, duration, octets, rate, mbps, speed):
        app.jinja_env.filters[formatter.__name__] = formatter
    app.jinja_env.globals.update(spark=spark, now=clock.now, engine_state=engine_state)
