"""The first page after signing in: three numbers, what needs doing, the cloud's addresses (UX-4, TEN-3)."""

from collections.abc import Collection
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from flask import render_template, url_for

from portals.admin.blueprint import actor, blueprint, local_midnight, present, scope
from portals.admin.cloud_addresses import cloud_addresses
from portals.shared.access import signed_in
from portals.shared.i18n import _, current_language, ngettext
from portals.shared.login import here
from portals.shared.tenancy import tenant_settings
from portals.shared.words import METHODS, refusal, word
from tenants.network.certificates import certificate_ends
from tenants.network.queries_radsec import radsec_endings
from tenants.reports import queries_home as home_queries
from tenants.reports.queries_home import OnlinePoint
from tenants.subscribers.queries_list import AccountFilter, count_states
from tenants.usage.queries_refused import count_refused_by_reason
from tenants.usage.queries_routers import Router, list_routers

DAYS = 14
SOON_DAYS = 7


@blueprint.get("/")
@signed_in
def home() -> str:
    """Shows each part only to those who may see what it counts."""
    begun = home_queries.beginnings(scope())
    facts = home_queries.tenant_facts(scope())
    values: dict[str, Any] = {
        "greeting": _greeting(),
        "facts": facts,
        "tier": facts.tier_zh if current_language() == "zh" else facts.tier_en,
        "begun": begun,
        "addresses": cloud_addresses(scope(), present()),
    }
    if actor().may("online.view"):
        values |= _online()
    if actor().may("money.view"):
        values |= _money()
    if actor().may("accounts.view"):
        values |= _accounts()
    if actor().may("refused.view"):
        counts = count_refused_by_reason(scope(), present() - timedelta(hours=24))
        values["refused_total"] = sum(counts.values())
        values["refused"] = [
            (str(refusal(code).word), number, url_for("admin.list_refused_page", state=code))
            for code, number in list(counts.items())[:6]
        ]
    if actor().may("nas.view"):
        values["routers"] = list_routers(scope())
    values["tasks"] = _tasks(values)
    return render_template("admin/home.html", **values)


def _greeting() -> str:
    hour = present().astimezone(scope().zone).hour
    if hour < 5:
        return _("Good night, %(name)s", name=here().name)
    if hour < 12:
        return _("Good morning, %(name)s", name=here().name)
    if hour < 18:
        return _("Good afternoon, %(name)s", name=here().name)
    return _("Good evening, %(name)s", name=here().name)


def _online() -> dict[str, Any]:
    today = home_queries.online_line(scope(), present(), hours=24)
    before = home_queries.online_line(scope(), present(), hours=24, back=24)
    now_online = today[-1].sessions
    yesterday = before[-1].sessions if before else None
    top = max(today, key=lambda point: point.sessions)
    return {
        "online": now_online,
        "online_change": None if yesterday is None else now_online - yesterday,
        "online_spark": [point.sessions for point in _thinned(today, 16)],
        "online_top": top,
        "online_chart": _online_chart(today, before),
        "online_rows": _online_rows(today),
    }


def _thinned(points: tuple[OnlinePoint, ...], most: int) -> list[OnlinePoint]:
    if len(points) <= most:
        return list(points)
    step = len(points) / most
    return [points[int(index * step)] for index in range(most)] + [points[-1]]


def _by_half_hour(points: tuple[OnlinePoint, ...], shift: timedelta) -> dict[datetime, int]:
    slots: dict[datetime, int] = {}
    for point in points:
        at = (point.at + shift).astimezone(scope().zone)
        slots[at.replace(minute=at.minute // 30 * 30, second=0, microsecond=0)] = point.sessions
    return slots


def _online_chart(today: tuple[OnlinePoint, ...], before: tuple[OnlinePoint, ...]) -> dict[str, Any]:
    first, second = _by_half_hour(today, timedelta(0)), _by_half_hour(before, timedelta(hours=24))
    slots = sorted({*first, *second})
    return {
        "legend": {},
        "xAxis": {
            "type": "category",
            "boundaryGap": False,
            "data": [slot.strftime("%H:%M") for slot in slots],
            "axisLabel": {"interval": max(len(slots) // 8 - 1, 0)},
        },
        "yAxis": {"type": "value", "splitNumber": 3, "minInterval": 1},
        "series": [
            {
                "name": _("last 24 hours"),
                "type": "line",
                "data": [first.get(slot) for slot in slots],
                "symbol": "none" if len(slots) > 2 else "circle",
                "connectNulls": True,
                "lineStyle": {"width": 2},
                "area": True,
            },
            {
                "name": _("the day before"),
                "type": "line",
                "data": [second.get(slot) for slot in slots],
                "symbol": "none",
                "connectNulls": True,
                "lineStyle": {"width": 1.5, "type": "dashed"},
            },
        ],
    }


def _online_rows(today: tuple[OnlinePoint, ...]) -> list[tuple[str, str]]:
    slots = _by_half_hour(today, timedelta(0))
    return [(slot.strftime("%m-%d %H:%M"), f"{slots[slot]:,}") for slot in sorted(slots)][::4]


def _money() -> dict[str, Any]:
    month = local_midnight().replace(day=1)
    days = home_queries.money_by_day(scope(), actor(), local_midnight(DAYS - 1), present())
    this_month = home_queries.money_by_day(scope(), actor(), month, present())
    used = list(dict.fromkeys(method for day in days for method in day.by_method))
    chart = {
        "legend": {"left": 0},
        "xAxis": {
            "type": "category",
            "data": [day.day.strftime("%m-%d") for day in days],
            "axisLabel": {"interval": 3},
        },
        "yAxis": {"type": "value", "splitNumber": 3},
        "series": [
            {
                "name": word(METHODS, method),
                "type": "bar",
                "stack": "a",
                "barWidth": "58%",
                "data": [float(day.by_method.get(method, Decimal(0))) for day in days],
            }
            for method in used
        ],
    }
    return {
        "income_today": days[-1].total,
        "income_month": sum((day.total for day in this_month), Decimal(0)),
        "income_spark": [float(day.total) for day in days],
        "income_chart": chart if used else None,
        "income_head": [_("Day"), *(word(METHODS, method) for method in used)],
        "income_rows": [
            (day.day.strftime("%m-%d"), *(f"{day.by_method.get(method, Decimal(0)):,.2f}" for method in used))
            for day in reversed(days)
        ],
    }


def _accounts() -> dict[str, Any]:
    deeds = home_queries.deeds_by_day(scope(), actor(), local_midnight(DAYS - 1), present())
    soon = home_queries.count_expiring(scope(), actor(), present(), present() + timedelta(days=SOON_DAYS))
    today = home_queries.count_expiring(scope(), actor(), local_midnight(), present())
    wanted = AccountFilter(expiring_days=tenant_settings().expiring_days)
    return {
        "deeds_today": deeds[-1],
        "deeds_yesterday": deeds[-2],
        "deeds_spark": [day.opened + day.renewed for day in deeds],
        "expiring": soon,
        "expired_today": today,
        "expiring_spark": home_queries.expiring_per_day(scope(), actor(), present(), SOON_DAYS),
        "expires_until": (present() + timedelta(days=SOON_DAYS)).astimezone(scope().zone).date().isoformat(),
        "expires_from": present().astimezone(scope().zone).date().isoformat(),
        "states": count_states(scope(), wanted, actor(), present()),
    }


def _tasks(values: dict[str, Any]) -> list[dict[str, str]]:
    """What waits for this person: (icon, sentence, note, address, button)."""
    tasks = []
    states = values.get("states", {})
    if states and states["arrears"].number and actor().may("op.pay_arrears"):
        tasks.append(
            {
                "icon": "receipt-refund",
                "text": ngettext(
                    "%(count)s subscriber in arrears",
                    "%(count)s subscribers in arrears",
                    states["arrears"].number,
                    count=f"{states['arrears'].number:,}",
                ),
                "note": _("Take their payments, or cancel what was not meant."),
                "url": url_for("admin.list_accounts", state="arrears"),
                "button": _("See them"),
            }
        )
    if states and states["expired"].number:
        tasks.append(
            {
                "icon": "calendar-x",
                "text": ngettext(
                    "%(count)s subscriber has expired",
                    "%(count)s subscribers have expired",
                    states["expired"].number,
                    count=f"{states['expired'].number:,}",
                ),
                "note": _("Those who still want to stay need a reminder or a renewal."),
                "url": url_for("admin.list_accounts", state="expired", sort="-expires"),
                "button": _("See them"),
            }
        )
    for router in values.get("routers", ()):
        health = router.health(present())
        if health == "good" or len(tasks) >= 5:
            continue
        waiting = health == "waiting"
        tasks.append(
            {
                "icon": "router" if waiting else "router-off",
                "text": _("%(name)s waits for its first packet", name=router.name)
                if waiting
                else _("%(name)s is silent", name=router.name),
                "note": _("Paste the script into it.")
                if waiting
                else _("%(num)s sessions at its last report", num=router.sessions),
                "url": url_for("admin.onboard_router", nas_id=router.id),
                "button": _("Connect it") if waiting else _("Look"),
            }
        )
    tasks += _certificate_tasks(values.get("routers", ()))
    limit = values["facts"].max_accounts
    used = values["facts"].accounts.number
    if limit and used > limit * 0.9:
        tasks.append(
            {
                "icon": "gauge",
                "text": _("%(used)s of %(most)s subscribers used", used=used, most=limit),
                "note": _("No account can be opened beyond the limit of your tier."),
                "url": "",
                "button": "",
            }
        )
    return tasks


def _certificate_tasks(routers: Collection[Router]) -> list[dict[str, str]]:
    """Certificates that end soon, or have ended, and that nobody but people can replace (RAD-1, RAD-2)."""
    found = []
    names = {router.id: router.name for router in routers}
    heard = {router.id: router.last_packet_at for router in routers}
    for nas_id, ending in radsec_endings(scope(), heard, now=present()).items():
        day = _local_day(ending.expires_at)
        over = ending.is_over(present())
        text = (
            _("The RadSec certificate of %(name)s expired on %(day)s", name=names[nas_id], day=day)
            if over
            else _("The RadSec certificate of %(name)s ends on %(day)s", name=names[nas_id], day=day)
        )
        issue = _("Issue another one and put it into the router.")
        note = _("Put the new one into the router.") if ending.next_at else issue
        found.append(_certificate_task(text, note, url_for("admin.show_router_radsec", nas_id=nas_id)))
    for end in certificate_ends(scope(), now=present()) if actor().may("settings.view") else ():
        day = _local_day(end.expires_at)
        text = (
            _("The authority of your PEAP and TTLS logins ends on %(day)s", day=day)
            if end.what == "authority"
            else _("The certificate of your PEAP and TTLS logins ends on %(day)s", day=day)
        )
        note = _("From then on devices refuse to log in.")
        found.append(_certificate_task(text, note, url_for("admin.show_eap_certificates")))
    return found


def _certificate_task(text: str, note: str, url: str) -> dict[str, str]:
    return {"icon": "certificate", "text": text, "note": note, "url": url, "button": _("Look")}


def _local_day(at: datetime) -> str:
    return at.astimezone(scope().zone).date().isoformat()
