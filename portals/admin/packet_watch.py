"""Watch packets: those of a router or a login name, attribute by attribute, while they come (RAD-7)."""

from datetime import timedelta

from flask import Response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from portals.admin.account import read_account
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared import packet_words
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import is_fragment, redirect_after
from portals.shared.i18n import _, ngettext
from portals.shared.packet_watch import Look, OpenWatch, WatchStore, person
from portals.shared.security import limiter
from portals.shared.unit_of_work import installation
from tenants.network.packet_watch import MOST_MINUTES, TOLD_EVERY_SECONDS, USUAL_MINUTES
from tenants.network.queries import list_nas
from tenants.subscribers.errors import WatchNotFound, WatchNotPossible
from tenants.subscribers.watch_packets import WatchPackets, announce, watch_packets

LONGEST_NAME = 253
MINUTES = (1, USUAL_MINUTES, MOST_MINUTES)
SELDOM_SECONDS = 20  # how often a page asks when the watch is over: only so that it can still be downloaded


@blueprint.route("/watch/new", methods=["GET", "POST"])
@requires("packets.watch")
@limiter.limit("30 per minute", methods=["POST"])
def begin_watch() -> str | AnyResponse | tuple[str, int]:
    """One panel: whose packets, and for how long."""
    labels = {"router": _("Router"), "name": _("Login name"), "minutes": _("For how long")}
    routers = [(str(row.id), row.name or row.identifier) for row in list_nas(scope())]
    form = Form(request.form if request.method == "POST" else None, labels, **_proposal(routers))
    if form.sent:
        router = as_number(form.choice("router", ["", *(number for number, _name in routers)], required=False))
        name = form.text("name", longest=LONGEST_NAME)
        minutes = as_number(form.choice("minutes", [str(number) for number in MINUTES])) or USUAL_MINUTES
        if form.ok:
            with form.refusals():
                token = _begin(WatchPackets(router, name, minutes))
                return redirect_after(url_for("admin.show_watch", token=token))
    spans = [(str(number), ngettext("%(num)s minute", "%(num)s minutes", number)) for number in MINUTES]
    page = render_template("admin/watch_new.html", form=form, routers=routers, minutes=spans, back=_back())
    return page if form.ok else (page, 422)


@blueprint.get("/watch/<token>")
@requires("packets.watch")
def show_watch(token: str) -> str:
    """What was seen, the newest first; asked by its own refresh only what is new. As long as it asks, it goes on."""
    after = max(0, as_number(request.args.get("after", "")) or 0)
    try:
        found = _find(token)
        look = _store().look(found.watch, after)
    except WatchNotFound:
        if not is_fragment():
            raise
        return render_template("admin/watch_part.html", watch=None, away=False)
    except WatchNotPossible:
        return render_template(
            "admin/watch_part.html" if is_fragment() else "admin/watch.html",
            watch=None, away=True, token=token, after=after, packets=(), refresh_seconds=TOLD_EVERY_SECONDS,
        )  # fmt: skip
    left = 0.0 if look.is_full else found.left_seconds(present())
    if left:
        announce(scope(), found.watch, left)
    return render_template(
        "admin/watch_part.html" if is_fragment() else "admin/watch.html", **_values(found, look, left), away=False
    )


@blueprint.post("/watch/<token>/end")
@requires("packets.watch")
def end_watch(token: str) -> AnyResponse:
    """Nobody watches any more, and what was seen is forgotten."""
    found = _find(token)
    announce(scope(), found.watch, 0)
    _store().forget(found.watch)
    nas_id = found.watch.nas_id
    return redirect_after(url_for("admin.begin_watch", router=nas_id, name=found.name or None))


@blueprint.get("/watch/<token>/text")
@requires("packets.watch")
def download_watch(token: str) -> Response:
    """What was seen as text, for a support ticket; secrets are not in it, as they are nowhere else."""
    found = _find(token)
    look = _store().look(found.watch)
    text = packet_words.text_of(look.packets, _router_names(), scope().zone)
    name = f"packets-{present().astimezone(scope().zone):%Y%m%d-%H%M%S}.txt"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(text, mimetype="text/plain", headers=headers)


def _begin(command: WatchPackets) -> str:
    begun = watch_packets(scope(), command, actor=actor(), now=present())
    ends_at = present() + timedelta(minutes=command.minutes)
    found = OpenWatch(begun.watch, begun.router, command.name.strip(), present(), ends_at, person(actor()))
    _store().keep(found, present())
    announce(scope(), begun.watch, found.left_seconds(present()))
    return begun.watch.token


def _store() -> WatchStore:
    return WatchStore(installation().settings)


def _find(token: str) -> OpenWatch:
    return _store().find(scope().tenant_id, token, actor())


def _proposal(routers: list[tuple[str, str]]) -> dict[str, str]:
    """What the page that led here is about."""
    account = as_number(request.args.get("account", ""))
    name = request.args.get("name", "")[:LONGEST_NAME]
    if account is not None and actor().may("accounts.view"):
        name = read_account(account).username
    router = request.args.get("router", "")
    return {
        "router": router if router in (number for number, _name in routers) else "",
        "name": name,
        "minutes": str(USUAL_MINUTES),
    }


def _back() -> str:
    router, account = (as_number(request.args.get(name, "")) for name in ("router", "account"))
    if account is not None and actor().may("accounts.view"):
        return url_for("admin.show_account", account_id=account)
    if router is not None and actor().may("nas.view"):
        return url_for("admin.onboard_router", nas_id=router)
    return url_for("admin.home")


def _router_names() -> dict[int, str]:
    return {row.id: row.name or row.identifier for row in list_nas(scope())}


def _values(found: OpenWatch, look: Look, left: float) -> dict[str, object]:
    after = look.total
    return {
        "watch": found,
        "token": found.watch.token,
        "look": look,
        "packets": list(reversed(look.packets)),
        "routers": _router_names(),
        "zone": scope().zone,
        "said": packet_words,
        "left": left,
        "after": after,
        "young": (present() - found.begun_at).total_seconds() < SELDOM_SECONDS / 2,
        "refresh_seconds": TOLD_EVERY_SECONDS if left else SELDOM_SECONDS,
    }
