"""The operation log and the login log (STF-6, STF-7)."""

from flask import render_template

from portals.admin.blueprint import actor, blueprint, local_date, scope
from portals.admin.log_fields import Names, changes_of
from portals.admin.log_words import ACTIONS, FAMILIES, LOGIN_RESULTS
from portals.shared.access import requires
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView
from portals.shared.words import ACCOUNT_STATES, METHODS, word
from tenants.audit.queries_logs import list_audit, list_logins
from tenants.staff.queries_staff import list_roles
from tenants.subscribers.queries_list import list_choices

LOG_COLUMNS = (
    Column("at", lazy("Time"), phone="right", fixed=True),
    Column("who", lazy("Who"), phone="plain"),
    Column("what", lazy("What"), phone="title", fixed=True),
    Column("object", lazy("To what"), phone="plain"),
    Column("changes", lazy("Before → after"), phone="wide"),
    Column("address", lazy("Source"), mono=True),
)
LOGIN_COLUMNS = (
    Column("at", lazy("Time"), phone="plain", fixed=True),
    Column("subject", lazy("User name"), mono=True, phone="title", fixed=True),
    Column("result", lazy("Result"), phone="right", fixed=True),
    Column("realm", lazy("Entrance"), phone="plain"),
    Column("address", lazy("Source"), mono=True),
    Column("ended", lazy("Signed out")),
)


@blueprint.get("/log/")
@requires("logs.view")
def list_log() -> str:
    """Who did what to which thing, before and after; nobody can change it."""
    view = ListView.from_request("log", LOG_COLUMNS, filters=("family", "since", "until"))
    page = list_audit(
        scope(),
        text=view.text,
        action=view.filter("family"),
        since=local_date(view.filter("since")),
        until=local_date(view.filter("until"), end=True),
        cursor=view.cursor,
        size=view.size,
    )
    view.chip("family", _("About"), word(FAMILIES, view.filter("family")))
    view.chip("since", _("From"), view.filter("since"))
    view.chip("until", _("Until"), view.filter("until"))
    names = _names()
    rows = [(row, word(ACTIONS, row.action), changes_of(row.before, row.after, names)) for row in page.rows]
    return render_template("admin/log.html", view=view, page=page, rows=rows, families=list(FAMILIES.items()))


@blueprint.get("/log/logins")
@requires("logs.logins")
def list_login_log() -> str:
    """Every try to sign in, the refused ones too."""
    view = ListView.from_request("logins", LOGIN_COLUMNS, filters=("realm", "result"))
    realms = {"admin": _("staff"), "selfcare": _("self-service")}
    page = list_logins(
        scope(),
        text=view.text,
        realm=view.filter("realm"),
        result=view.filter("result"),
        cursor=view.cursor,
        size=view.size,
    )
    view.chip("realm", _("Entrance"), realms.get(view.filter("realm"), "?"))
    view.chip("result", _("Result"), _("refused") if view.filter("result") == "refused" else view.filter("result"))
    return render_template("admin/login_log.html", view=view, page=page, realms=realms, results=LOGIN_RESULTS)


def _names() -> Names:
    """What the ids and codes in the entries are called."""
    choices = list_choices(scope(), actor())
    return {
        "plan_id": dict(choices["plans"]),
        "region_id": dict(choices["regions"]),
        "region_ids": dict(choices["regions"]),
        "role_id": {role.id: role.name for role in list_roles(scope())},
        "state": {code: str(label) for code, label in ACCOUNT_STATES.items()},
        "method": {code: str(label) for code, label in METHODS.items()},
    }
