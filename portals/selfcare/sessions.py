"""When the own account was online, with how much (SLF-4, RAD-8)."""

from flask import render_template, request

from portals.selfcare.blueprint import account_id, actor, blueprint, present, scope, today
from portals.shared.access import signed_in
from portals.shared.tenancy import tenant_settings
from portals.shared.words import CAUSES, word
from tenants.subscribers.queries_detail import usage_by_day
from tenants.subscribers.queries_history import HistoryFilter, list_history
from tenants.subscribers.queries_online import sessions_of_account

_MONTH_DAYS = 30


@blueprint.get("/sessions/")
@signed_in
def list_sessions() -> str:
    """What is open now, the sums of the last days, and the sessions that ended, newest first."""
    mine = account_id()
    days = usage_by_day(scope(), mine, today(), _MONTH_DAYS)
    return render_template(
        "selfcare/sessions.html",
        online=sessions_of_account(scope(), mine, present(), interim_seconds=tenant_settings().interim_seconds),
        page=list_history(
            scope(), HistoryFilter(account_id=mine), actor(), cursor=request.args.get("cursor", "")[:500], size=20
        ),
        down=sum(day.octets_out for day in days),
        up=sum(day.octets_in for day in days),
        seconds=sum(day.seconds for day in days),
        days=_MONTH_DAYS,
        cause=lambda code: word(CAUSES, code),
    )
