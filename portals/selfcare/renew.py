"""Renew or change the plan out of the own balance (SLF-2, SLF-3, OPS-13): see what will be booked, book it once."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import actor, blueprint, present, read_account, scope
from portals.selfcare.home import standing
from portals.selfcare.words import PERIODS
from portals.shared.access import signed_in
from portals.shared.currency import currency_sign
from portals.shared.errors import error_text
from portals.shared.formats import local, money, rate
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _
from portals.shared.operate import operate
from portals.shared.previews import changes_of, lines_of
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.billing.offers import Offer, list_offers, preview_offer, preview_offers
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.result import OperationResult
from tenants.billing.take_offer import TakeOffer, take_offer
from tenants.kernel.errors import BusinessError
from tenants.subscribers.queries_detail import AccountDetail

MOST_AT_ONCE = 12
_SHOWN_WITH_EXPIRY = 6  # each costs a preview


@blueprint.route("/renew", methods=["GET", "POST"])
@signed_in
def renew() -> str | Response | tuple[str, int]:
    """GET chooses the present plan; POST books out of the balance and says until when it is paid."""
    account = read_account()
    offers = list_offers(scope(), account.id)
    if request.method == "GET":
        wanted = request.args.get("plan", "")
        known = [str(offer.plan_id) for offer in offers]
        own = next((str(offer.plan_id) for offer in offers if offer.present), known[0] if known else "")
        form = Form(None, _labels(), plan=wanted if wanted in known else own, quantity="1")
        return _page(account, offers, form)
    form = Form(request.form, _labels())
    plan_id, quantity = _read(form, offers)
    if form.ok:
        with form.refusals():
            command = TakeOffer(account.id, plan_id, quantity)
            result = operate(take_offer, command, key=f"selfcare.{form.key}")
            _say(result)
            return redirect_after(url_for("selfcare.show_home"))
    return _page(account, offers, form), 422


@blueprint.post("/renew/preview")
@signed_in
def preview_renewal() -> str:
    """What will be booked and the button with the sum, as the choice changes."""
    account = read_account()
    offers = list_offers(scope(), account.id)
    form = Form(request.form, _labels())
    return render_template("selfcare/renew_preview.html", **_preview(account, offers, form))


@blueprint.post("/arrears/pay")
@signed_in
def pay_owed() -> Response:
    """Pay all that is owed out of the balance."""
    account = read_account()
    form = Form(request.form)
    command = PayArrears(account.id, method="balance")
    result = operate(pay_arrears, command, key=f"selfcare.{form.key}")
    paid = result.order.total if result.order is not None else Decimal(0)
    toast(_("%(sum)s paid from your balance. Nothing is owed any more.", sum=f"{currency_sign()}{money(paid)}"))
    return redirect(url_for("selfcare.show_home"), 303)


def _labels() -> dict[str, str]:
    return {"plan": _("Plan"), "quantity": _("How many times"), "method": _("Balance")}


def _read(form: Form, offers: tuple[Offer, ...]) -> tuple[int, int]:
    chosen = form.choice("plan", [str(offer.plan_id) for offer in offers])
    quantity = form.integer("quantity", lowest=1, highest=MOST_AT_ONCE, required=False) or 1
    return int(chosen or 0), quantity


def _page(account: AccountDetail, offers: tuple[Offer, ...], form: Form) -> str:
    near = [offer for offer in offers if offer.same_group][:_SHOWN_WITH_EXPIRY] or list(offers[:_SHOWN_WITH_EXPIRY])
    previews = preview_offers(scope(), account.id, [o.plan_id for o in near], actor=actor(), now=present())
    return render_template(
        "selfcare/renew.html",
        near=[_card(offer, previews.get(offer.plan_id)) for offer in near],
        others=[_card(offer, None) for offer in offers if offer not in near],
        standing=standing(account, present()),
        most=MOST_AT_ONCE,
        **_preview(account, offers, Form(request.form, _labels()) if form.sent else form),
        form=form,
    )


def _card(offer: Offer, result: OperationResult | None) -> tuple[str, str, str, str, bool]:
    """(value, title, line beneath, price, closed) of an offer."""
    title = str(PERIODS.get(offer.kind, offer.name)) if offer.same_group else offer.name
    notes = [] if title == offer.name else [offer.name]
    if result is not None:
        notes.append(_("until %(at)s", at=local(result.after.expires_at)))
        off = sum((line.amount for line in result.order.lines if line.amount < 0), Decimal(0)) if result.order else 0
        if off:
            notes.append(_("%(sum)s less", sum=f"{currency_sign()}{money(-off)}"))
    elif not offer.same_group:
        notes.append(f"{rate(offer.down_bps)} ↓ {rate(offer.up_bps)} ↑")
    return str(offer.plan_id), title, " · ".join(notes), f"{currency_sign()}{money(offer.price)}", False


def _preview(account: AccountDetail, offers: tuple[Offer, ...], form: Form) -> dict[str, Any]:
    """What would be booked now; what is missing when the balance is short; or why nothing can be."""
    shown: dict[str, Any] = {
        "account": account,
        "settings": tenant_settings(),
        "sign": currency_sign(),
        "lines": [],
        "total": None,
        "changes": [],
        "missing": Decimal(0),
        "problem": "",
        "deed": _("Renew"),
    }
    plan_id, quantity = _read(form, offers)
    if not plan_id:
        return shown
    try:
        deed, result = preview_offer(scope(), account.id, plan_id, quantity, actor=actor(), now=present())
    except BusinessError as error:
        return shown | {"problem": error_text(error)}
    total = result.order.total if result.order is not None else Decimal(0)
    sums = f"{currency_sign()}{money(total)}"
    shown["lines"] = lines_of(result.order.lines) if result.order is not None else []
    shown["missing"] = max(Decimal(0), total - account.balance)
    shown["total"] = (_("Total"), total, "" if shown["missing"] else _("from your balance"))
    if not shown["missing"]:  # paid from the balance it also becomes less
        result = replace(result, after=replace(result.after, balance=account.balance - total))
    shown["changes"] = changes_of(result)
    shown["deed"] = _("Change the plan for %(sum)s", sum=sums) if deed == "change" else _("Renew for %(sum)s", sum=sums)
    return shown


def _say(result: OperationResult) -> None:
    total = result.order.total if result.order is not None else Decimal(0)
    values = {"sum": f"{currency_sign()}{money(total)}", "at": local(result.after.expires_at)}
    toast(_("%(sum)s paid from your balance. Valid until %(at)s.", **values))
