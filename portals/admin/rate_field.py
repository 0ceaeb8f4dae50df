"""A speed as staff type and read it (20M, 512k), in every form that has one."""

from functools import partial

from portals.shared.forms import Form
from portals.shared.tenancy import tenant_settings
from tenants.kernel.units import rate_bps, show_rate


def rate_field(form: Form, name: str, *, required: bool = False) -> int | None:
    """The rate in bit/s, by what the tenant calls a megabit; None with an error noted, or when left empty."""
    return form.converted(name, partial(rate_bps, megabit=_megabit(), field=name), required=required, longest=12)


def rate_text(bps: int | None) -> str:
    """What would be typed for a rate in bit/s; "" for none."""
    return show_rate(bps, megabit=_megabit()) if bps else ""


def _megabit() -> int:
    return int(tenant_settings().megabit)
