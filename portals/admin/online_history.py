"""Past sessions of everybody: by user name, address, device, router and time (RAD-8)."""

from flask import render_template, url_for

from portals.admin.blueprint import actor, as_number, blueprint, local_date, local_midnight, scope
from portals.shared.access import requires
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView
from tenants.subscribers.queries_history import HistoryFilter, list_history
from tenants.usage.queries_routers import router_names

COLUMNS = (
    Column("username", lazy("User name"), mono=True, phone="title", fixed=True),
    Column("started", lazy("Began"), phone="plain"),
    Column("ended", lazy("Ended")),
    Column("duration", lazy("Duration"), number=True, phone="right"),
    Column("ip", lazy("Address"), mono=True),
    Column("mac", lazy("Device"), mono=True),
    Column("nas", lazy("Router"), phone="plain"),
    Column("down", lazy("Down"), number=True),
    Column("up", lazy("Up"), number=True),
    Column("cause", lazy("Why it ended")),
    Column("port", lazy("Port"), shown=False, mono=True),
)
FILTERS = ("nas", "since", "until")
DAYS_SHOWN = 7  # without another range: what a clerk is asked about, and few enough rows to be fast


def wanted_history(view: ListView) -> HistoryFilter:
    """What the list's address asks for; the last week unless a range was chosen."""
    return HistoryFilter(
        nas_id=as_number(view.filter("nas")),
        text=view.text,
        since=local_date(view.filter("since")) or local_midnight(DAYS_SHOWN),
        until=local_date(view.filter("until"), end=True),
    )


@blueprint.get("/online/history")
@requires("online.view")
def list_history_page() -> str:
    """Newest end first."""
    view = ListView.from_request("history", COLUMNS, filters=FILTERS)
    routers = router_names(scope())
    page = list_history(scope(), wanted_history(view), actor(), cursor=view.cursor, size=view.size)
    view.chip("nas", _("Router"), routers.get(as_number(view.filter("nas")) or 0, "?"))
    view.chip("since", _("From"), view.filter("since"))
    view.chip("until", _("Until"), view.filter("until"))
    return render_template(
        "admin/online_history.html",
        view=view,
        page=page,
        routers=routers,
        days=DAYS_SHOWN,
        export_url=view.elsewhere(url_for("admin.export_history_page")) if actor().may("online.export") else "",
    )
