"""Finding the way to one's own login: by the tenant's address, or by a mail to its owner."""

from flask import g, redirect, render_template, request
from werkzeug.wrappers import Response

from portals.shared.access import public
from portals.shared.addresses import tenant_url
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.security import limiter
from portals.shared.unit_of_work import installation
from portals.site.portal import blueprint
from tenants.onboarding.find_login import find_login
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound


@blueprint.get("/login")
@public
def show_log_in() -> str:
    """The form."""
    return render_template("site/log_in.html", form=Form(None), sent_to="")


@blueprint.post("/login")
@limiter.limit("20 per minute")
@public
def send_log_in() -> Response | str | tuple[str, int]:
    """On to the tenant's administration; for an e-mail address the way is mailed, so that nobody can try addresses."""
    form = Form(request.form, {"who": _("Address or e-mail")})
    who = form.text("who", required=True, longest=254).lower()
    settings, database = installation().settings, installation().database
    if form.ok and "@" in who:
        with form.refusals(field="who"):
            find_login(database, who, now=g.now, site_url=settings.site_url)
            return render_template("site/log_in.html", form=Form(None), sent_to=who)
    elif form.ok:
        slug = _slug(who, settings.base_domain)
        try:
            tenant = find_tenant(database, slug)
        except TenantNotFound:
            form.fail(
                "who",
                _("No provider has the address %(slug)s. Check how it is spelled, or use your e-mail.", slug=slug),
            )
        else:
            return redirect(tenant_url(settings, tenant.slug, "/admin/"), 303)
    return render_template("site/log_in.html", form=form, sent_to=""), 422


def _slug(who: str, base_domain: str) -> str:
    """What people paste: ``qingteng``, ``qingteng.broadloom.example``, or the whole address of a page."""
    text = who.removeprefix("https://").removeprefix("http://")
    host, _slash, path = text.partition("/")
    if path.startswith("t/"):
        return path[2:].partition("/")[0]
    slug = host.partition(":")[0].removesuffix(f".{base_domain}")
    return "-" if slug.isdigit() else slug
