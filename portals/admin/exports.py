"""The export buttons of the lists: each starts long work on everything the list's filter shows (SUB-7, FIN-1)."""

from collections.abc import Mapping
from typing import Any, Protocol

from flask import request
from werkzeug.wrappers import Response

from portals.admin.accounts import COLUMNS as ACCOUNT_COLUMNS
from portals.admin.accounts import FILTERS, STATE_WORDS, wanted_accounts
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.money import FEE_COLUMNS, wanted_fees
from portals.admin.money import FILTERS as FEE_FILTERS
from portals.admin.online import COLUMNS as ONLINE_COLUMNS
from portals.admin.online import FILTERS as ONLINE_FILTERS
from portals.admin.online import wanted_sessions
from portals.admin.online_history import COLUMNS as HISTORY_COLUMNS
from portals.admin.online_history import FILTERS as HISTORY_FILTERS
from portals.admin.online_history import wanted_history
from portals.admin.tasks import begin
from portals.shared.access import requires
from portals.shared.i18n import _
from portals.shared.lists import ListView
from portals.shared.tenancy import tenant_settings
from portals.shared.words import CAUSES, METHODS, ORDER_KINDS
from tenants.billing.queries_fees import total_fees
from tenants.subscribers import queries_list, queries_online
from tenants.subscribers.queries_history import count_history
from tenants.tasks import export_accounts, export_fees, export_history, export_online
from tenants.tasks.account_filters import as_json
from tenants.tasks.start_task import StartTask


@blueprint.post("/accounts/export")
@requires("accounts.export")
def export_accounts_page() -> Response:
    """The subscribers of the filter, in the list's order."""
    view = ListView.from_request("accounts", ACCOUNT_COLUMNS, sorts=queries_list.SORTS, filters=FILTERS)
    wanted = wanted_accounts(view)
    heads = {column.key: str(column.label) for column in ACCOUNT_COLUMNS} | {"arrears": _("Arrears")}
    words = {state: str(word) for state, word in STATE_WORDS.items()}
    words |= {"first-login": _("from the first login"), "never": _("Never expires")}
    params = {
        "filter": as_json(wanted),
        "sort": view.sort,
        **columns(export_accounts, heads),
        "words": words,
    }
    total = queries_list.count_accounts(scope(), wanted, actor(), present())
    return begin(StartTask("export_accounts", params, total, file_name("subscribers")))


@blueprint.post("/money/export")
@requires("money.export")
def export_fees_page() -> Response:
    """The fee records of the filter, newest first."""
    view = ListView.from_request("fees", FEE_COLUMNS, filters=FEE_FILTERS)
    wanted = wanted_fees(view)
    heads = {column.key: str(column.label) for column in FEE_COLUMNS}
    heads |= {"plan": _("Plan"), "settlement": _("Settled"), "reviewed": _("Reviewed"), "reason": _("Reason")}
    params = {
        "filter": as_json(wanted),
        **columns(export_fees, heads),
        "kinds": {code: str(word) for code, word in ORDER_KINDS.items()},
        "methods": {code: str(word) for code, word in METHODS.items()},
    }
    total = total_fees(scope(), wanted, actor()).number
    return begin(StartTask("export_fees", params, total, file_name("fees")))


@blueprint.post("/online/export")
@requires("online.export")
def export_online_page() -> Response:
    """The open sessions of the filter, in the list's order where that stays as it is meanwhile."""
    view = ListView.from_request("online", ONLINE_COLUMNS, sorts=queries_online.SORTS, filters=ONLINE_FILTERS)
    wanted = wanted_sessions(view)
    heads = {column.key: str(column.label) for column in ONLINE_COLUMNS}
    heads |= {
        "username": _("User name"),
        "name": _("Name"),
        "seconds": _("Online in seconds"),
        "now_down": _("Down in bit/s now"),
        "now_up": _("Up in bit/s now"),
        "down": _("Down in octets"),
        "up": _("Up in octets"),
        "plan_down": _("Plan: down in bit/s"),
        "plan_up": _("Plan: up in bit/s"),
    }
    params = {
        "filter": as_json(wanted),
        "sort": view.sort if view.sort.removeprefix("-") in export_online.STEADY else "username",
        **columns(export_online, heads),
    }
    interim = tenant_settings().interim_seconds
    total = queries_online.total_online(scope(), wanted, actor(), present(), interim_seconds=interim).sessions
    return begin(StartTask("export_online", params, total, file_name("online")))


@blueprint.post("/online/history/export")
@requires("online.export")
def export_history_page() -> Response:
    """The past sessions of the filter, newest end first."""
    view = ListView.from_request("history", HISTORY_COLUMNS, filters=HISTORY_FILTERS)
    wanted = wanted_history(view)
    heads = {column.key: str(column.label) for column in HISTORY_COLUMNS}
    heads |= {"seconds": _("Online in seconds"), "down": _("Down in octets"), "up": _("Up in octets")}
    params = {
        "filter": as_json(wanted),
        **columns(export_history, heads),
        "causes": {str(code): str(text) for code, text in CAUSES.items()},
    }
    total = count_history(scope(), wanted, actor())
    return begin(StartTask("export_history", params, total, file_name("sessions")))


class Export(Protocol):
    """A module of ``tenants.tasks`` that writes a file."""

    COLUMNS: tuple[str, ...]
    NUMBERS: frozenset[str]


def columns(export: Export, heads: Mapping[str, str]) -> dict[str, Any]:
    """Heads and numeric columns as the params of an export have them."""
    return {
        "heads": {name: heads[name] for name in export.COLUMNS},
        "numbers": [at for at, name in enumerate(export.COLUMNS) if name in export.NUMBERS],
    }


def file_name(what: str) -> str:
    """What the file is called when it is downloaded; its ending is the format that the form asks for."""
    ending = "csv" if request.form.get("format") == "csv" else "xlsx"
    return f"{scope().tenant.slug}-{what}-{present().astimezone(scope().zone):%Y%m%d-%H%M}.{ending}"
