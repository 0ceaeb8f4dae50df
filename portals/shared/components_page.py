"""Every component alone, to look at and for the accessibility tests; served only in debug and demo installations."""

from dataclasses import dataclass
from decimal import Decimal

from flask import Blueprint, abort, render_template, request

from infra.keyset import Page, Total
from portals.shared.access import public
from portals.shared.forms import Form
from portals.shared.frame import Frame, Giver, NavChild, NavEntry, NearMatch
from portals.shared.i18n import _, lazy
from portals.shared.lists import Column, ListView, StateTab
from portals.shared.toasts import ToastAction, toast

blueprint = Blueprint("components", __name__)
_STATES = ("normal", "expiring", "expired", "held", "disabled", "arrears", "not_activated", "closed")
_COLUMNS = (
    Column("username", lazy("User name"), sort="username", mono=True, phone="title", fixed=True),
    Column("state", lazy("State"), phone="right"),
    Column("plan", lazy("Plan"), phone="plain"),
    Column("balance", lazy("Balance (¥)"), number=True, sort="balance", phone="plain"),
    Column("remark", lazy("Remark"), shown=False),
)
_PAGES = ("", "panel", "empty", "403", "404", "500", "toast")


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    username: str
    state: str
    plan: str
    balance: Decimal
    remark: str = ""

    def __getitem__(self, name: str) -> object:
        return getattr(self, name)


@blueprint.get("/_components")
@public
def show_components() -> str | tuple[str, int]:
    """All components; ``?show=`` panel, empty, 403, 404, 500, toast shows them in place."""
    show = request.args.get("show", "")
    if show not in _PAGES:
        abort(404)
    if show == "500":
        raise RuntimeError("an error on purpose")
    if show == "toast":
        toast(
            _("Renewed for ¥%(sum)s, valid until %(until)s.", sum="130.00", until="2027-02-24 11:43"),
            ToastAction(_("Receipt"), "#", "printer"),
            ToastAction(_("Undo"), "#", post=True),
        )
    form = Form({"phone": "1382388512", "quantity": "2", "pay": "cash", "plan": "2"}, {"phone": _("Phone")})
    form.fail("phone", _("A mobile number has 11 digits, this has 10."))
    rows = [_Row(i, f"sz2840{i}", state, "100M", Decimal(i * 20 - 60)) for i, state in enumerate(_STATES, 1)]
    view = ListView.from_request("components", _COLUMNS, sorts=("username", "balance"), filters=("region",))
    view.tabs = [StateTab("", _("All"), 312), StateTab("expiring", _("Expiring"), 7, "expiring")]
    view.chip("region", _("Region"), view.filter("region"))
    page: Page[_Row] = Page(tuple(rows), next="nxyz", total=Total(10_000, exact=False))
    return render_template(
        "components/page.html",
        show=show,
        form=form,
        view=view,
        page=page,
        states=_STATES,
        frame=_frame(),
        givers=[Giver("王海", _("Administrator"), "138 0271 5540")],
        near=[NearMatch("sz28403", "#", "28-403", "expiring")],
    )


def _frame() -> Frame:
    children = [NavChild(lazy("All"), "components.show_components")]
    entry = "components.show_components"
    return Frame(
        brand="Broadloom",
        home_url="/",
        nav=[
            NavEntry("home", lazy("Components"), "home", entry, "h"),
            NavEntry("users", lazy("Subscribers"), "users", entry, "u", children=children),
        ],
        foot=[NavEntry("settings", lazy("Settings"), "settings", entry, "s")],
        search_url="/_components",
        search_hint=_("Name, phone, MAC, IP"),
        person="李敏",
        person_note=_("Cashier"),
        bell_url="#",
        bell_count=2,
    )
