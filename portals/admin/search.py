"""The search of everything: a page, and the list that unfolds while typing (UX-5)."""

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import signed_in
from portals.shared.fragments import is_fragment
from tenants.reports.queries_search import search_everything


@blueprint.get("/search")
@signed_in
def search() -> str | Response:
    """What fits; a single subscriber found by pressing Enter opens at once."""
    text = request.args.get("q", "").strip()[:100]
    found = search_everything(scope(), text, actor(), present())
    if is_fragment():
        return render_template("admin/search_part.html", text=text, found=found)
    if len(found.accounts) == 1 and not found.orders and not found.routers:
        return redirect(url_for("admin.show_account", account_id=found.accounts[0].id))
    return render_template("admin/search.html", text=text, found=found)
