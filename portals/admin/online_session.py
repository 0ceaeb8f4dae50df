"""One session: what is known of it, and its packets' story (RAD-5)."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.formats import duration, octets, when
from portals.shared.i18n import _, lazy, ngettext
from portals.shared.router_answers import router_answer
from portals.shared.words import CAUSES, COMMAND_STATES, CUT_REASONS, refusal, word
from tenants.kernel.errors import NotFound
from tenants.subscribers.kick import SessionKey
from tenants.subscribers.queries_commands import UNASKED
from tenants.subscribers.queries_detail import DayUsage, usage_by_day
from tenants.subscribers.queries_session import SessionDetail, SessionEvent, session_detail
from tenants.usage.queries_routers import router_names

ICONS = {
    "started": "plug",
    "refused": "ban",
    "asked": "send",
    "answered": "message",
    "reported": "activity",
    "noted": "alert-triangle",
    "ended": "plug-x",
}
# What was out of the ordinary (SessionNote.kind): what happened, and what became of it
NOTES: dict[str, tuple[Any, Any]] = {
    "start_again": (lazy("The Start came again"), lazy("A repeat, it changed nothing.")),
    "start_late": (lazy("The Start came late"), lazy("Later packets of the session had overtaken it.")),
    "report_late": (lazy("A report came late"), lazy("A newer one had overtaken it; counters never go back.")),
    "restarted": (lazy("The router's counters began again at 0"), lazy("The sums go on from what they were.")),
    "reopened": (lazy("It reported after its end"), lazy("So it lives, and was opened again.")),
    "stop_early": (lazy("The Stop was dated before the last report"), lazy("It ended with the highest counters.")),
    "stop_late": (lazy("The router's Stop came after we had closed it"), lazy("Its counters and its cause count.")),
    "stop_again": (lazy("The Stop came again"), lazy("A repeat, it counted nothing twice.")),
}
_MOST_DAYS = 14


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
    routers = router_names(scope())
    return render_template(
        "admin/online_session.html",
        found=found,
        router=routers.get(found.nas_id, "—"),
        key=key.text(),
        story=[_told(event, routers) for event in reversed(found.events)],
        days=_days(found),
    )


def _days(found: SessionDetail) -> list[DayUsage]:
    """What the account used on the days of the session, the newest first: for sessions that lasted over midnight."""
    zone = scope().zone
    first, last = (at.astimezone(zone).date() for at in (found.started_at, found.ended_at or present()))
    if not found.account_id or first == last:
        return []
    days = min(_MOST_DAYS, (last - first).days + 1)
    return list(reversed(usage_by_day(scope(), found.account_id, last, days)))


def _told(event: SessionEvent, routers: Mapping[int, str]) -> tuple[str, str, str, str]:
    """(time, icon, title, note) as the timeline shows it."""
    title, note = _words(event, routers)
    return when(event.at, seconds=True), ICONS[event.kind], title, note


def _words(event: SessionEvent, routers: Mapping[int, str]) -> tuple[str, str]:
    if event.kind == "started":
        if event.code:
            return _("The session began"), _("No Start came: this is what its first report says")
        return _("The session began"), _("Accounting-Start")
    if event.kind == "refused":
        said = refusal(event.code)
        other = routers.get(event.router, "") if isinstance(event.router, int) else event.router
        where = _("by another router, %(name)s", name=other) if other else ""
        note = " · ".join(part for part in (str(said.sentence), where, event.detail, _times(event)) if part)
        return _("A login was refused: %(why)s", why=said.word), note
    if event.kind == "asked":
        title = _("A new speed for the session")
        if event.code == "radius.disconnect":
            title = _("Asked the router to end it")
        elif event.detail == "end_moved":
            title = _("A new time-out for the session")
        return title, word(CUT_REASONS, event.detail) if event.detail else ""
    if event.kind == "answered":
        if event.detail in UNASKED:
            return _("Nothing was sent to the router"), router_answer(event.code, event.detail)
        state = COMMAND_STATES.get(event.code)
        return _("The router's answer: %(state)s", state=str(state[1]) if state else event.code), router_answer(
            event.code, event.detail
        )
    if event.kind == "ended":
        cause = int(event.code) if event.code.isdecimal() else 0
        return _("The session ended"), f"{CAUSES.get(cause, CAUSES[0])} · {_counters(event)}"
    if event.kind == "noted":
        title, meaning = NOTES.get(event.code, (event.code, ""))
        parts = (str(meaning), _counters(event) if event.octets_in or event.octets_out else "", _times(event))
        return str(title), " · ".join(part for part in parts if part)
    every = duration(event.seconds / event.repeats)
    title = ngettext("The latest of %(num)s report", "The latest of %(num)s reports", event.repeats)
    return title, " · ".join((_("Interim-Update"), _counters(event), _("one in %(span)s on average", span=every)))


def _times(event: SessionEvent) -> str:
    return ngettext("%(num)s time", "%(num)s times", event.repeats) if event.repeats > 1 else ""


def _counters(event: SessionEvent) -> str:
    return _(
        "%(down)s down, %(up)s up in %(span)s",
        down=octets(event.octets_out),
        up=octets(event.octets_in),
        span=duration(event.seconds),
    )
