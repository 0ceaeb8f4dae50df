"""One operation on many subscribers: chosen rows or everything a filter shows; first what it will do, then what it did
(SUB-7). Each account is done by the same operation as from its own page, and fails alone.
"""

from typing import Any

from flask import render_template, request

from portals.admin.accounts import FILTERS, wanted_of
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.admin.bulk_deeds import DEEDS, Deed
from portals.shared.access import requires
from portals.shared.errors import error_text
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from tenants.kernel.errors import BusinessError, NotFound
from tenants.subscribers import queries_list
from tenants.subscribers.queries_list import AccountRow

MOST_AT_ONCE = 500  # what one click and one transaction may carry


@blueprint.post("/accounts/bulk/<name>")
@requires("accounts.bulk")
def ask_bulk(name: str) -> str:
    """What would be done to whom; nothing happens yet."""
    deed = _deed(name)
    rows, left_out = _chosen()
    form = Form(None, _labels(), days=1)
    return _page(deed, form, rows, left_out)


@blueprint.post("/accounts/bulk/<name>/do")
@requires("accounts.bulk")
def do_bulk(name: str) -> str | tuple[str, int]:
    """Done one by one; the page says what was done and what was not, and why."""
    deed = _deed(name)
    form = Form(request.form, _labels())
    values = _values(form, deed)
    rows = _rows([as_number(raw) for raw in request.form.getlist("id")][:MOST_AT_ONCE])
    if not form.ok:
        return _page(deed, form, rows, 0), 422
    done: list[AccountRow] = []
    failed: list[tuple[AccountRow, str]] = []
    for row in rows:
        savepoint = scope().session.begin_nested()
        try:
            deed.run(row, values, f"{form.key[:40]}-{row.id}")
        except BusinessError as error:
            savepoint.rollback()
            failed.append((row, error_text(error)))
        else:
            savepoint.commit()
            done.append(row)
    return render_template("admin/bulk_done.html", deed=deed, done=done, failed=failed)


def _deed(name: str) -> Deed:
    deed = DEEDS.get(name)
    if deed is None:
        raise NotFound(what="operation", ref=name)
    actor().require(deed.right)
    return deed


def _chosen() -> tuple[list[AccountRow], int]:
    """The accounts that were ticked, or all of the filter up to the limit; and how many were left out."""
    if not request.form.get("all"):
        return _rows([as_number(raw) for raw in request.form.getlist("id")][:MOST_AT_ONCE]), 0
    kept = {name: request.form.get(f"filter_{name}", "") for name in ("q", "state", *FILTERS)}
    page = queries_list.list_accounts(scope(), wanted_of(kept), actor(), present(), size=MOST_AT_ONCE)
    total = page.total.number if page.total is not None else len(page.rows)
    return list(page.rows), max(0, total - len(page.rows))


def _rows(ids: list[int | None]) -> list[AccountRow]:
    wanted = [account_id for account_id in ids if account_id is not None]
    return queries_list.accounts_by_id(scope(), wanted, actor(), present(), tenant_settings().expiring_days)


def _labels() -> dict[str, str]:
    return {"days": _("Days"), "reason": _("Reason"), "region": _("Region")}


def _values(form: Form, deed: Deed) -> dict[str, Any]:
    values: dict[str, Any] = {}
    if "days" in deed.fields:
        values["days"] = form.integer("days", lowest=1, highest=3660) or 0
    if "reason" in deed.fields:
        values["reason"] = form.text("reason", required=deed.name == "extend", longest=200)
    if "region" in deed.fields:
        regions = [str(region.id) for region in queries_list.list_choices(scope(), actor())["regions"]]
        values["region"] = as_number(form.choice("region", regions))
    return values


def _page(deed: Deed, form: Form, rows: list[AccountRow], left_out: int) -> str:
    regions = queries_list.list_choices(scope(), actor())["regions"]
    return render_template("admin/bulk.html", deed=deed, form=form, rows=rows, left_out=left_out, regions=regions)
