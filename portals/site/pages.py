"""What the product is, what it costs, and under which terms."""

from typing import Any

from flask import render_template

from portals.shared.access import public
from portals.shared.addresses import tenant_url
from portals.shared.i18n import _, current_language, ngettext
from portals.shared.unit_of_work import installation, platform_session
from portals.site.portal import blueprint
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from tenants.registry.tiers import TierView, list_tiers

DEMO_SLUG = "qingteng"  # of the demonstration that `broadloom up` makes


@blueprint.get("/")
@public
def show_landing() -> str:
    """The landing page, with the tiers of this installation."""
    return render_template("site/landing.html", tiers=tier_cards(), demo_url=_demo_url())


@blueprint.get("/terms")
@public
def show_terms() -> str:
    """Terms of service, short."""
    return render_template("site/terms.html")


@blueprint.get("/privacy")
@public
def show_privacy() -> str:
    """Privacy, short."""
    return render_template("site/privacy.html")


def tier_cards() -> list[dict[str, Any]]:
    """The tiers as cards and choices show them, in the reader's language."""
    return [
        {"code": tier.code, "name": tier_name(tier), "price": tier.monthly_price, "limits": _limits(tier)}
        for tier in list_tiers(platform_session("show the service tiers"))
    ]


def tier_name(tier: TierView) -> str:
    """The tier's name in the reader's language."""
    return tier.name_zh if current_language() == "zh" else tier.name_en


def _limits(tier: TierView) -> list[str]:
    accounts = (
        ngettext("%(count)s account", "%(count)s accounts", tier.max_accounts, count=f"{tier.max_accounts:,}")
        if tier.max_accounts
        else _("any number of accounts")
    )
    routers = (
        ngettext("%(count)s router", "%(count)s routers", tier.max_nas, count=f"{tier.max_nas:,}")
        if tier.max_nas
        else _("any number of routers")
    )
    return [accounts, routers]


def _demo_url() -> str:
    if not installation().settings.demo:
        return ""
    try:
        find_tenant(installation().database, DEMO_SLUG)
    except TenantNotFound:
        return ""
    return tenant_url(installation().settings, DEMO_SLUG, "/admin/")
