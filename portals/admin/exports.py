"""The export buttons of the lists: each starts long work on everything the list's filter shows (SUB-7, FIN-1)."""

from werkzeug.wrappers import Response

from portals.admin.accounts import COLUMNS as ACCOUNT_COLUMNS
from portals.admin.accounts import FILTERS, STATE_WORDS, wanted_accounts
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.money import FEE_COLUMNS, wanted_fees
from portals.admin.money import FILTERS as FEE_FILTERS
from portals.admin.tasks import begin
from portals.shared.access import requires
from portals.shared.i18n import _
from portals.shared.lists import ListView
from portals.shared.words import METHODS, ORDER_KINDS
from tenants.billing.queries_fees import total_fees
from tenants.subscribers import queries_list
from tenants.tasks import export_accounts, export_fees
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
        "heads": {name: heads[name] for name in export_accounts.COLUMNS},
        "words": words,
    }
    total = queries_list.count_accounts(scope(), wanted, actor(), present())
    return begin(StartTask("export_accounts", params, total, _file_name("subscribers")))


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
        "heads": {name: heads[name] for name in export_fees.COLUMNS},
        "kinds": {code: str(word) for code, word in ORDER_KINDS.items()},
        "methods": {code: str(word) for code, word in METHODS.items()},
    }
    total = total_fees(scope(), wanted, actor()).number
    return begin(StartTask("export_fees", params, total, _file_name("fees")))


def _file_name(what: str) -> str:
    return f"{scope().tenant.slug}-{what}-{present().astimezone(scope().zone):%Y%m%d-%H%M}.csv"
