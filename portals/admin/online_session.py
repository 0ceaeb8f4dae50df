"""One session: what is known of it, and its packets' story (RAD-5)."""

from datetime import UTC, datetime

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, scope
from portals.shared.access import requires
from portals.shared.formats import when
from portals.shared.i18n import _, ngettext
from portals.shared.words import CAUSES, COMMAND_STATES, CUT_REASONS, refusal, word
from tenants.kernel.errors import NotFound
from tenants.subscribers.kick import SessionKey
from tenants.subscribers.queries_session import SessionEvent, session_detail
from tenants.usage.queries_routers import router_names

ICONS = {
    "started": "plug",
    "refused": "ban",
    "asked": "send",
    "answered": "message",
    "reported": "activity",
    "restarted": "refresh",
    "ended": "plug-x",
}


@blueprint.get("/online/session")
@requires("online.view")
def show_session() -> str | Response:
    """``key`` names it; ``began`` (seconds since 1970) tells past ones of the same key apart."""
    if "key" not in request.args:
        return redirect(url_for("admin.list_history_page"))
    key = SessionKey.parse(request.args["key"])
    if key is None:
        raise NotFound(what="session", ref="")
    raw = request.args.get("began", "")
    try:
        began = datetime.fromtimestamp(float(raw), UTC) if raw else None
    except (ValueError, OverflowError, OSError):
        raise NotFound(what="session", ref=key.session_id) from None
    found = session_detail(scope(), key, actor(), started_at=began)
    return render_template(
        "admin/online_session.html",
        found=found,
        router=router_names(scope()).get(found.nas_id, "—"),
        story=[_told(event) for event in reversed(found.events)],
    )


def _told(event: SessionEvent) -> tuple[str, str, str, str]:
    """(time, icon, title, note) as the timeline shows it."""
    title, note = _words(event)
    return when(event.at, seconds=True), ICONS[event.kind], title, note


def _words(event: SessionEvent) -> tuple[str, str]:
    if event.kind == "started":
        return _("The session began"), _("Accounting-Start, or the first report that we heard of it")
    if event.kind == "refused":
        said = refusal(event.code)
        again = ngettext("%(num)s time", "%(num)s times", event.repeats) if event.repeats > 1 else ""
        note = " · ".join(part for part in (str(said.sentence), event.detail, again) if part)
        return _("A login was refused: %(why)s", why=said.word), note
    if event.kind == "asked":
        title = _("Asked the router to end it") if event.code == "radius.disconnect" else _("Told the router its rate")
        return title, word(CUT_REASONS, event.detail) if event.detail else ""
    if event.kind == "answered":
        state = COMMAND_STATES.get(event.code)
        return _("The router's answer: %(state)s", state=str(state[1]) if state else event.code), event.detail
    if event.kind == "ended":
        cause = int(event.code) if event.code.isdecimal() else 0
        return _("The session ended"), str(CAUSES.get(cause, CAUSES[0]))
    if event.kind == "restarted":
        return _("The latest report"), _("Its counters had begun again at 0; the sums go on.")
    return _("The latest report"), _("Interim-Update")
