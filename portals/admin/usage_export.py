"""The panel that asks for everybody's usage as a file: which days, and by what (RAD-8)."""

from datetime import date, timedelta

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.exports import columns, file_name
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from tenants.subscribers.queries_usage import PER, count_visible
from tenants.tasks import export_usage
from tenants.tasks.start_task import StartTask, start_task

FORMATS = ("xlsx", "csv")
_LONGEST_DAYS = 3_660


@blueprint.route("/online/usage", methods=["GET", "POST"])
@requires("online.export")
def export_usage_page() -> str | Response | tuple[str, int]:
    """Last month by month unless something else is chosen."""
    today = present().astimezone(scope().zone).date()
    last_month = today.replace(day=1) - timedelta(days=1)
    labels = {"first": _("First day"), "last": _("Last day"), "per": _("A row for each"), "format": _("Format")}
    form = Form(
        request.form if request.method == "POST" else None,
        labels,
        first=last_month.replace(day=1).isoformat(),
        last=last_month.isoformat(),
        per="month",
        format="xlsx",
    )
    if request.method == "POST":
        first, last = _day(form, "first"), _day(form, "last")
        per = form.choice("per", PER)
        form.choice("format", FORMATS)
        if first and last and not 0 <= (last - first).days <= _LONGEST_DAYS:
            form.fail("last", _("The last day lies after the first, by ten years at most."))
        if form.ok and first and last:
            return _start(first, last, per)
    page = render_template(
        "admin/usage_export.html",
        form=form,
        kinds=[("day", _("Day")), ("month", _("Month")), ("whole", _("Subscriber"))],
        back=url_for("admin.list_history_page"),
    )
    return page if form.ok else (page, 422)


def _start(first: date, last: date, per: str) -> Response:
    heads = {
        "username": _("User name"),
        "name": _("Full name"),
        "day": {"day": _("Day"), "month": _("Month"), "whole": _("Days")}[per],
        "down": _("Down in octets"),
        "up": _("Up in octets"),
        "total": _("Sum in octets"),
        "seconds": _("Online in seconds"),
    }
    params = {
        "first": first.isoformat(),
        "last": last.isoformat(),
        "per": per,
        **columns(export_usage, heads),
    }
    command = StartTask("export_usage", params, count_visible(scope(), actor()), file_name("usage"))
    task_id = start_task(scope(), command, actor=actor(), now=present())
    return redirect_after(url_for("admin.show_task", task_id=task_id))


def _day(form: Form, name: str) -> date | None:
    text = form.text(name, required=True, longest=10)
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        form.fail(name, _("A day is written 2026-11-22."))
        return None
