"""The platform's own log: who signed in, suspended, entered a tenant (TEN-5)."""

from flask import render_template, request

from portals.platform.blueprint import blueprint, database
from portals.platform.words import action_name
from portals.shared.access import signed_in
from tenants.reports.queries_platform import list_platform_audit, tenant_detail


@blueprint.get("/log/")
@signed_in
def list_audit() -> str:
    """Newest first; of one tenant with ``?tenant=``."""
    wanted = request.args.get("tenant", "")
    tenant_id = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    cursor = request.args.get("cursor", "")[:500]
    return render_template(
        "platform/audit.html",
        page=list_platform_audit(database(), tenant_id=tenant_id, cursor=cursor),
        tenant=None if tenant_id is None else tenant_detail(database(), tenant_id),
        action_name=action_name,
    )
