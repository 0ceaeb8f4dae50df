"""An internet provider signs up (TEN-1): form, live check of the address, "look into your mail", sending it again."""

from flask import g, redirect, render_template, request, session, url_for
from werkzeug.wrappers import Response

from portals.shared.access import public
from portals.shared.errors import error_text
from portals.shared.forms import Form
from portals.shared.i18n import _, current_language
from portals.shared.security import limiter
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from portals.site.pages import tier_cards
from portals.site.portal import blueprint
from tenants.onboarding.resend import resend
from tenants.onboarding.sign_up import SignUpForm, sign_up, slug_refusal
from tenants.registry.rules import SHORTEST_PASSWORD, slug_from_name

_WAITING = "sign_up_email"  # session: whose verification this browser waits for


@blueprint.get("/sign-up")
@public
def show_sign_up() -> str:
    """The empty form; ``?tier=`` chooses one beforehand."""
    return _page(Form(None, _labels(), tier=request.args.get("tier", "free")))


@blueprint.post("/sign-up")
@limiter.limit("30 per hour")
@public
def send_sign_up() -> Response | tuple[str, int]:
    """Check the form, reserve the address, send the verification mail."""
    form = Form(request.form, _labels())
    wanted = SignUpForm(
        slug=form.text("slug", required=True, longest=63).lower(),
        name=form.text("name", required=True, longest=80),
        contact_name=form.text("contact_name", required=True, longest=80),
        email=form.text("email", required=True, longest=254),
        phone=form.text("phone", required=True, longest=40),
        password=form.text("password", required=True, longest=128, strip=False),
        tier=form.choice("tier", [tier["code"] for tier in tier_cards()]),
        locale=current_language(),
    )
    if not form.checked("agree"):
        form.fail("agree", _("Without the terms there is no contract. Read them, then tick the box."))
    if not form.ok and wanted.slug:  # the business is not asked yet, but the address is said together with the rest
        refusal = slug_refusal(installation().database, wanted.slug, now=g.now)
        if refusal is not None:
            form.fail("slug", error_text(refusal))
    if form.ok:
        with form.refusals():
            receipt = sign_up(installation().database, wanted, now=g.now, site_url=installation().settings.site_url)
            session[_WAITING] = receipt.email
            return redirect(url_for("site.show_sent"), 303)
    return _page(form), 422


@blueprint.get("/sign-up/address")
@limiter.limit("120 per minute")
@public
def check_address() -> str:
    """The line beneath the address field while it is being typed (fetched by htmx)."""
    slug = request.args.get("slug", "").strip().lower()[:63]
    refusal = slug_refusal(installation().database, slug, now=g.now) if slug else None
    return render_template(
        "site/address_note.html",
        slug=slug,
        sentence=error_text(refusal) if refusal is not None else "",
        proposals=_proposals(slug, request.args.get("name", "")) if refusal is not None else [],
    )


@blueprint.get("/sign-up/sent")
@public
def show_sent() -> str | Response:
    """ "Look into your mail"."""
    email = session.get(_WAITING, "")
    if not email:
        return redirect(url_for("site.show_sign_up"))
    return render_template("site/sent.html", email=email, to_folder=not installation().settings.smtp_url)


@blueprint.post("/sign-up/resend")
@limiter.limit("5 per hour")
@public
def send_again() -> Response:
    """Send the verification mail once more; says the same whether or not somebody waits for it."""
    email = str(session.get(_WAITING) or request.form.get("email", "")).strip()
    if not email:
        return redirect(url_for("site.show_sign_up"), 303)
    resend(installation().database, email, now=g.now, site_url=installation().settings.site_url)
    session[_WAITING] = email
    toast(_("If a sign-up waits for %(email)s, a new link is on its way; the old one no longer works.", email=email))
    return redirect(url_for("site.show_sent"), 303)


def _page(form: Form) -> str:
    base = installation().settings.base_domain
    return render_template(
        "site/sign_up.html",
        form=form,
        tiers=tier_cards(),
        base=base if base != "localhost" else "",
        shortest=SHORTEST_PASSWORD,
        site_host=installation().settings.site_url.partition("://")[2],
    )


def _labels() -> dict[str, str]:
    return {
        "name": _("Company or brand"),
        "contact_name": _("Your name"),
        "slug": _("Login address"),
        "phone": _("Phone"),
        "email": _("E-mail"),
        "password": _("Password"),
        "tier": _("Tier"),
        "agree": _("Terms"),
    }


def _proposals(slug: str, name: str) -> list[str]:
    """At most two free addresses like the one that was refused."""
    stem = slug_from_name(slug) or slug_from_name(name)
    wanted = [candidate for candidate in (stem, f"{stem}-net", f"{stem}-isp") if stem and candidate != slug]
    free = [c for c in wanted if slug_refusal(installation().database, c, now=g.now) is None]
    return free[:2]
