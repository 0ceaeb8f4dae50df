"""A router's RadSec page: what it needs to connect by TLS, and which of its certificates and keys may come in."""

import base64
import io
import zipfile

from flask import make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.cloud_addresses import cloud_addresses
from portals.shared.access import requires
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.network.cluster_certificate import cluster_authority_pem
from tenants.network.errors import CredentialNotFound
from tenants.network.queries_radsec import credentials_of, radsec_endings
from tenants.network.radsec_credentials import (
    IssuedCertificate,
    IssuedPsk,
    issue_certificate,
    issue_psk,
    withdraw_credential,
)
from tenants.network.rules_certificates import radsec_server_names
from tenants.network.snippets_radsec import AUTHORITY_FILE, CERTIFICATE_FILE, KEY_FILE, RadsecFacts, radsec_snippet
from tenants.usage import queries_routers


@blueprint.get("/routers/<int:nas_id>/radsec")
@requires("nas.view")
def show_router_radsec(nas_id: int) -> str:
    """Script, and the certificates and keys that were issued."""
    return _page(nas_id)


@blueprint.post("/routers/<int:nas_id>/radsec/certificate")
@requires("nas.secret")
def issue_router_certificate(nas_id: int) -> Response:
    """The same page with the new certificate and its key, which are shown this once."""
    queries_routers.router_detail(scope(), nas_id)
    issued = issue_certificate(scope(), nas_id, _server_names(), actor=actor(), now=present())
    return _once(_page(nas_id, certificate=issued))


@blueprint.post("/routers/<int:nas_id>/radsec/key")
@requires("nas.secret")
def issue_router_key(nas_id: int) -> Response:
    """The same page with a new pre-shared key, which is shown this once."""
    queries_routers.router_detail(scope(), nas_id)
    issued = issue_psk(scope(), nas_id, actor=actor(), now=present())
    return _once(_page(nas_id, key=issued))


@blueprint.route("/routers/<int:nas_id>/radsec/<int:credential_id>/withdraw", methods=["GET", "POST"])
@requires("nas.edit")
def withdraw_router_credential(nas_id: int, credential_id: int) -> str | Response:
    """The panel that says what it means; from then on it lets nobody in, and connections that it let in are ended."""
    router = queries_routers.router_detail(scope(), nas_id)
    back = url_for("admin.show_router_radsec", nas_id=nas_id)
    if request.method == "POST":
        withdraw_credential(scope(), credential_id, nas_id=nas_id, actor=actor(), now=present())
        toast(_("Withdrawn. Connections that used it are ended."))
        return redirect_after(back)
    known = credentials_of(scope(), nas_id, now=present())
    one = next((found for found in known if found.id == credential_id and found.lets_in), None)
    if one is None:
        raise CredentialNotFound(ref=credential_id)
    return render_template("admin/router_withdraw.html", form=Form(None), router=router, one=one, back=back)


@blueprint.get("/routers/radsec-ca.pem")
@requires("nas.view")
def download_radsec_authority() -> Response:
    """The authority that routers are to trust."""
    pem = cluster_authority_pem(installation().database, _server_names(), now=present())
    return _file(pem.encode(), "application/x-pem-file", AUTHORITY_FILE)


def _page(nas_id: int, *, certificate: IssuedCertificate | None = None, key: IssuedPsk | None = None) -> str:
    router = queries_routers.router_detail(scope(), nas_id)
    addresses = cloud_addresses(scope(), present())
    facts = RadsecFacts(
        identifier=router.identifier,
        server=addresses.host,
        port=addresses.radsec_port,
        interim_seconds=tenant_settings().interim_seconds,
    )
    return render_template(
        "admin/router_radsec.html",
        router=router,
        addresses=addresses,
        snippet=radsec_snippet(router.vendor, facts),
        ending=radsec_endings(scope(), {nas_id: router.last_packet_at}, now=present()).get(nas_id),
        credentials=credentials_of(scope(), nas_id, now=present()),
        certificate=certificate,
        certificate_files=_archive(certificate) if certificate else "",
        key=key,
    )


def _server_names() -> list[str]:
    settings = installation().settings
    return radsec_server_names(settings.radius_address, settings.base_domain)


def _archive(issued: IssuedCertificate) -> str:
    """The three files as a ZIP archive, in base64: the key is on no disk of ours, not even for a moment."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(AUTHORITY_FILE, issued.authority_pem)
        archive.writestr(CERTIFICATE_FILE, issued.certificate_pem)
        archive.writestr(KEY_FILE, issued.key_pem)
    return base64.b64encode(buffer.getvalue()).decode()


def _once(page: str) -> Response:
    """A page that no browser keeps."""
    response = make_response(page)
    response.headers["Cache-Control"] = "no-store"
    return response


def _file(data: bytes, kind: str, name: str) -> Response:
    response = make_response(data)
    response.headers["Content-Type"] = kind
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response
