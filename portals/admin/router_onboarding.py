"""A router's page: the script to paste, and the live wait for its first packet (TEN-3, TEN-4)."""

from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.cloud_addresses import cloud_addresses
from portals.shared.access import requires
from portals.shared.fragments import is_fragment
from portals.shared.i18n import _
from portals.shared.tenancy import tenant_settings
from portals.shared.unit_of_work import installation
from tenants.network.edit_nas import mark_script_copied, reveal_secret
from tenants.network.queries_radsec import radsec_endings
from tenants.network.snippets import Snippet, SnippetFacts, snippet
from tenants.network.vendors import VENDORS
from tenants.subscribers.queries_router_plans import bound_accounts, plans_on_router
from tenants.subscribers.visibility import visible_ids
from tenants.usage import queries_routers
from tenants.usage.queries_onboarding import onboarding
from tenants.usage.queries_refused import list_refused
from tenants.usage.queries_routers import Router

TABS = ("mikrotik", "huawei", "cisco", "h3c")
HIDDEN = "••••••••"


@blueprint.get("/routers/<int:nas_id>/")
@requires("nas.view")
def onboard_router(nas_id: int) -> str:
    """Steps, packets and script; asked by its own refresh it is only the part that changes."""
    router = queries_routers.router_detail(scope(), nas_id)
    if is_fragment():
        where = installation().settings
        ports = {"host": where.radius_address, "auth_port": where.radius_auth_port, "acct_port": where.radius_acct_port}
        return render_template("admin/router_live.html", **_seen(router), **ports)
    return _page(router, _seen(router), secret="")


@blueprint.post("/routers/<int:nas_id>/")
@requires("nas.view")
def show_router_secret(nas_id: int) -> str:
    """The same page with the secret in its script; that it was looked at is written down."""
    router = queries_routers.router_detail(scope(), nas_id)
    secret = reveal_secret(scope(), nas_id, actor=actor(), now=present())
    return _page(router, _seen(router), secret=secret)


@blueprint.post("/routers/<int:nas_id>/copied")
@requires("nas.view")
def script_copied(nas_id: int) -> Response:
    """Told by the copy button: the second step is done."""
    queries_routers.router_detail(scope(), nas_id)
    mark_script_copied(scope(), nas_id, actor=actor(), now=present())
    return Response("", 204)


@blueprint.get("/routers/<int:nas_id>/refused")
@requires("nas.view")
def router_refused(nas_id: int) -> str:
    """Everything of this router that was refused lately."""
    router = queries_routers.router_detail(scope(), nas_id)
    cursor = request.args.get("cursor", "")
    page = list_refused(scope(), since=router.created_at, nas_id=nas_id, among=visible_ids(actor()), cursor=cursor)
    return render_template("admin/router_refused.html", router=router, page=page)


def _seen(router: Router) -> dict[str, Any]:
    """What has come of the router, for the part of the page that keeps itself up to date."""
    copied = router.is_copied(present())
    return {
        "router": router,
        "found": onboarding(scope(), router.id, now=present()),
        "own_addresses": queries_routers.own_addresses(scope(), router.id, present()) if copied else [],
    }


def _page(router: Router, values: dict[str, Any], *, secret: str) -> str:
    fresh = router.first_packet_at is None and (actor().may("nas.add") or actor().may("nas.secret"))
    if not secret and fresh:
        # Until the first packet came the secret is part of the work; afterwards looking at it is an act of its own.
        secret = reveal_secret(scope(), router.id, actor=actor(), now=present())
    chosen = request.args.get("make", "")
    chosen = chosen if chosen in VENDORS else router.vendor
    tabs = [key for key in TABS if key != router.vendor]
    addresses = cloud_addresses(scope(), present())
    facts = SnippetFacts(
        identifier=router.identifier,
        secret=secret or HIDDEN,
        server=addresses.host,
        auth_port=addresses.auth_port,
        acct_port=addresses.acct_port,
        coa_port=router.coa_port,
        interim_seconds=tenant_settings().interim_seconds,
        coa_sources=addresses.coa_sources,
        message_authenticator=router.message_authenticator,
    )
    made = snippet(chosen, facts)
    return render_template(
        "admin/router.html",
        **values,
        ending=radsec_endings(scope(), {router.id: router.last_packet_at}, now=present()).get(router.id),
        snippet=made,
        marked=marked_lines(made, facts),
        secret_shown=bool(secret),
        make=chosen,
        makes=[(key, VENDORS[key].label.split(" ")[0] if key in VENDORS else key) for key in [router.vendor, *tabs]],
        addresses=addresses,
        plans=plans_on_router(scope(), router.id),
        bound=bound_accounts(scope(), router.id),
        usual_stale_seconds=tenant_settings().interim_seconds * tenant_settings().stale_intervals,
        listen_url=url_for("admin.onboard_router", nas_id=router.id),
    )


def marked_lines(made: Snippet, facts: SnippetFacts) -> list[tuple[str, list[list[tuple[str, bool]]]]]:
    """(comment, lines) of each block; a line is pieces, True for what is the tenant's own and stands out."""
    own = sorted({facts.identifier, facts.secret, facts.server}, key=len, reverse=True)
    blocks = []
    for number, block in enumerate(made.blocks, 1):
        lines = [_pieces(line, own) for line in block.lines]
        blocks.append((f"{made.mark} {number} {_(block.comment)}", lines))
    return blocks


def _pieces(line: str, own: list[str]) -> list[tuple[str, bool]]:
    pieces: list[tuple[str, bool]] = [(line, False)]
    for word in own:
        cut: list[tuple[str, bool]] = []
        for text, marked in pieces:
            if marked or word not in text:
                cut.append((text, marked))
                continue
            for index, part in enumerate(text.split(word)):
                if index:
                    cut.append((word, True))
                if part:
                    cut.append((part, False))
        pieces = cut
    return pieces
