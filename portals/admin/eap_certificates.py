"""The certificate that devices see when they log in by PEAP or TTLS (RAD-2): its authority, renewal, upload."""

from flask import make_response, redirect, render_template, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from portals.shared.uploads import form_with_files
from tenants.network.certificates import (
    UploadCertificate,
    certificate_ends,
    ensure_certificates,
    renew_server_certificate,
    use_uploaded_certificate,
)
from tenants.network.rules_certificates import eap_server_name

_LONGEST_PEM = 100_000


@blueprint.get("/settings/certificates")
@requires("settings.view")
def show_eap_certificates() -> str:
    """What devices see now, and the ways to change it."""
    return _page(Form(None, _labels()))


@blueprint.post("/settings/certificates")
@requires("settings.edit")
def upload_eap_certificate() -> Response | tuple[str, int]:
    """A chain of the tenant's own."""
    form = form_with_files(_labels(), ("chain", "private_key"))
    chain = form.text("chain", required=True, longest=_LONGEST_PEM)
    key = form.text("private_key", required=True, longest=_LONGEST_PEM)
    if form.ok:
        command = UploadCertificate(chain.encode(), key.encode())
        with form.refusals():
            use_uploaded_certificate(scope(), command, _base_domain(), actor=actor(), now=present())
            toast(_("From now on devices see your own certificate."))
            return redirect(url_for("admin.show_eap_certificates"))
    return _page(form), 422


@blueprint.post("/settings/certificates/renew")
@requires("settings.edit")
def renew_eap_certificate() -> Response:
    """A fresh one from the own authority; devices that trust it notice nothing."""
    renew_server_certificate(scope(), _base_domain(), actor=actor(), now=present())
    toast(_("Made a new certificate. Devices that trust your authority notice nothing."))
    return redirect(url_for("admin.show_eap_certificates"))


@blueprint.get("/settings/certificates/ca.pem")
@requires("settings.view")
def download_eap_authority() -> Response:
    """What subscribers install on their devices."""
    row = ensure_certificates(scope(), _base_domain(), now=present())
    response = make_response(row.authority_pem)
    response.headers["Content-Type"] = "application/x-x509-ca-cert"
    response.headers["Content-Disposition"] = f'attachment; filename="{scope().tenant.slug}-ca.pem"'
    return response


def _page(form: Form) -> str:
    row = ensure_certificates(scope(), _base_domain(), now=present())
    name = eap_server_name(scope().tenant.slug, _base_domain())
    ends = certificate_ends(scope(), now=present())
    return render_template("admin/eap_certificates.html", row=row, ends=ends, server_name=name, form=form)


def _base_domain() -> str:
    return installation().settings.base_domain


def _labels() -> dict[str, str]:
    return {"chain": _("Certificate chain (PEM)"), "private_key": _("Private key (PEM, without a password)")}
