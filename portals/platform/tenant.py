"""One tenant: facts, sizes, routers, migration; suspend and resume (TEN-5)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.platform.blueprint import actor, blueprint, database, present
from portals.platform.words import action_name, tenant_state, tier_name
from portals.shared.access import signed_in
from portals.shared.addresses import tenant_url
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from portals.shared.words import vendor
from tenants.registry.suspend import resume_tenant, suspend_tenant
from tenants.reports.queries_platform import list_platform_audit, tenant_contact, tenant_detail
from tenants.reports.queries_tenant import list_support_logins, tenant_migration, tenant_routers


@blueprint.get("/tenants/<int:tenant_id>")
@signed_in
def show_tenant(tenant_id: int) -> str:
    """Everything the platform may know: sizes and facts, nothing of its subscribers."""
    found = tenant_detail(database(), tenant_id)
    settings = installation().settings
    return render_template(
        "platform/tenant.html",
        tenant=found,
        contact=tenant_contact(database(), tenant_id),
        migration=tenant_migration(database(), tenant_id),
        routers=tenant_routers(database(), tenant_id),
        support=list_support_logins(database(), tenant_id=tenant_id, limit=5),
        entries=list_platform_audit(database(), tenant_id=tenant_id, size=8).rows,
        admin_url=tenant_url(settings, found.slug, "/admin/"),
        selfcare_url=tenant_url(settings, found.slug, "/"),
        tenant_state=tenant_state,
        tier_name=tier_name,
        action_name=action_name,
        vendor=vendor,
    )


@blueprint.route("/tenants/<int:tenant_id>/suspend", methods=["GET", "POST"])
@signed_in
def suspend(tenant_id: int) -> str | Response | tuple[str, int]:
    """Ask for the reason and for the tenant's address, typed: nobody of it works until it is resumed."""
    found = tenant_detail(database(), tenant_id)
    labels = {"reason": _("Reason"), "typed": _("Address of the tenant")}
    if request.method == "GET":
        return render_template("platform/suspend.html", tenant=found, form=Form(None, labels))
    form = Form(request.form, labels)
    reason = form.text("reason", required=True, longest=200)
    if form.text("typed", required=True, longest=63) != found.slug:
        form.fail("typed", _("Type exactly %(slug)s.", slug=found.slug))
    if form.ok:
        with form.refusals():
            suspend_tenant(database(), tenant_id, reason, actor=actor(), now=present())
            toast(_("%(name)s is suspended. Nobody of it can work until it is resumed.", name=found.name))
            return redirect_after(url_for("platform.show_tenant", tenant_id=tenant_id))
    return render_template("platform/suspend.html", tenant=found, form=form), 422


@blueprint.post("/tenants/<int:tenant_id>/resume")
@signed_in
def resume(tenant_id: int) -> Response:
    """Let it work again."""
    resume_tenant(database(), tenant_id, actor=actor(), now=present())
    toast(_("The tenant works again."))
    return redirect(url_for("platform.show_tenant", tenant_id=tenant_id), 303)
