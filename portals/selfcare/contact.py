"""Whom to ask, and what the provider wants to say (SLF-8); readable without signing in, for those who cannot."""

from flask import render_template

from portals.selfcare.blueprint import blueprint
from portals.shared.access import public
from portals.shared.login import visitor
from portals.shared.tenancy import tenant_brand, tenant_settings


@blueprint.get("/contact")
@public
def show_contact() -> str:
    """Name, telephone, opening hours, notice."""
    return render_template(
        "selfcare/contact.html",
        layout="layouts/selfcare.html" if visitor() is not None else "layouts/plain.html",
        brand=tenant_brand(),
        settings=tenant_settings(),
    )
