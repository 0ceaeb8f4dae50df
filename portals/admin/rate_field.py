"""A speed as staff type and read it (20M, 512k), in every form that has one, and a whole rate profile of them."""

from functools import partial
from typing import Any

from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from tenants.catalog.add_rate_profile import BURST_FIELDS, AddRateProfile
from tenants.kernel.units import rate_bps, show_rate

RATES = ("down", "up", "burst_down", "burst_up", "threshold_down", "threshold_up")
_LOWEST_PRIORITY = 8
_SLOWEST_TYPED_BPS = 8_000  # a bare number below it is a forgotten unit


def rate_labels() -> dict[str, str]:
    """Names of the fields that :func:`read_rates` reads."""
    return {
        "down": _("Speed down"),
        "up": _("Speed up"),
        "burst_down": _("Burst down"),
        "burst_up": _("Burst up"),
        "threshold_down": _("Threshold down"),
        "threshold_up": _("Threshold up"),
        "burst_seconds": _("Burst time in seconds"),
        "priority": _("Priority"),
    }


def rate_values(rate: Any) -> dict[str, Any]:
    """Those fields as they are filled in for something that has the columns of a rate profile."""
    values: dict[str, Any] = {name: rate_text(getattr(rate, f"{name}_bps")) for name in RATES}
    return values | {"burst_seconds": rate.burst_seconds or "", "priority": rate.priority}


def read_rates(form: Form, name: str = "") -> AddRateProfile | None:
    """The rate profile that a form describes; None with what is wrong noted in it."""
    rates = {f"{field}_bps": rate_field(form, field, required=field in ("up", "down")) for field in RATES}
    seconds = form.integer("burst_seconds", lowest=1, highest=3_600, required=False)
    priority = form.integer("priority", lowest=1, highest=_LOWEST_PRIORITY, required=False)
    burst = {field: (rates | {"burst_seconds": seconds})[field] for field in BURST_FIELDS}
    if any(value is not None for value in burst.values()) and None in burst.values():
        form.fail("burst_down", _("A burst needs all five of its values."))
    up_bps, down_bps = rates["up_bps"], rates["down_bps"]
    if up_bps is None or down_bps is None or not form.ok:
        return None
    return AddRateProfile(name, up_bps, down_bps, **burst, priority=priority or _LOWEST_PRIORITY)


def rate_field(form: Form, name: str, *, required: bool = False) -> int | None:
    """The rate in bit/s, by what the tenant calls a megabit; None with an error noted, or when left empty."""
    bps = form.converted(name, partial(rate_bps, megabit=_megabit(), field=name), required=required, longest=12)
    typed = form.value(name).strip()
    if bps is not None and bps < _SLOWEST_TYPED_BPS and typed.isdigit():
        form.fail(name, _("%(value)s would be bit/s. With its unit: %(value)sM, or %(value)sk.", value=typed))
        return None
    return bps


def rate_text(bps: int | None) -> str:
    """What would be typed for a rate in bit/s; "" for none."""
    return show_rate(bps, megabit=_megabit()) if bps else ""


def _megabit() -> int:
    return int(tenant_settings().megabit)
