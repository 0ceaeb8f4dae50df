"""Home: how things stand in one sentence, the one big button, the connection, usage per day (SLF-2, SLF-4)."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from flask import render_template, request, url_for
from werkzeug.wrappers import Response

from portals.selfcare.blueprint import actor, blueprint, present, read_account, scope, today
from portals.selfcare.words import refused
from portals.shared.access import signed_in
from portals.shared.currency import currency_sign
from portals.shared.formats import duration, local, money
from portals.shared.forms import Form
from portals.shared.fragments import redirect_after
from portals.shared.i18n import _, ngettext
from portals.shared.tenancy import tenant_settings
from portals.shared.toasts import toast
from tenants.access.explain import explain
from tenants.billing.offers import list_offers
from tenants.subscribers.end_own_sessions import end_own_sessions
from tenants.subscribers.queries_detail import AccountDetail, DayUsage, usage_by_day
from tenants.subscribers.queries_online import sessions_of_account
from tenants.subscribers.queries_own import OwnQuota, own_quota

USAGE_DAYS = 14
WARN_SHARE = 0.8
_GB = 1024**3
_MB = 1024**2


@dataclass(frozen=True, slots=True)
class Standing:
    """The head of the page: a few large words, a small one behind them, one line beneath; ``percent`` of the period."""

    large: str
    small: str
    line: str
    percent: int | None = None


@blueprint.get("/")
@signed_in
def show_home() -> str:
    """The page that answers: am I online, until when, what do I do."""
    account = read_account()
    quota = own_quota(scope(), account.id, present())
    return render_template(
        "selfcare/home.html",
        account=account,
        standing=standing(account, present()),
        deed=_deed(account),
        quota=quota,
        quota_note=None if quota is None else quota_note(quota),
        settings=tenant_settings(),
        sign=currency_sign(),
        pay_key=Form().key,
        **_connection(account),
        **_usage(usage_by_day(scope(), account.id, today(), USAGE_DAYS)),
    )


@blueprint.get("/connection")
@signed_in
def show_connection() -> str:
    """The card of the connection alone, as it refreshes itself."""
    account = read_account()
    return render_template("selfcare/connection_part.html", account=account, **_connection(account))


@blueprint.post("/connection/end")
@signed_in
def end_connection() -> Response:
    """End the own sessions, or the one named; the router dials again by itself."""
    nas_id, session_id = request.form.get("nas_id", type=int), request.form.get("session_id", "")[:253]
    count = end_own_sessions(scope(), nas_id=nas_id, session_id=session_id, actor=actor(), now=present())
    if count:
        toast(
            ngettext(
                "The connection is being ended; the device dials again by itself.",
                "%(num)s connections are being ended; the devices dial again by themselves.",
                count,
            )
        )
    else:
        toast(_("There is no open connection."))
    target = "selfcare.list_sessions" if nas_id is not None else "selfcare.show_home"
    return redirect_after(url_for(target))


@dataclass(frozen=True, slots=True)
class QuotaNote:
    """What is said on top when little or nothing of the quota is left (PLN-5)."""

    tone: str
    text: str


def quota_note(quota: OwnQuota) -> QuotaNote | None:
    """From 80 % on, and when it is used up; None before."""
    again = "" if quota.starts_anew_at is None else _("It starts anew on %(at)s.", at=local(quota.starts_anew_at))
    if quota.left == 0:
        text = _("Your quota is used up.")
        slower = _("Until then the connection is slower.") if again else _("The connection is slower.")
        pack = _("With a pack or a renewal you go on at once.")
        return QuotaNote(
            "warn", " ".join(part for part in (text, again, slower if quota.throttles else "", pack) if part)
        )
    if quota.used_share >= WARN_SHARE:
        share = int(quota.used_share * 100)
        return QuotaNote("info", f"{_('%(share)s %% of your quota is used.', share=share)} {again}".strip())
    return None


def standing(account: AccountDetail, now: datetime) -> Standing:
    """How the account stands, in words."""
    plan, until = account.plan_name, local(account.expires_at)
    if account.state == "held":
        since = local(account.held_at) if account.held_at else ""
        return Standing(_("On hold"), "", _("Since %(at)s. The time is kept and counted on afterwards.", at=since))
    if account.state == "disabled":
        return Standing(_("Switched off"), "", _("Your provider has switched this account off."))
    if account.plan_id is None:
        return Standing(_("No plan yet"), "", _("Choose a plan; you are online as soon as it is paid."))
    if account.state == "not_activated":
        return Standing(_("Not started"), "", _("%(plan)s; the time begins with your first connection.", plan=plan))
    if account.state == "arrears":
        owed = f"{currency_sign()}{money(account.receivable)}"
        ends = min(account.cut_off_at or account.expires_at, account.expires_at)
        if ends > now:
            return Standing(
                owed, _("to pay"), _("%(plan)s; paid late, so online until %(at)s.", plan=plan, at=local(ends))
            )
        return Standing(owed, _("to pay"), _("%(plan)s; the days allowed ended %(at)s.", plan=plan, at=local(ends)))
    if account.never_expires:
        return Standing(_("No end"), "", plan)
    if account.expires_at <= now:
        ago = duration(now - account.expires_at)
        return Standing(_("Expired"), _("%(span)s ago", span=ago), _("%(plan)s, ended %(at)s", plan=plan, at=until))
    left = account.expires_at - now
    started = account.period_started_at or account.opened_at
    length = (account.expires_at - started).total_seconds()
    percent = round(100 * (1 - left.total_seconds() / length)) if length > 0 else 0
    line = _("%(plan)s, until %(at)s", plan=plan, at=until)
    return Standing(duration(left), _("left"), line, min(100, max(0, percent)))


def _deed(account: AccountDetail) -> dict[str, Any]:
    """The one big button: renew, pay, call, or nothing where there is nothing to do."""
    sign, phone = currency_sign(), tenant_settings().contact_phone
    if account.state in ("held", "disabled"):
        return {"kind": "call", "phone": phone}
    if account.state == "arrears":
        owed = f"{sign}{money(account.receivable)}"
        return {"kind": "owe", "sum": owed, "enough": account.balance >= account.receivable, "phone": phone}
    if account.never_expires or account.state == "not_activated":
        return {"kind": "none"}
    offers = list_offers(scope(), account.id)
    near = [offer.price for offer in offers if offer.same_group] or [offer.price for offer in offers]
    if not near:
        return {"kind": "call", "phone": phone}
    lowest: Decimal = min(near)
    return {"kind": "renew", "sum": f"{sign}{money(lowest)}", "first": account.plan_id is None}


def _connection(account: AccountDetail) -> dict[str, Any]:
    """Online with which device since when, or offline and why."""
    now, settings = present(), tenant_settings()
    sessions = sessions_of_account(scope(), account.id, now, interim_seconds=settings.interim_seconds)
    found = explain(scope(), account.id, now)
    why: tuple[str, str] | None = None
    if not found.may_connect and found.reason is not None:
        why = refused(found.reason.code)
    elif not sessions and found.last_refusal is not None and not found.last_refusal.ended:
        why = refused(found.last_refusal.code)
    return {
        "sessions": sessions,
        "why": why,
        "may_connect": found.may_connect,
        "refused_at": found.last_refusal.at if found.last_refusal and not found.last_refusal.ended else None,
        "may_unbind": settings.selfcare_unbind and account.bind_mac not in ("", "learn"),
    }


def _usage(days: tuple[DayUsage, ...]) -> dict[str, Any]:
    """The chart of the last days with the same figures as a table."""
    most = max((max(day.octets_out, day.octets_in) for day in days), default=0)
    unit, word = (_GB, "GB") if most >= _GB else (_MB, "MB")
    labels = [day.day.strftime("%m-%d") for day in days]
    down = [round(day.octets_out / unit, 2) for day in days]
    up = [round(day.octets_in / unit, 2) for day in days]
    option = {
        "legend": {},
        "grid": {"top": 34},
        "xAxis": {"type": "category", "data": labels, "axisLabel": {"interval": 3}},
        "yAxis": {"type": "value", "splitNumber": 3, "axisLabel": {"formatter": f"{{value}} {word}"}},
        "series": [
            {"name": _("Down"), "type": "bar", "stack": "day", "barWidth": "56%", "data": down},
            {"name": _("Up"), "type": "bar", "stack": "day", "barWidth": "56%", "data": up},
        ],
    }
    rows = [[label, f"{d} {word}", f"{u} {word}"] for label, d, u in zip(labels, down, up, strict=True)]
    total = sum(day.octets_out + day.octets_in for day in days)
    return {"chart": option, "chart_rows": rows, "used_octets": total}
