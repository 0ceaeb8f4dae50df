"""The staff's portal as the application mounts it: beneath each tenant's address, at ``/admin``."""

from collections.abc import Sequence

from flask import g, request, url_for

from portals.admin import (  # noqa: F401  (each module hangs its routes on the blueprint)
    account,
    account_delete,
    account_edit,
    account_open,
    account_secrets,
    account_test_login,
    accounts,
    bulk,
    counters,
    dialects,
    domains,
    eap_certificates,
    exports,
    home,
    locked_out,
    login,
    logs,
    money,
    online,
    online_history,
    online_session,
    operations,
    own_password,
    packet_watch,
    plan_groups,
    plan_hours,
    plans,
    pools,
    promotions,
    rates,
    receipts,
    refused,
    regions,
    roles,
    router_certificates,
    router_onboarding,
    router_replies,
    routers,
    search,
    settings,
    staff,
    tasks,
    usage_export,
)
from portals.admin.blueprint import blueprint, scope
from portals.admin.view_memory import OperatorViews
from portals.shared.frame import Frame, Giver, NavChild, NavEntry, NearMatch, Portal, visible
from portals.shared.i18n import _, lazy
from portals.shared.login import Login, Visitor, here
from portals.shared.tenancy import tenant_accent, tenant_brand, tenant_idle_seconds, tenant_settings
from tenants.reports.queries_search import search_everything
from tenants.staff.actor import signed_in
from tenants.staff.permissions import LABELS
from tenants.staff.queries_staff import who_can_give
from tenants.tasks.queries_tasks import unseen_tasks

NAV = (
    NavEntry("home", lazy("Home"), "home", "admin.home", "h"),
    NavEntry(
        "accounts",
        lazy("Subscribers"),
        "users",
        "admin.list_accounts",
        "u",
        "accounts.view",
        (
            NavChild(lazy("All subscribers"), "admin.list_accounts", "accounts.view"),
            NavChild(lazy("Open an account"), "admin.open_account_page", "accounts.open"),
            NavChild(lazy("Deleted accounts"), "admin.list_deleted", "accounts.delete"),
        ),
    ),
    NavEntry(
        "online",
        lazy("Online"),
        "activity",
        "admin.list_online",
        "o",
        "online.view",
        (
            NavChild(lazy("Online now"), "admin.list_online", "online.view"),
            NavChild(lazy("Past sessions"), "admin.list_history_page", "online.view"),
            NavChild(lazy("Refused logins"), "admin.list_refused_page", "refused.view"),
            NavChild(lazy("Locked out"), "admin.list_locked_out", "refused.view"),
            NavChild(lazy("Packet counters"), "admin.show_counters", "counters.view"),
            NavChild(lazy("Watch packets"), "admin.begin_watch", "packets.watch"),
        ),
    ),
    NavEntry(
        "money",
        lazy("Orders & money"),
        "receipt",
        "admin.list_fees",
        "m",
        "money.view",
        (
            NavChild(lazy("Fee records"), "admin.list_fees", "money.view"),
            NavChild(lazy("Orders"), "admin.list_orders", "orders.view"),
            NavChild(lazy("Settlements"), "admin.list_settlements", "money.view"),
        ),
    ),
    NavEntry("plans", lazy("Plans"), "packages", "admin.list_plans", "p", "plans.view"),
    NavEntry(
        "network",
        lazy("Network"),
        "router",
        "admin.list_routers",
        "n",
        "nas.view",
        (
            NavChild(lazy("Routers"), "admin.list_routers", "nas.view"),
            NavChild(lazy("Regions"), "admin.list_regions_page", "regions.view"),
            NavChild(lazy("Address pools"), "admin.list_pools_page", "pools.view"),
            NavChild(lazy("Speeds"), "admin.list_rates_page", "plans.view"),
            NavChild(lazy("Dialects"), "admin.list_dialects_page", "nas.view"),
            NavChild(lazy("Certificates"), "admin.show_eap_certificates", "settings.view"),
        ),
    ),
)
FOOT = (
    NavEntry(
        "settings",
        lazy("Settings"),
        "settings",
        "admin.edit_settings",
        "s",
        "settings.view",
        (
            NavChild(lazy("Provider"), "admin.edit_settings", "settings.view"),
            NavChild(lazy("Own domains"), "admin.list_domains_page", "settings.view"),
            NavChild(lazy("Operators"), "admin.list_operators_page", "staff.view"),
            NavChild(lazy("Roles"), "admin.list_roles_page", "staff.view"),
            NavChild(lazy("Operation log"), "admin.list_log", "logs.view"),
            NavChild(lazy("Login log"), "admin.list_login_log", "logs.logins"),
        ),
    ),
)


def load(login_: Login) -> Visitor | None:
    """The operator of a remembered login; None when disabled, or signed in elsewhere since (STF-4)."""
    found = signed_in(scope(), login_.id, login_.epoch, address=request.remote_addr or "")
    if found is None:
        return None
    g.view_memory = OperatorViews(scope(), login_.id, found.views)
    return Visitor(
        login_.id, found.name or found.username, found.actor, found.role_name, found.must_change_password, found
    )


def frame() -> Frame:
    """Menu, search and person of this request."""
    person = here()
    return Frame(
        brand=tenant_brand(),
        title=tenant_settings().page_title,
        nav=visible(NAV, person.may),
        foot=visible(FOOT, person.may),
        home_url=url_for("admin.home"),
        search_url=url_for("admin.search"),
        search_hint=_("Name, phone, MAC, IP, order"),
        person=person.name,
        person_note=person.note,
        person_links=[(_("Change my password"), url_for("admin.change_own_password"), "key")],
        logout_url=url_for("admin.log_out"),
        bell_url=url_for("admin.list_tasks") if person.actor.kind == "operator" else "",
        bell_count=unseen_tasks(scope(), person.actor.id or 0) if person.actor.kind == "operator" else 0,
        accent=tenant_accent(),
    )


def right_label(right: str) -> str:
    """What a right is called on screens."""
    return _(LABELS[right]) if right in LABELS else right


def givers(_right: str) -> Sequence[Giver]:
    """Who can give a missing right."""
    return [Giver(name, role, phone) for name, role, phone in who_can_give(scope())]


def near_matches(path: str) -> Sequence[NearMatch]:
    """What the last part of an unknown address might have meant."""
    text = path.rstrip("/").rpartition("/")[2]
    if len(text) < 3 or not here().may("accounts.view"):
        return ()
    found = search_everything(scope(), text, here().actor, g.now)
    return [
        NearMatch(row.username, url_for("admin.show_account", account_id=row.id), row.name, row.state)
        for row in found.accounts[:5]
    ]


PORTAL = Portal(
    blueprint=blueprint,
    space="tenant",
    url_prefix="/admin",
    realm="operator",
    load=load,
    login_endpoint="admin.log_in",
    home_endpoint="admin.home",
    frame=frame,
    right_label=right_label,
    givers=givers,
    near_matches=near_matches,
    more={"change_password_endpoint": "admin.change_own_password", "idle_seconds": tenant_idle_seconds},
)
