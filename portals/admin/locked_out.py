"""Who is locked out for guessing passwords just now, and letting him try again (RAD-9)."""

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.account import read_account
from portals.admin.blueprint import actor, as_number, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.fragments import is_fragment, redirect_after
from portals.shared.i18n import _, ngettext
from portals.shared.toasts import toast
from tenants.subscribers.errors import NobodyLockedOut
from tenants.subscribers.queries_locked import list_locked
from tenants.subscribers.unlock import Unlock, unlock
from tenants.usage.queries_routers import router_names

NOBODY = -1  # an id that nothing has: what was sent for one is none


@blueprint.get("/locked-out/")
@requires("refused.view")
def list_locked_out() -> str:
    """The page; asked by its own refresh it is only the part that changes."""
    return render_template(
        "admin/locked_out_part.html" if is_fragment() else "admin/locked_out.html",
        rows=list_locked(scope(), actor(), present()),
        routers=router_names(scope()),
    )


@blueprint.post("/locked-out/unlock")
@requires("refused.unlock")
def unlock_device() -> Response:
    """One of the list, or one or all of an account's."""
    sent = request.form
    account = sent.get("account")
    back = url_for("admin.list_locked_out") if actor().may("refused.view") else url_for("admin.home")
    if account is not None:
        actor().require("accounts.view")
        back = url_for("admin.show_account", account_id=read_account(as_number(account) or NOBODY).id)
    command = Unlock(
        account_id=None if account is None else as_number(account),
        nas_id=None if "nas" not in sent else as_number(sent["nas"]) or NOBODY,
        username=sent.get("username"),
        device=None if "device" not in sent else _octets(sent["device"]),
    )
    try:
        rows = unlock(scope(), command, actor=actor(), now=present())
    except NobodyLockedOut:
        toast(_("Nobody is locked out there any more."))
    else:
        toast(ngettext("%(num)s device may try again.", "%(num)s devices may try again.", len(rows)))
    return redirect_after(back)


def _octets(text: str) -> bytes:
    """What the list wrote as hexadecimal digits; of anything else what no device is called."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        return b"\0" * 254
