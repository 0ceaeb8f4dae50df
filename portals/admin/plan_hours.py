"""The hours of a plan group: when it may connect, when it is faster or slower (PLN-7)."""

from dataclasses import dataclass
from datetime import time
from functools import partial
from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.rate_field import rate_field, rate_text
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _, lazy
from portals.shared.toasts import toast
from tenants.access.edit_hours import WindowValues, add_window, change_window, drop_window
from tenants.catalog.errors import WindowNotFound
from tenants.catalog.rules import Window
from tenants.catalog.set_windows import windows_of
from tenants.catalog.weekly import EVERY_DAY, parse_time_of_day
from tenants.subscribers.queries_plans import GroupRow, group_detail
from tenants.subscribers.queries_rates import RateRow, list_rates

_DAYS = (
    lazy("Monday"),
    lazy("Tuesday"),
    lazy("Wednesday"),
    lazy("Thursday"),
    lazy("Friday"),
    lazy("Saturday"),
    lazy("Sunday"),
)


@dataclass(frozen=True, slots=True)
class HoursRow:
    """One window as the page tells it."""

    number: int
    days: str
    span: str
    allows: bool
    rate: RateRow | None
    print: str  # to notice that somebody else has changed it meanwhile


@blueprint.get("/plan-groups/<int:group_id>/hours")
@requires("plans.view")
def show_hours(group_id: int) -> str:
    """All windows of the group."""
    group = group_detail(scope(), group_id)
    rows = _rows(group_id)
    return render_template(
        "admin/plan_hours.html", group=group, rows=rows, limited=any(row.allows for row in rows), zone=scope().zone.key
    )


@blueprint.route("/plan-groups/<int:group_id>/hours/new", methods=["GET", "POST"])
@requires("plans.edit")
def add_hours_page(group_id: int) -> str | Response | tuple[str, int]:
    """A panel: days, from, to, and what holds then."""
    group = group_detail(scope(), group_id)
    initial: dict[str, Any] = {"days": [str(day) for day in range(7)], "starts": "08:00", "ends": "18:00"}
    form = _form(initial | {"action": "rate"})
    if request.method == "POST":
        values = _read(form)
        if values is not None:
            with form.refusals():
                add_window(scope(), group_id, values, actor=actor(), now=present())
                toast(_("Saved the hours of %(name)s.", name=group.name))
                return redirect_after(url_for("admin.show_hours", group_id=group_id))
    return _panel(form, group, 0)


@blueprint.route("/plan-groups/<int:group_id>/hours/<int:number>", methods=["GET", "POST"])
@requires("plans.edit")
def edit_hours_page(group_id: int, number: int) -> str | Response | tuple[str, int]:
    """The same panel, filled in."""
    group = group_detail(scope(), group_id)
    windows = windows_of(scope(), group_id)
    if not 1 <= number <= len(windows):
        raise WindowNotFound(what="window", ref=number)
    window = windows[number - 1]
    rate = _rates().get(window.rate_profile_id or 0)
    form = _form(
        {
            "days": [str(day) for day in range(7) if window.days >> day & 1],
            "starts": f"{window.starts:%H:%M}",
            "ends": f"{window.ends:%H:%M}",
            "action": window.action,
            "down": rate_text(rate.down_bps if rate else None),
            "up": rate_text(rate.up_bps if rate else None),
            "was": _print(window),
        }
    )
    if request.method == "POST":
        values = _read(form)
        if values is not None:
            with form.refusals():
                _same(window, form.text("was", longest=80))
                change_window(scope(), group_id, number, window, values, actor=actor(), now=present())
                toast(_("Saved the hours of %(name)s.", name=group.name))
                return redirect_after(url_for("admin.show_hours", group_id=group_id))
    return _panel(form, group, number)


@blueprint.post("/plan-groups/<int:group_id>/hours/<int:number>/drop")
@requires("plans.edit")
def drop_hours_page(group_id: int, number: int) -> Response:
    """From now on as if it had never been."""
    windows = windows_of(scope(), group_id)
    window = windows[number - 1] if 1 <= number <= len(windows) else None
    if window is not None:
        _same(window, request.form.get("was", "")[:80])
    drop_window(scope(), group_id, number, window, actor=actor(), now=present())
    toast(_("Removed the hours."))
    return redirect_after(url_for("admin.show_hours", group_id=group_id))


def _same(window: Window, was: str) -> None:
    if _print(window) != was:
        raise WindowNotFound(what="window", ref=was)


def _print(window: Window) -> str:
    return f"{window.days}/{window.starts:%H:%M}/{window.ends:%H:%M}/{window.action}/{window.rate_profile_id or 0}"


def _rates() -> dict[int, RateRow]:
    return {rate.id: rate for rate in list_rates(scope())}


def _rows(group_id: int) -> list[HoursRow]:
    rates = _rates()
    return [
        HoursRow(
            number,
            _day_words(window.days),
            _span(window.starts, window.ends),
            window.action == "allow",
            rates.get(window.rate_profile_id or 0),
            _print(window),
        )
        for number, window in enumerate(windows_of(scope(), group_id), 1)
    ]


def _day_words(mask: int) -> str:
    if mask == EVERY_DAY:
        return _("every day")
    if mask == 0b0011111:
        return _("Monday to Friday")
    if mask == 0b1100000:
        return _("Saturday and Sunday")
    return ", ".join(str(word) for day, word in enumerate(_DAYS) if mask >> day & 1)


def _span(starts: time, ends: time) -> str:
    if starts == ends:
        return _("from %(at)s, 24 hours", at=f"{starts:%H:%M}")
    text = f"{starts:%H:%M} – {f'{ends:%H:%M}' if ends != time() else '24:00'}"
    return text if starts < ends or ends == time() else _("%(span)s of the next day", span=text)


def _form(initial: dict[str, Any]) -> Form:
    labels = {
        "days": _("Days"),
        "starts": _("From"),
        "ends": _("To"),
        "action": _("What holds then"),
        "down": _("Speed down"),
        "up": _("Speed up"),
    }
    return Form(request.form if request.method == "POST" else None, labels, **initial)


def _read(form: Form) -> WindowValues | None:
    mask = sum(1 << day for day in range(7) if str(day) in form.values("days"))
    if mask == 0:
        form.fail("days", _("Choose at least one day."))
    starts, ends = (
        form.converted(field, partial(parse_time_of_day, field=field), required=True, longest=5)
        for field in ("starts", "ends")
    )
    action = form.choice("action", ("allow", "rate"))
    down = up = None
    if action == "rate":
        down, up = rate_field(form, "down", required=True), rate_field(form, "up", required=True)
    if not form.ok or starts is None or ends is None:
        return None
    return WindowValues(mask, starts, ends, action, up, down)


def _panel(form: Form, group: GroupRow, number: int) -> str | tuple[str, int]:
    back = url_for("admin.show_hours", group_id=group.id)
    page = render_template(
        "admin/plan_hours_form.html", form=form, group=group, number=number, back=back, days=list(enumerate(_DAYS))
    )
    return page if form.ok else (page, 422)
