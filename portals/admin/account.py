"""The page of one subscriber: head, what can be done, why he cannot log in, and its tabs (SUB-10, looks.md)."""

from datetime import datetime
from typing import Any

from flask import render_template, url_for

from portals.admin.account_timeline import timeline_items
from portals.admin.blueprint import actor, blueprint, local_date, present, scope
from portals.admin.operations_table import OPERATIONS
from portals.shared.access import requires
from portals.shared.formats import octets
from portals.shared.i18n import _
from portals.shared.lists import ListView
from portals.shared.tenancy import tenant_settings
from portals.shared.words import refusal
from tenants.access.explain import explain
from tenants.billing.errors import AccountClosed
from tenants.billing.queries_orders import orders_of_account
from tenants.kernel.errors import NotFound
from tenants.subscribers import queries_detail, queries_online
from tenants.subscribers.queries_detail import AccountDetail
from tenants.subscribers.queries_history import HistoryFilter, list_history
from tenants.subscribers.queries_locked import list_locked
from tenants.subscribers.queries_own import own_quota
from tenants.usage.queries_refused import list_refused
from tenants.usage.queries_routers import router_names

GIGABYTE = 1024**3
# The likeliest operations by state, first the likeliest; what the person may not do is left out (looks.md).
LIKELIEST: dict[str, tuple[str, ...]] = {
    "normal": ("change-plan", "renew", "hold", "top-up"),
    "expiring": ("renew", "change-plan", "hold"),
    "expired": ("renew", "top-up", "close", "disable"),
    "held": ("resume", "refund", "close"),
    "disabled": ("enable", "refund", "close"),
    "arrears": ("pay-arrears", "cancel-arrears", "top-up"),
    "not_activated": ("renew", "change-plan", "disable", "refund"),
    "closed": (),
}
# What takes away the reason why he cannot log in.
REMEDIES = {
    "expired": "renew",
    "disabled": "enable",
    "held": "resume",
    "arrears": "pay-arrears",
    "quota": "add-pack",
}
UNBIND = "op.unbind"


def read_account(account_id: int) -> AccountDetail:
    """The account, or 404 also for one of another region that the person may not see."""
    return queries_detail.account_detail(
        scope(), account_id, actor(), present(), expiring_days=tenant_settings().expiring_days
    )


def allowed_operations(account: AccountDetail) -> list[str]:
    """Names of the operations that make sense in this state and that the person may do, the likeliest first."""
    if account.deleted_at is not None:
        return []
    order = [*LIKELIEST[account.state], *OPERATIONS]
    names = dict.fromkeys(name for name in order if name in OPERATIONS)
    return [n for n in names if actor().may(OPERATIONS[n].right) and OPERATIONS[n].fits(account.state)]


def head_values(account: AccountDetail, tab: str) -> dict[str, Any]:
    """What every tab of the page shows above itself."""
    sessions = queries_online.sessions_of_account(
        scope(), account.id, present(), interim_seconds=tenant_settings().interim_seconds
    )
    names = allowed_operations(account)
    links = [
        (str(OPERATIONS[n].title), OPERATIONS[n].icon, url_for("admin.operation", account_id=account.id, name=n), True)
        for n in names
    ]
    if sessions and actor().may("online.kick"):
        kick = (_("Disconnect"), "plug-x", url_for("admin.kick_account", account_id=account.id), True)
        links.insert(min(2, len(links)), kick)
    return {
        "account": account,
        "sessions": sessions,
        "quota": None if account.state == "closed" else own_quota(scope(), account.id, present()),
        "routers": router_names(scope()),
        "actions": links[:3],
        "more": links[3:] + _side_links(account),
        "tab": tab,
    }


def _side_links(account: AccountDetail) -> list[tuple[str, str, str, bool]]:
    links = []
    if actor().may("accounts.edit") and account.state != "closed":
        links.append(
            (_("Edit the details"), "pencil", url_for("admin.edit_account_page", account_id=account.id), False)
        )
    if actor().may("op.reset_password") and account.state != "closed":
        links.append((_("Set a new password"), "key", url_for("admin.reset_secret", account_id=account.id), True))
    if actor().may("op.query_password"):
        links.append((_("Show the password"), "eye", url_for("admin.query_secret", account_id=account.id), True))
    if actor().may("accounts.test_login") and account.deleted_at is None:
        links.append((_("Test the login"), "login-2", url_for("admin.test_login_page", account_id=account.id), True))
    if actor().may("packets.watch") and account.deleted_at is None:
        links.append((_("Watch packets"), "activity", url_for("admin.begin_watch", account=account.id), True))
    if actor().may("accounts.delete") and account.deleted_at is None:
        links.append((_("Delete"), "trash", url_for("admin.delete_account_page", account_id=account.id), True))
    return links


@blueprint.get("/accounts/<int:account_id>/")
@requires("accounts.view")
def show_account(account_id: int) -> str:
    """Overview: usage, latest orders, details, timeline."""
    account = read_account(account_id)
    today = present().astimezone(scope().zone).date()
    days = queries_detail.usage_by_day(scope(), account_id, today)
    entries = queries_detail.timeline(scope(), account_id, account.username, limit=6)
    values = head_values(account, "overview")
    return render_template(
        "admin/account.html",
        **values,
        why=why_sentence(account, online=bool(values["sessions"])),
        locked=list_locked(scope(), actor(), present(), account_id=account_id),
        days=days,
        usage_chart=usage_chart(days),
        usage_rows=[(d.day.strftime("%m-%d"), octets(d.octets_out), octets(d.octets_in)) for d in days],
        down=sum(d.octets_out for d in days),
        up=sum(d.octets_in for d in days),
        orders=orders_of_account(scope(), account_id, 5),
        happenings=timeline_items(entries, values["routers"]),
    )


@blueprint.get("/accounts/<int:account_id>/timeline")
@requires("accounts.view")
def show_account_timeline(account_id: int) -> str:
    """Everything that ever happened, newest first."""
    account = read_account(account_id)
    view = ListView.from_request("timeline", ())
    before = _instant(view.cursor)
    entries = queries_detail.timeline(scope(), account_id, account.username, before=before, limit=view.size)
    values = head_values(account, "timeline")
    older = entries[-1].at.isoformat() if len(entries) == view.size else ""
    return render_template(
        "admin/account_timeline.html",
        **values,
        view=view,
        older=older,
        happenings=timeline_items(entries, values["routers"]),
    )


@blueprint.get("/accounts/<int:account_id>/orders")
@requires("accounts.view")
def show_account_orders(account_id: int) -> str:
    """All orders with their lines: each amount can be checked by a plain reader."""
    account = read_account(account_id)
    return render_template(
        "admin/account_orders.html",
        **head_values(account, "orders"),
        orders=orders_of_account(scope(), account_id, 200),
    )


@blueprint.get("/accounts/<int:account_id>/sessions")
@requires("accounts.view")
def show_account_sessions(account_id: int) -> str:
    """Open and past sessions, usage of the last month per day."""
    account = read_account(account_id)
    view = ListView.from_request("account_sessions", (), filters=("since", "until"))
    today = present().astimezone(scope().zone).date()
    days = queries_detail.usage_by_day(scope(), account_id, today, 31)
    wanted = HistoryFilter(
        account_id, since=local_date(view.filter("since")), until=local_date(view.filter("until"), end=True)
    )
    page = list_history(scope(), wanted, actor(), cursor=view.cursor, size=view.size)
    return render_template(
        "admin/account_sessions.html",
        **head_values(account, "sessions"),
        view=view,
        page=page,
        days=days,
        usage_chart=usage_chart(days),
        usage_rows=[(d.day.isoformat(), octets(d.octets_out), octets(d.octets_in)) for d in reversed(days)],
        down=sum(d.octets_out for d in days),
        up=sum(d.octets_in for d in days),
    )


@blueprint.get("/accounts/<int:account_id>/devices")
@requires("accounts.view")
def show_account_devices(account_id: int) -> str:
    """Bindings and limits, and the refused logins that they caused."""
    account = read_account(account_id)
    since = local_date("2000-01-01")
    refused = list_refused(scope(), since=since or present(), account=(account.id, account.username), size=20)
    return render_template("admin/account_devices.html", **head_values(account, "devices"), refused=refused.rows)


def usage_chart(days: tuple[queries_detail.DayUsage, ...]) -> dict[str, Any]:
    """Octets per day as stacked bars, in GB."""
    return {
        "legend": {},
        "xAxis": {"type": "category", "data": [d.day.strftime("%m-%d") for d in days]},
        "yAxis": {"type": "value", "axisLabel": {"formatter": "{value} GB"}, "splitNumber": 3},
        "series": [
            {
                "name": _("Down"),
                "type": "bar",
                "stack": "a",
                "barWidth": "52%",
                "data": [round(d.octets_out / GIGABYTE, 2) for d in days],
            },
            {
                "name": _("Up"),
                "type": "bar",
                "stack": "a",
                "data": [round(d.octets_in / GIGABYTE, 2) for d in days],
            },
        ],
    }


def why_sentence(account: AccountDetail, *, online: bool) -> dict[str, Any]:
    """ "Why can't he log in?": fact, cause and remedy, with the button that does the remedy."""
    found = explain(scope(), account.id, present())
    code = found.reason.code if found.reason is not None else ""
    name = REMEDIES.get(code, "")
    action = None
    if name in OPERATIONS and actor().may(OPERATIONS[name].right) and OPERATIONS[name].fits(account.state):
        action = (str(OPERATIONS[name].title), url_for("admin.operation", account_id=account.id, name=name), True)
    last = found.last_refusal
    if action is None and last is not None and last.code == "binding" and not last.ended and actor().may(UNBIND):
        action = (_("Unbind"), url_for("admin.unbind_account", account_id=account.id), True)
    return {
        "may": found.may_connect,
        "online": online,
        "words": None if found.reason is None else refusal(code),
        "last": last,
        "last_words": None if last is None else refusal(last.code),
        "action": action,
    }


def _instant(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def require_open(account: AccountDetail) -> None:
    """A closed or deleted account is read-only: what is left are its records."""
    if account.deleted_at is not None:
        raise NotFound(what="account", ref=account.username)
    if account.state == "closed":
        raise AccountClosed(account=account.username)
