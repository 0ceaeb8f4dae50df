"""The list of subscribers (SUB-1, SUB-5, SUB-6)."""

from collections.abc import Mapping
from dataclasses import replace

from flask import render_template, url_for

from portals.admin.blueprint import actor, as_number, blueprint, local_date, present, scope
from portals.admin.bulk_words import allowed_deeds
from portals.shared.access import requires
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView, StateTab
from portals.shared.tenancy import tenant_settings
from portals.shared.words import word
from tenants.subscribers import queries_list
from tenants.subscribers.queries_list import AccountFilter
from tenants.subscribers.queries_online import count_online
from tenants.subscribers.state_sql import STATES

COLUMNS = (
    Column("username", lazy("User name"), sort="username", phone="title", fixed=True),
    Column("name", lazy("Full name")),
    Column("state", lazy("Status"), phone="right", fixed=True),
    Column("plan", lazy("Plan"), phone="plain"),
    Column("expires", lazy("Expires"), sort="expires", phone="plain"),
    Column("left", lazy("Days left"), number=True),
    Column("balance", lazy("Balance"), sort="balance", money=True),
    Column("online", lazy("Online at")),
    Column("address", lazy("Address")),
    Column("phone", lazy("Phone")),
    Column("region", lazy("Region"), shown=False),
    Column("opened", lazy("Opened"), sort="opened", shown=False),
    Column("mac", lazy("Bound MAC"), shown=False, mono=True),
    Column("box", lazy("Box / OLT"), shown=False),
    Column("vlan", lazy("VLAN"), shown=False),
    Column("remark", lazy("Remark"), shown=False),
)
FILTERS = ("region", "group", "plan", "online", "opened_from", "opened_until", "expires_from", "expires_until")
STATE_WORDS = {
    "normal": lazy("Normal"),
    "expiring": lazy("Expiring"),
    "expired": lazy("Expired"),
    "held": lazy("On hold"),
    "disabled": lazy("Disabled"),
    "arrears": lazy("Arrears"),
    "not_activated": lazy("Not activated"),
    "closed": lazy("Closed"),
}


def wanted_accounts(view: ListView) -> AccountFilter:
    """What the address asks for, as the business understands it."""
    return wanted_of({"q": view.text, "state": view.state, **{name: view.filter(name) for name in FILTERS}})


def wanted_of(raw: Mapping[str, str]) -> AccountFilter:
    """The same from a list's own fields, as a bulk form sends them back."""
    return AccountFilter(
        text=raw["q"],
        state=raw["state"],
        region_id=as_number(raw["region"]),
        group_id=as_number(raw["group"]),
        plan_id=as_number(raw["plan"]),
        opened_from=local_date(raw["opened_from"]),
        opened_until=local_date(raw["opened_until"], end=True),
        expires_from=local_date(raw["expires_from"]),
        expires_until=local_date(raw["expires_until"], end=True),
        online={"yes": True, "no": False}.get(raw["online"]),
        expiring_days=tenant_settings().expiring_days,
    )


@blueprint.get("/accounts/")
@requires("accounts.view")
def list_accounts() -> str:
    """State tabs, search, chips, a page of accounts."""
    view = ListView.from_request("accounts", COLUMNS, sorts=queries_list.SORTS, filters=FILTERS)
    wanted = wanted_accounts(view)
    page = queries_list.list_accounts(
        scope(), wanted, actor(), present(), sort=view.sort, cursor=view.cursor, size=view.size
    )
    counts = queries_list.count_states(scope(), replace(wanted, state=""), actor(), present())
    choices = queries_list.list_choices(scope(), actor())
    view.tabs = [StateTab("", _("All"), counts[""].number)] + [
        StateTab(state, word(STATE_WORDS, state), counts[state].number, state) for state in STATES
    ]
    _chips(view, choices)
    return render_template(
        "admin/accounts.html",
        view=view,
        page=page,
        counts=counts,
        choices=choices,
        online=count_online(scope(), actor()),
        open_url=url_for("admin.open_account_page"),
        deeds=allowed_deeds(actor()),
        export_url=view.elsewhere(url_for("admin.export_accounts_page")) if actor().may("accounts.export") else "",
    )


def _chips(view: ListView, choices: dict[str, list[queries_list.Choice]]) -> None:
    for name, label, kind in (
        ("region", _("Region"), "regions"),
        ("group", _("Group"), "groups"),
        ("plan", _("Plan"), "plans"),
    ):
        names = {str(choice.id): choice.name for choice in choices[kind]}
        view.chip(name, label, names.get(view.filter(name), "?"))
    view.chip("online", _("Online"), _("yes") if view.filter("online") == "yes" else _("no"))
    for name, label in (
        ("opened_from", _("Opened from")),
        ("opened_until", _("Opened until")),
        ("expires_from", _("Expires from")),
        ("expires_until", _("Expires until")),
    ):
        view.chip(name, label, view.filter(name))
