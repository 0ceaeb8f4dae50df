"""The panel of an operation: what is asked, what will be booked, one button (OPS-13, looks.md "Operations").

The preview is the booking itself, undone: ``tenants.billing.operation.preview`` runs the same function.
"""

from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account, require_open
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.operation_fields import initial, labels, offers, read_fields, seen_of
from portals.admin.operations_table import OPERATIONS, Operation
from portals.admin.page_words import order_title, total_word
from portals.shared.access import requires
from portals.shared.currency import currency_sign
from portals.shared.formats import duration, local, money, rate
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.login import here
from portals.shared.operate import operate
from portals.shared.previews import NEVER_YEAR, Change, changes_of, lines_of
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import ToastAction, toast
from portals.shared.words import METHODS, word
from tenants.billing.operation import preview
from tenants.billing.queries_orders import orders_of_account
from tenants.billing.result import OperationResult
from tenants.kernel.errors import BusinessError, NotFound
from tenants.ledger.idempotency import is_known
from tenants.subscribers.queries_detail import AccountDetail


@blueprint.route("/accounts/<int:account_id>/op/<name>", methods=["GET", "POST"])
@requires("accounts.view")
def operation(account_id: int, name: str) -> str | Response | tuple[str, int]:
    """GET opens the panel, POST books; the same form sent twice books once (its key)."""
    account, op = _read(account_id, name)
    found = offers(account, op.fields, operation=name)
    if request.method == "GET":
        opened = initial(account, op.fields, found)
        shown = _preview(account, op, Form(opened, labels()), found)
        return _panel(account, Form(None, labels(), **opened), found, shown)
    form = Form(request.form, labels())
    values = read_fields(form, account, op.fields, found)
    if form.ok and form.value("seen") not in ("", seen_of(account, found)) and not is_known(scope(), form.key):
        form.fail(
            "", _("The account or a price has changed since. Look at what would be booked now, then confirm again.")
        )
    if form.ok:
        with form.refusals():
            command = op.command(account_id=account.id, **values)
            result = operate(op.run, command, key=form.key)
            _say(op, result, account)
            return redirect_after(url_for("admin.show_account", account_id=account.id))
    if "method" in form.errors and "signed_amount" in op.fields:  # this panel does not ask how it is paid
        form.errors["amount"] = form.errors.pop("method")
    return _panel(account, form, found, _preview(account, op, Form(request.form, labels()), found)), 422


@blueprint.post("/accounts/<int:account_id>/op/<name>/preview")
@requires("accounts.view")
def preview_operation(account_id: int, name: str) -> str:
    """The preview alone and the button with its new words, as typing changes them."""
    account, op = _read(account_id, name)
    found = offers(account, op.fields, operation=name)
    form = Form(request.form, labels())
    return render_template("admin/operation_preview.html", **_preview(account, op, form, found))


def _read(account_id: int, name: str) -> tuple[AccountDetail, Operation]:
    op = OPERATIONS.get(name)
    account = read_account(account_id)
    if op is None:
        raise NotFound(what="operation", ref=name)
    actor().require(op.right)
    if name != "reverse":
        require_open(account)
    return account, op


def _panel(account: AccountDetail, form: Form, found: dict[str, Any], shown: dict[str, Any]) -> str:
    back = url_for("admin.show_account", account_id=account.id)
    return render_template("admin/operation.html", **shown, form=form, found=found, back=back)


def _preview(account: AccountDetail, op: Operation, form: Form, found: dict[str, Any]) -> dict[str, Any]:
    """What would be booked now, or why nothing can be."""
    shown: dict[str, Any] = {
        "account": account,
        "op": op,
        "result": None,
        "problem": "",
        "deed": str(op.deed),
        "sign": currency_sign(),
        "lines": [],
        "total": None,
        "changes": [],
        "undo_note": "",
        "seen": seen_of(account, found),
    }
    values = read_fields(form, account, op.fields, found)
    if not op.previewed or not form.ok:
        return shown
    try:
        command = op.command(account_id=account.id, **values)
        result = preview(scope(), op.run, command, actor=actor(), now=present())
    except BusinessError as error:
        probe = Form({}, labels())
        probe.reject(error)
        shown["problem"] = " ".join(probe.errors.values())
        return shown
    shown["result"] = result
    shown["lines"] = lines_of(result.order.lines) if result.order is not None else []
    shown["total"] = total_of(result)
    shown["changes"] = [
        *_undone(result, account, op),
        *_moved(values, account, found),
        *_with_speed(changes_of(result), account, result, found),
    ]
    shown["deed"] = _deed(op, result)
    shown["undo_note"] = undo_note(result) if op.name != "reverse" else ""
    return shown


def _undone(result: OperationResult, account: AccountDetail, op: Operation) -> list[Change]:
    """Which order is taken back: a clerk must see that it is the one she means."""
    if op.name != "reverse" or result.order is None:
        return []
    rows = (row for row in orders_of_account(scope(), account.id) if not row.undone and row.kind != "reverse")
    row = next(rows, None)
    return [] if row is None else [(_("Order"), "", f"{row.number} · {order_title(row)} · {local(row.at)}")]


def _moved(values: dict[str, Any], account: AccountDetail, found: dict[str, Any]) -> list[Change]:
    """Where the account goes and how it is called then."""
    changes: list[Change] = []
    if values.get("region_id"):
        names = {int(region[0]): str(region[1]) for region in found["regions"]}
        changes.append((_("Region"), account.region_name or _("none"), names[values["region_id"]]))
    if values.get("new_username"):
        changes.append((_("User name"), account.username, values["new_username"]))
    return changes


def _with_speed(
    changes: list[Change], account: AccountDetail, result: OperationResult, found: dict[str, Any]
) -> list[Change]:
    """Beneath a change of the plan, what it does to the speed."""
    new = found.get("speeds", {}).get(result.after.plan_id)
    if new is None or account.down_bps is None or new == (account.down_bps, account.up_bps):
        return changes
    speeds = [f"{rate(down)} ↓ {rate(up)} ↑" for down, up in ((account.down_bps, account.up_bps), new)]
    return [*changes[:1], (_("Speed"), speeds[0], speeds[1]), *changes[1:]]


def total_of(result: OperationResult) -> tuple[str, Decimal, str] | None:
    """(word, amount, pocket) of the preview's last line, None without an order."""
    order = result.order
    if order is None:
        return None
    pocket = word(METHODS, order.method)
    if order.kind == "reverse" and order.method == "cash" and order.total != 0:
        pocket = _("Through the drawer of the one who booked it")  # whoever takes it back
    elif order.method == "cash" and order.total != 0:
        names = {"cash": pocket, "name": here().name}
        paid_out = order.total < 0
        pocket = _("%(name)s's drawer → %(cash)s", **names) if paid_out else _("%(cash)s → %(name)s's drawer", **names)
    return (total_word(order), order.total, pocket)


def undo_note(result: OperationResult | None) -> str:
    """What stands beneath the button: the receipt, and how long the deed can be undone; "" without an order."""
    if result is None or result.order is None:
        return ""
    seconds = tenant_settings().reversal_seconds
    if seconds == 0 or not actor().may("op.reverse"):
        return _("A receipt can be printed afterwards.")
    return _("A receipt can be printed afterwards; it can be undone for %(span)s.", span=duration(seconds))


def _deed(op: Operation, result: OperationResult) -> str:
    total = result.order.total if result.order is not None else Decimal(0)
    if total == 0:
        return str(op.deed)
    words = op.deed_out if total < 0 and op.deed_out is not None else op.deed_sum
    return str(words) % {"sum": f"{currency_sign()}{money(abs(total))}"}


def _say(op: Operation, result: OperationResult, account: AccountDetail) -> None:
    total = result.order.total if result.order is not None else Decimal(0)
    words = op.done_out if total < 0 and op.done_out is not None else op.done
    text = str(words) % {"sum": f"{currency_sign()}{money(abs(total))}"}
    moved = result.before.expires_at != result.after.expires_at
    if moved and result.after.expires_at.year < NEVER_YEAR and op.name not in ("close", "refund"):
        text = _("%(text)s Valid until %(at)s.", text=text, at=local(result.after.expires_at))
    actions = []
    if result.order is not None and result.order.number:
        order_url = url_for("admin.show_receipt", number=result.order.number)
        if actor().may("receipts.print"):
            actions.append(ToastAction(_("Receipt"), order_url, "printer"))
        if op.name != "reverse" and actor().may("op.reverse"):
            undo = url_for("admin.operation", account_id=account.id, name="reverse")
            actions.append(ToastAction(_("Undo"), undo, "arrow-back-up"))
    toast(text, *actions)
