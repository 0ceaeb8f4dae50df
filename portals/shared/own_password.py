"""The page on which somebody changes the own password: one for staff, subscribers and the platform (STF-5, SLF-4)."""

from collections.abc import Callable

from flask import redirect, request
from werkzeug.wrappers import Response

from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.login import here, sign_in
from portals.shared.toasts import toast

LONGEST = 128


def change_own_password(
    change: Callable[[str, str], int], page: Callable[[Form], str], *, done: str, then: str
) -> str | Response | tuple[str, int]:
    """Present password, new one twice; ``change(old, new)`` gives the epoch by which all other sign-ins end.

    ``page`` renders the form, ``done`` is said and ``then`` opened after it.
    """
    labels = {
        "old_password": _("Present password"),
        "new_password": _("New password"),
        "new_password_again": _("New password again"),
    }
    if request.method == "GET":
        return page(Form(None, labels))
    form = Form(request.form, labels)
    old = form.text("old_password", required=True, longest=LONGEST, strip=False)
    new = form.text("new_password", required=True, longest=LONGEST, strip=False)
    if form.text("new_password_again", required=True, longest=LONGEST, strip=False) != new:
        form.fail("new_password_again", _("The two new passwords differ."))
    if form.ok:
        with form.refusals():
            epoch = change(old, new)
            sign_in(here().id, epoch)
            toast(done)
            return redirect(then, 303)
    return page(form), 422
