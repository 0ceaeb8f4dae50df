"""All tenants: search, state, tier, cell, how much each holds (TEN-5)."""

from flask import render_template

from portals.platform.blueprint import blueprint, database
from portals.platform.words import tenant_state, tier_name
from portals.shared.access import signed_in
from portals.shared.i18n import current_language, lazy
from portals.shared.lists import Column, ListView, StateTab
from tenants.reports.queries_platform import count_tenants, list_tiers
from tenants.reports.queries_platform import list_tenants as read_tenants

COLUMNS = (
    Column("name", lazy("Tenant"), sort="name", phone="title", fixed=True),
    Column("slug", lazy("Address"), mono=True),
    Column("state", lazy("State"), phone="right"),
    Column("tier", lazy("Tier")),
    Column("cell", lazy("Cell"), mono=True),
    Column("accounts", lazy("Accounts / limit"), phone="plain", phone_label=lazy("Accounts")),
    Column("online", lazy("Online"), number=True, phone="plain", phone_label=lazy("Online")),
    Column("routers", lazy("Routers"), number=True),
    Column("created", lazy("Made"), sort="created"),
    Column("email", lazy("E-mail"), shown=False),
    Column("version", lazy("Schema"), mono=True, shown=False),
)


@blueprint.get("/tenants/")
@signed_in
def list_tenants() -> str:
    """One page; everything that narrows it stands in the address."""
    view = ListView.from_request("tenants", COLUMNS, sorts=("name", "created"), filters=("tier", "cell"))
    tiers = [(code, en if current_language() == "en" else zh) for code, en, zh in list_tiers(database())]
    counts = count_tenants(database())
    view.tabs = [
        StateTab("", lazy("All"), sum(counts.values())),
        StateTab("active", tenant_state("active")[1], counts.get("active", 0), "normal"),
        StateTab("suspended", tenant_state("suspended")[1], counts.get("suspended", 0), "expired"),
    ]
    view.chip("tier", str(lazy("Tier")), dict(tiers).get(view.filter("tier"), view.filter("tier")))
    view.chip("cell", str(lazy("Cell")), view.filter("cell"))
    page = read_tenants(
        database(),
        text=view.text,
        state=view.state,
        tier=view.filter("tier"),
        cell=view.filter("cell"),
        sort=view.sort,
        cursor=view.cursor,
        size=view.size,
    )
    return render_template(
        "platform/tenants.html",
        view=view,
        page=page,
        tiers=tiers,
        cells=[(name, name) for name in database().cells],
        tenant_state=tenant_state,
        tier_name=tier_name,
    )
