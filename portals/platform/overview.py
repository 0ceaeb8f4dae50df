"""Overview: how large, how healthy, what waits, whom to look at (TEN-5)."""

from flask import render_template

from portals.platform.blueprint import blueprint, database, present
from portals.platform.words import ATTENTION, NODE_KINDS, backlog_name, tenant_state, tier_name
from portals.shared.access import signed_in
from portals.shared.words import word
from tenants.reports.queries_attention import tenants_to_look_at
from tenants.reports.queries_platform import cloud_totals, count_tenants, list_backlog, list_nodes, list_sign_ups
from tenants.reports.queries_tenant import list_support_logins


@blueprint.get("/")
@signed_in
def show_overview() -> str:
    """The page for three numbers and what needs a hand."""
    now = present()
    states = count_tenants(database())
    return render_template(
        "platform/overview.html",
        states=states,
        total=sum(number for state, number in states.items() if state != "deleted"),
        totals=cloud_totals(database()),
        cells=list(database().cells),
        nodes=list_nodes(database(), now),
        backlog=list_backlog(database(), now),
        attention=tenants_to_look_at(database(), now),
        running=[row for row in list_support_logins(database(), limit=20) if row.login.runs(now)],
        waiting=len(list_sign_ups(database(), limit=100)),
        why=lambda code: word(ATTENTION, code),
        kind=lambda code: word(NODE_KINDS, code),
        backlog_name=backlog_name,
        tenant_state=tenant_state,
        tier_name=tier_name,
    )
