"""Own domains of the provider (TEN-7): named here, proven by their DNS record, then an entrance like the usual ones."""

from urllib.parse import urlsplit

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from infra.gateways.addresses import addresses_of
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.errors import error_text
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.registry.errors import HostnameNotPointing
from tenants.registry.own_domain import MOST_DOMAINS, add_domain, list_domains, remove_domain, verify_domain


@blueprint.get("/settings/domains")
@requires("settings.view")
def list_domains_page() -> str:
    """Every domain with its state and the record it needs."""
    target = sorted(_own_addresses())
    return render_template("admin/domains.html", domains=list_domains(scope()), target=target, most=MOST_DOMAINS)


@blueprint.route("/settings/domains/new", methods=["GET", "POST"])
@requires("settings.edit")
def add_domain_page() -> str | Response | tuple[str, int]:
    """A panel with one field; the domain waits for its record afterwards."""
    form = Form(request.form if request.method == "POST" else None, {"hostname": _("Domain")})
    if request.method == "POST":
        typed = form.text("hostname", required=True, longest=253)
        if form.ok:
            with form.refusals():
                base = installation().settings.base_domain
                row = add_domain(scope(), typed, base_domain=base, actor=actor(), now=present())
                toast(_("Added %(name)s. Now set its DNS record.", name=row.hostname))
                return redirect_after(url_for("admin.list_domains_page"))
    page = render_template("admin/domain_form.html", form=form, back=url_for("admin.list_domains_page"))
    return page if form.ok else (page, 422)


@blueprint.post("/settings/domains/<name>/check")
@requires("settings.edit")
def check_domain_page(name: str) -> Response:
    """Look for the record now; not there yet is no mistake."""
    try:
        verify_domain(scope(), name, own_addresses=_own_addresses(), resolve=addresses_of, actor=actor(), now=present())
    except HostnameNotPointing as error:
        toast(error_text(error))
    else:
        toast(_("%(name)s points here. Staff and subscribers can use it from now on.", name=name))
    return redirect(url_for("admin.list_domains_page"), 303)


@blueprint.post("/settings/domains/<name>/remove")
@requires("settings.edit")
def remove_domain_page(name: str) -> Response:
    """The domain leads nowhere from now on."""
    remove_domain(scope(), name, actor=actor(), now=present())
    toast(_("Removed %(name)s.", name=name))
    return redirect(url_for("admin.list_domains_page"), 303)


def _own_addresses() -> frozenset[str]:
    """Where a domain must point: the address of the website of this installation."""
    return addresses_of(urlsplit(installation().settings.site_url).hostname or "")
