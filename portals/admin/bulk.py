"""One operation on many subscribers: chosen rows or everything a filter shows; first what it will do, then what it did
(SUB-7). A few are done at once; many become long work with a progress bar.
"""

from typing import Any

from flask import render_template, request
from werkzeug.wrappers import Response

from portals.admin.accounts import FILTERS, wanted_of
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.admin.bulk_words import DEED_WORDS, DeedWords
from portals.admin.tasks import begin
from portals.shared.access import requires
from portals.shared.errors import error_text
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from tenants.kernel.errors import NotFound
from tenants.subscribers import queries_list
from tenants.subscribers.queries_list import AccountRow
from tenants.tasks.account_deeds import DEEDS, Doing
from tenants.tasks.change_accounts import BATCH, chosen_accounts, do_to
from tenants.tasks.start_task import StartTask

SHOWN = 10


@blueprint.post("/accounts/bulk/<name>")
@requires("accounts.bulk")
def ask_bulk(name: str) -> str:
    """What would be done to whom; nothing happens yet."""
    return _page(_deed(name), Form(None, _labels(), days=1), _chosen())


@blueprint.post("/accounts/bulk/<name>/do")
@requires("accounts.bulk")
def do_bulk(name: str) -> str | Response | tuple[str, int]:
    """Done one by one; a page says what was done and what was not, and why."""
    deed = _deed(name)
    form = Form(request.form, _labels())
    values, chosen = _values(form, deed), _chosen()
    if not form.ok:
        return _page(deed, form, chosen), 422
    if len(chosen) > BATCH:
        params = {"deed": deed.name, "values": values}
        return begin(StartTask("change_accounts", params, chosen=chosen))
    done, failed = do_to(Doing(scope(), actor(), present(), values), deed.name, _rows(chosen), form.key[:40])
    why = [(row_id, username, full_name, error_text(error)) for row_id, username, full_name, error in failed]
    return render_template("admin/bulk_done.html", deed=deed, done=done, failed=why)


def _deed(name: str) -> DeedWords:
    deed = DEED_WORDS.get(name)
    if deed is None:
        raise NotFound(what="operation", ref=name)
    actor().require(DEEDS[name].right)
    return deed


def _chosen() -> list[int]:
    """Ids of the accounts that were ticked, or of all that the filter shows."""
    if not request.form.get("all"):
        ticked = (as_number(raw) for raw in request.form.getlist("id"))
        return [account_id for account_id in ticked if account_id is not None]
    return chosen_accounts(scope(), wanted_of(_kept()), actor(), present())


def _kept() -> dict[str, str]:
    return {name: request.form.get(f"filter_{name}", "") for name in ("q", "state", *FILTERS)}


def _rows(ids: list[int]) -> list[AccountRow]:
    return queries_list.accounts_by_id(scope(), ids, actor(), present(), tenant_settings().expiring_days)


def _labels() -> dict[str, str]:
    return {"days": _("Days"), "reason": _("Reason"), "region": _("Region")}


def _values(form: Form, deed: DeedWords) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "days" in deed.fields:
        values["days"] = form.integer("days", lowest=1, highest=3660) or 0
    if "reason" in deed.fields:
        values["reason"] = form.text("reason", required=deed.name == "extend", longest=200)
    if "region" in deed.fields:
        regions = [str(region.id) for region in queries_list.list_choices(scope(), actor())["regions"]]
        values["region"] = as_number(form.choice("region", regions))
    return values


def _page(deed: DeedWords, form: Form, chosen: list[int]) -> str:
    everything = bool(request.form.get("all"))
    return render_template(
        "admin/bulk.html",
        deed=deed,
        form=form,
        total=len(chosen),
        rows=_rows(chosen[:SHOWN]),
        # The filter is asked again when it is done; ticked rows are sent back as they are.
        kept={f"filter_{name}": value for name, value in _kept().items() if value} if everything else {},
        ids=() if everything else chosen,
        everything=everything,
        at_once=BATCH,
        regions=queries_list.list_choices(scope(), actor())["regions"],
    )
