"""Support logins: begin with a reason and an end, enter, end (TEN-5)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import actor, blueprint, database, present
from portals.shared.access import signed_in
from portals.shared.addresses import tenant_url
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.hand_over import Ticket, ticket_path
from portals.shared.i18n import _
from portals.shared.login import here
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.kernel.errors import NotFound
from tenants.registry.support_login import LONGEST_MINUTES, StartSupport, end_support, start_support
from tenants.reports.queries_platform import tenant_detail
from tenants.reports.queries_tenant import list_support_logins, support_login


@blueprint.get("/support/")
@signed_in
def list_support() -> str:
    """Who was where, why and for how long; what runs stands on top."""
    rows = list_support_logins(database(), limit=100)
    now = present()
    return render_template(
        "platform/support.html",
        running=[row for row in rows if row.login.runs(now)],
        over=[row for row in rows if not row.login.runs(now)],
    )


@blueprint.route("/tenants/<int:tenant_id>/support", methods=["GET", "POST"])
@signed_in
def begin_support(tenant_id: int) -> str | Response | tuple[str, int]:
    """Ask for the reason and the time; both stand in the tenant's own operation log."""
    found = tenant_detail(database(), tenant_id)
    labels = {"reason": _("Reason"), "minutes": _("Minutes")}
    if request.method == "GET":
        return _panel(found, Form(None, labels, minutes="30"))
    form = Form(request.form, labels)
    reason = form.text("reason", required=True, longest=200)
    minutes = form.integer("minutes", lowest=1, highest=LONGEST_MINUTES)
    if form.ok and minutes is not None:
        with form.refusals():
            _tenant, login = start_support(
                database(), StartSupport(tenant_id, reason, minutes), actor=actor(), now=present()
            )
            return redirect_after(url_for("platform.show_support", support_id=login.id))
    return _panel(found, form), 422


@blueprint.get("/support/<int:support_id>")
@signed_in
def show_support(support_id: int) -> str:
    """The way in, for whoever began it, while it runs."""
    row = support_login(database(), support_id)
    return render_template(
        "platform/support_ready.html", row=row, runs=row.login.runs(present()), own=row.login.operator == here().note
    )


@blueprint.get("/support/<int:support_id>/enter")
@signed_in
def enter_support(support_id: int) -> Response:
    """A ticket for the tenant's own entrance, good once."""
    row = support_login(database(), support_id)
    if row.login.operator != here().note or not row.login.runs(present()):
        raise NotFound(what="support login", ref=support_id)
    ticket = Ticket(row.login.tenant_id, "admin", support_id, 0, by=row.login.operator)
    return redirect(tenant_url(installation().settings, row.tenant_slug, ticket_path(ticket)), 303)


@blueprint.post("/support/<int:support_id>/end")
@signed_in
def end_running_support(support_id: int) -> Response:
    """End it now, wherever it is."""
    if end_support(database(), support_id, actor=actor(), now=present()):
        toast(_("The support login is ended."))
    else:
        toast(_("The support login was over already."))
    return redirect(url_for("platform.list_support"), 303)


def _panel(tenant: object, form: Form) -> str:
    choices = [("15", _("15 min")), ("30", _("30 min")), ("60", _("60 min"))]
    return render_template("platform/support_begin.html", tenant=tenant, form=form, choices=choices)
