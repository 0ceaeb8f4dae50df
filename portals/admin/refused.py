"""Refused logins and packets that could not be trusted, in plain words (RAD-7, TEN-4)."""

from datetime import timedelta

from flask import render_template

from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView, StateTab
from portals.shared.words import REFUSALS, refusal
from tenants.subscribers.find import id_of_name
from tenants.subscribers.search_sql import normalise_mac
from tenants.subscribers.visibility import visible_ids
from tenants.usage.queries_refused import count_refused_by_reason, list_refused
from tenants.usage.queries_routers import router_names

COLUMNS = (
    Column("at", lazy("Time"), phone="right", fixed=True),
    Column("username", lazy("User name"), mono=True, phone="title", fixed=True),
    Column("reason", lazy("Why"), phone="wide", fixed=True),
    Column("nas", lazy("Router"), phone="plain"),
    Column("mac", lazy("Device"), mono=True),
    Column("source", lazy("Source"), mono=True),
    Column("method", lazy("Method")),
    Column("repeats", lazy("Times"), number=True, phone="plain", phone_label="×"),
)
SPANS = {"1": lazy("1 hour"), "24": lazy("24 hours"), "168": lazy("7 days"), "720": lazy("30 days")}


@blueprint.get("/refused/")
@requires("refused.view")
def list_refused_page() -> str:
    """Newest first; the tabs are the commonest reasons of the span."""
    view = ListView.from_request("refused", COLUMNS, filters=("nas", "reason", "hours"))
    hours = as_number(view.filter("hours")) or 24
    since = present() - timedelta(hours=min(hours, 720))
    among = visible_ids(actor())
    nas_id = as_number(view.filter("nas"))
    counts = count_refused_by_reason(scope(), since, nas_id=nas_id, among=among)
    routers = router_names(scope())
    page = list_refused(
        scope(),
        since=since,
        reason=view.state or view.filter("reason"),
        nas_id=nas_id,
        text=view.text,
        mac=normalise_mac(view.text),
        named=id_of_name(scope(), view.text),
        among=among,
        cursor=view.cursor,
        size=view.size,
    )
    view.tabs = [StateTab("", _("All"), sum(counts.values()))]
    view.tabs += [StateTab(code, str(refusal(code).word), number) for code, number in list(counts.items())[:6]]
    view.chip("nas", _("Router"), routers.get(nas_id or 0, "?"))
    view.chip("reason", _("Why"), str(refusal(view.filter("reason")).word))
    view.chip("hours", _("Time"), str(SPANS.get(view.filter("hours"), view.filter("hours"))))
    return render_template(
        "admin/refused.html",
        view=view,
        page=page,
        routers=routers,
        spans=list(SPANS.items()),
        reasons=[(code, words.word) for code, words in REFUSALS.items()],
    )
