"""Who is online: the live list, kick one or many, clear a router's sessions (RAD-5)."""

from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account
from portals.admin.blueprint import actor, as_number, blueprint, local_midnight, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import is_fragment, redirect_after
from portals.shared.i18n import _, lazy, ngettext
from portals.shared.lists import Column, ListView
from portals.shared.router_answers import router_answer
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.reports.queries_home import online_line
from tenants.subscribers import queries_commands, queries_online
from tenants.subscribers.kick import MOST_AT_ONCE, SessionKey, kick_sessions
from tenants.subscribers.queries_list import list_choices
from tenants.subscribers.queries_online import OnlineFilter
from tenants.usage.clear_nas import clear_nas_sessions
from tenants.usage.queries_routers import list_routers, router_detail

COLUMNS = (
    Column("username", lazy("Subscriber"), sort="username", phone="title", fixed=True),
    Column("ip", lazy("Address"), mono=True, phone="right"),
    Column("mac", lazy("Device"), mono=True),
    Column("nas", lazy("Router"), phone="plain"),
    Column("started", lazy("Online since"), sort="started"),
    Column("now_down", lazy("↓ Mb/s"), number=True),
    Column("now_up", lazy("↑ Mb/s"), number=True),
    Column("down", lazy("Down"), sort="down", number=True, phone="plain", phone_label="↓"),
    Column("up", lazy("Up"), number=True),
    Column("rate", lazy("Speed ↓ / ↑")),
    Column("updated", lazy("Last report"), sort="updated"),
    Column("port", lazy("Port"), shown=False, mono=True),
)
_MOST_COMMANDS = 200
FILTERS = ("nas", "region", "longer", "late", "unknown", "defied", "cut")
LONGER = ((900, lazy("15 minutes")), (3600, lazy("1 hour")), (86400, lazy("1 day")), (604800, lazy("1 week")))


CUTS = (
    ("any", lazy("refused or unanswered")),
    ("refused", lazy("refused")),
    ("unanswered", lazy("unanswered")),
)


def wanted_sessions(view: ListView) -> OnlineFilter:
    """What the address asks for."""
    return OnlineFilter(
        text=view.text,
        nas_id=as_number(view.filter("nas")),
        region_id=as_number(view.filter("region")),
        longer_than_seconds=as_number(view.filter("longer")) or 0,
        late=view.filter("late") == "1",
        unknown=view.filter("unknown") == "1",
        defied=view.filter("defied") == "1",
        not_ended=_not_ended(view.filter("cut")),
    )


@blueprint.get("/online/")
@requires("online.view")
def list_online() -> str:
    """The page; asked by its own refresh it is only the part that changes."""
    view = ListView.from_request("online", COLUMNS, sorts=queries_online.SORTS, filters=FILTERS)
    interim = tenant_settings().interim_seconds
    wanted = wanted_sessions(view)
    page = queries_online.list_online(
        scope(),
        wanted,
        actor(),
        present(),
        interim_seconds=interim,
        sort=view.sort,
        cursor=view.cursor,
        size=view.size,
    )
    routers = list_routers(scope())
    line = [point.sessions for point in online_line(scope(), present(), hours=24)]
    values: dict[str, Any] = {
        "view": view,
        "page": page,
        "all": queries_online.total_online(scope(), OnlineFilter(), actor(), present(), interim_seconds=interim),
        "totals": queries_online.total_online(scope(), wanted, actor(), present(), interim_seconds=interim),
        "commands": queries_commands.count_disconnects(scope(), actor(), local_midnight()),
        "line": line[::-12][::-1],
        "highest": max(line),
        "routers": {router.id: router.name for router in routers},
        "silent": [router for router in routers if router.health(present()) == "silent"],
        "stale_intervals": tenant_settings().stale_intervals,
        "choices": list_choices(scope(), actor()),
        "longer": LONGER,
        "cuts": CUTS,
        "own_stale": any(router.stale_seconds for router in routers),
        "export_url": view.elsewhere(url_for("admin.export_online_page")) if actor().may("online.export") else "",
    }
    _chips(view, values)
    return render_template("admin/online_part.html" if is_fragment() else "admin/online.html", **values)


@blueprint.get("/online/results")
@requires("online.view")
def list_commands() -> str:
    """What became of disconnects and changes of speed: done, refused and why, no answer; how far bulk ones are."""
    state = request.args.get("state", "")
    batches = queries_commands.list_batches(scope(), actor(), present())
    commands = queries_commands.list_commands(
        scope(), actor(), since=local_midnight(6), state=state, limit=_MOST_COMMANDS
    )
    under_way = any(batch.ended_at is None for batch in batches) or any(row.under_way for row in commands)
    return render_template(
        "admin/online_commands_part.html" if is_fragment() else "admin/online_commands.html",
        state=state,
        states=("", *queries_commands.STATES),
        batches=batches,
        commands=commands,
        most=_MOST_COMMANDS,
        refresh_seconds=2 if under_way else 15,
        routers={router.id: router.name for router in list_routers(scope())},
        router_answer=router_answer,
    )


@blueprint.post("/online/kick")
@requires("online.kick")
def kick() -> Response:
    """Ask the routers to end the chosen sessions; the answers are shown on the results page."""
    if request.form.get("all"):
        wanted = _wanted_of_form()
        keys = queries_online.session_keys(
            scope(), wanted, actor(), present(), interim_seconds=tenant_settings().interim_seconds, limit=MOST_AT_ONCE
        )
    else:
        keys = [SessionKey.parse(raw) for raw in request.form.getlist("id")]
    asked = kick_sessions(scope(), [key for key in keys if key is not None], actor=actor(), now=present())
    toast(
        ngettext(
            "Asked the router to end %(num)s session. The answer comes within seconds.",
            "Asked the routers to end %(num)s sessions. The answers come within seconds.",
            asked,
        )
    )
    return redirect(url_for("admin.list_commands"))


@blueprint.route("/accounts/<int:account_id>/kick", methods=["GET", "POST"])
@requires("accounts.view")
def kick_account(account_id: int) -> str | Response:
    """The panel that ends one subscriber's sessions."""
    account = read_account(account_id)
    actor().require("online.kick")
    sessions = queries_online.sessions_of_account(
        scope(), account_id, present(), interim_seconds=tenant_settings().interim_seconds
    )
    if request.method == "POST":
        keys = [SessionKey(row.nas_id, row.session_id, row.username) for row in sessions]
        kick_sessions(scope(), keys, actor=actor(), now=present())
        toast(_("Asked the router to end the session. The answer comes within seconds."))
        return redirect_after(url_for("admin.show_account", account_id=account_id))
    names = {router.id: router.name for router in list_routers(scope())}
    back = url_for("admin.show_account", account_id=account_id)
    return render_template(
        "admin/account_kick.html", form=Form(None), account=account, sessions=sessions, routers=names, back=back
    )


@blueprint.route("/routers/<int:nas_id>/clear", methods=["GET", "POST"])
@requires("online.clear")
def clear_router(nas_id: int) -> str | Response:
    """Close a router's sessions here without asking it: for one that was replaced or lost its sessions."""
    router = router_detail(scope(), nas_id)
    if request.method == "POST":
        number = clear_nas_sessions(scope(), nas_id, actor=actor(), now=present())
        toast(ngettext("Cleared %(num)s session.", "Cleared %(num)s sessions.", int(number)))
        return redirect_after(url_for("admin.list_online"))
    back = url_for("admin.onboard_router", nas_id=nas_id)
    return render_template("admin/router_clear.html", form=Form(None), router=router, back=back)


def _not_ended(raw: str) -> str:
    return raw if raw in dict(CUTS) else ""


def _wanted_of_form() -> OnlineFilter:
    field = request.form.get
    return OnlineFilter(
        text=field("filter_q", ""),
        nas_id=as_number(field("filter_nas", "")),
        region_id=as_number(field("filter_region", "")),
        longer_than_seconds=as_number(field("filter_longer", "")) or 0,
        late=field("filter_late", "") == "1",
        unknown=field("filter_unknown", "") == "1",
        defied=field("filter_defied", "") == "1",
        not_ended=_not_ended(field("filter_cut", "")),
    )


def _chips(view: ListView, values: dict[str, Any]) -> None:
    names = {str(region.id): region.name for region in values["choices"]["regions"]}
    view.chip("nas", _("Router"), values["routers"].get(as_number(view.filter("nas")), "?"))
    view.chip("region", _("Region"), names.get(view.filter("region"), "?"))
    longer = {str(seconds): str(label) for seconds, label in LONGER}
    view.chip("longer", _("Online for more than"), longer.get(view.filter("longer"), "?"))
    view.chip("late", _("Late reports"), _("yes"))
    view.chip("unknown", _("Unknown subscriber"), _("yes"))
    view.chip("defied", _("Goes on after its end"), _("yes"))
    view.chip("cut", _("Disconnect"), str(dict(CUTS).get(view.filter("cut"), "?")))
