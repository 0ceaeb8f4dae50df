"""What a router is sent beyond its make's dialect: extra attributes, places for who has not paid (NET-2, NET-4)."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from infra.radius_text.dialects import dialect_for
from infra.radius_text.placeholders import RATE_UNITS
from portals.admin.attribute_trial import Answer, AttributeTrial
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.admin.rate_field import rate_field, rate_text
from portals.shared.access import requires
from portals.shared.addresses import tenant_url
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.access.preview_reply import Places, preview_reply
from tenants.catalog.queries_pools import pool_names
from tenants.network.own_dialects import own_dialect
from tenants.network.rules_replies import (
    LONGEST_EXTRA,
    LONGEST_NAME,
    MOST_EXPIRING_DAYS,
    PLACE_NAMES,
    check_extra,
    check_place,
)
from tenants.network.set_replies import MOST_COA_RATE, SetReplies, set_replies
from tenants.usage import queries_routers

PLACES = ("expired", "expiring")
TEXTS = (*PLACE_NAMES, "redirect_url", "dns1", "dns2")


@blueprint.route("/routers/<int:nas_id>/replies", methods=["GET", "POST"])
@requires("nas.edit")
def edit_router_replies(nas_id: int) -> str | Response | tuple[str, int]:
    """One form; the preview changes nothing."""
    router = queries_routers.router_detail(scope(), nas_id)
    options = queries_routers.router_options(scope(), nas_id)
    if request.method == "GET":
        form = Form(None, _labels(), **_initial(options))
        return _page(form, router, AttributeTrial(form, "extra"))
    form = Form(request.form, _labels())
    trial = AttributeTrial(form, "extra")
    command = _read(form, nas_id)
    if trial.asked:
        trial.show(lambda: _answer(router, command))
    elif trial.attempt(lambda: set_replies(scope(), command, actor=actor(), now=present())):
        toast(_("Saved. %(name)s is answered so from now on.", name=router.name))
        return redirect(url_for("admin.edit_router_replies", nas_id=nas_id))
    return _page(form, router, trial)


def _labels() -> dict[str, str]:
    names = {
        "pool": _("Address pool"),
        "ipv6_pool": _("IPv6 pool"),
        "address_list": _("Address list or ACL"),
        "user_group": _("User group"),
        "qos_profile": _("QoS profile"),
        "service": _("Service"),
        "redirect_url": _("Redirect to"),
        "dns1": _("DNS server"),
        "dns2": _("Second DNS server"),
        "up": _("Speed up"),
        "down": _("Speed down"),
    }
    labels = {f"{place}_{name}": label for place in PLACES for name, label in names.items()}
    return labels | {
        "extra": _("Extra attributes"),
        "rate_unit": _("Unit of rates"),
        "expiring_days": _("Days before the end"),
        "coa_rate": _("Requests a second"),
        "region_only": _("Region"),
        "mac_auth": _("MAC authentication"),
        "account": _("Account"),
    }


def _initial(options: Mapping[str, Any]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name: options.get(name) or "" for name in ("extra", "rate_unit", "region_only", "mac_auth", "coa_rate")
    }
    values["expiring_days"] = options.get("expiring_days") or ""
    for place in PLACES:
        known = options.get(place) or {}
        values |= {f"{place}_{name}": known.get(name) or "" for name in TEXTS}
        for way in ("up", "down"):
            values[f"{place}_{way}"] = rate_text(known.get(f"{way}_bps"))
    return values


def _read(form: Form, nas_id: int) -> SetReplies:
    places: dict[str, dict[str, Any]] = {}
    for place in PLACES:
        found: dict[str, Any] = {name: form.text(f"{place}_{name}", longest=220) for name in TEXTS}
        for way in ("up", "down"):
            rate = rate_field(form, f"{place}_{way}")
            if rate is not None:
                found[f"{way}_bps"] = rate
        places[place] = found
    days = form.integer("expiring_days", lowest=0, highest=MOST_EXPIRING_DAYS, required=False)
    return SetReplies(
        nas_id,
        extra=form.text("extra", longest=LONGEST_EXTRA).replace("\r\n", "\n"),
        rate_unit=form.choice("rate_unit", RATE_UNITS, required=False),
        expired=places["expired"],
        expiring=places["expiring"],
        expiring_days=days or 0,
        region_only=form.checked("region_only"),
        mac_auth=form.checked("mac_auth"),
        coa_rate=form.integer("coa_rate", lowest=1, highest=MOST_COA_RATE, required=False),
    )


def _answer(router: queries_routers.Router, command: SetReplies) -> Answer:
    """What the router would be told with these extra attributes, places and this unit."""
    extra = check_extra(command.extra)
    expired, expiring = check_place(command.expired, "expired_"), check_place(command.expiring, "expiring_")
    dialect = own_dialect(scope(), router.vendor) or dialect_for(router.vendor)
    return partial(
        preview_reply,
        scope(),
        dialect,
        invert=router.invert_directions,
        rate_unit=command.rate_unit,
        extra=extra,
        places=Places(present(), expired, expiring, command.expiring_days),
    )


def _page(form: Form, router: queries_routers.Router, trial: AttributeTrial) -> str | tuple[str, int]:
    page = render_template(
        "admin/router_replies.html",
        form=form,
        router=router,
        trial=trial,
        units=[(unit, unit) for unit in RATE_UNITS],
        longest_name=LONGEST_NAME,
        known_pools=pool_names(scope()),
        pay_url=tenant_url(installation().settings, scope().tenant.slug, "/renew"),
    )
    return page if form.ok else (page, 422)
