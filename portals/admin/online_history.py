"""Past sessions of everybody: by user name, address, device, router and time (RAD-8)."""

from flask import render_template

from portals.admin.blueprint import as_number, blueprint, local_date, local_midnight, scope
from portals.shared.access import requires
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView
from tenants.subscribers.queries_online import list_history
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
)
DAYS_SHOWN = 7  # without another range: what a clerk is asked about, and few enough rows to be fast


@blueprint.get("/online/history")
@requires("online.view")
def list_history_page() -> str:
    """The last week unless a range was chosen."""
    view = ListView.from_request("history", COLUMNS, filters=("nas", "since", "until"))
    routers = router_names(scope())
    since = local_date(view.filter("since")) or local_midnight(DAYS_SHOWN)
    page = list_history(
        scope(),
        nas_id=as_number(view.filter("nas")),
        text=view.text,
        since=since,
        until=local_date(view.filter("until"), end=True),
        cursor=view.cursor,
        size=view.size,
    )
    view.chip("nas", _("Router"), routers.get(as_number(view.filter("nas")) or 0, "?"))
    view.chip("since", _("From"), view.filter("since"))
    view.chip("until", _("Until"), view.filter("until"))
    return render_template("admin/online_history.html", view=view, page=page, routers=routers, days=DAYS_SHOWN)
