"""A subscriber's happenings in plain words (SUB-10)."""

from portals.shared.formats import duration, octets, when
from portals.shared.i18n import _, lazy
from portals.shared.words import CAUSES, refusal, word
from tenants.subscribers.queries_detail import Happening

_ACTIONS = {
    "account.open": ("user-plus", lazy("Account opened")),
    "account.create": ("user-plus", lazy("Account created")),
    "account.edit": ("pencil", lazy("Details changed")),
    "customer.edit": ("pencil", lazy("Details changed")),
    "account.buy": ("receipt", lazy("Renewed")),
    "account.renew": ("receipt", lazy("Renewed")),
    "account.change_plan": ("switch-horizontal", lazy("Plan changed")),
    "account.manual": ("pencil", lazy("Changed by hand")),
    "account.top_up": ("wallet", lazy("Balance topped up")),
    "account.move": ("map-pin", lazy("Moved")),
    "account.refund": ("receipt-refund", lazy("Refunded")),
    "account.close": ("user-off", lazy("Closed")),
    "account.hold": ("player-pause", lazy("Put on hold")),
    "account.resume": ("player-play", lazy("Resumed")),
    "account.pay_arrears": ("cash", lazy("Arrears paid")),
    "account.cancel_arrears": ("receipt-off", lazy("Arrears cancelled")),
    "account.reverse": ("arrow-back-up", lazy("Order reversed")),
    "account.add_pack": ("packages", lazy("Pack added")),
    "account.disable": ("ban", lazy("Disabled")),
    "account.enable": ("check", lazy("Enabled")),
    "account.never_expires": ("calendar", lazy("Set to never expire")),
    "account.activate": ("clock-play", lazy("Activated by the first login")),
    "account.quota_warning": ("gauge", lazy("Quota warning")),
    "account.reset_password": ("key", lazy("New password set")),
    "account.query_password": ("eye", lazy("Password looked up")),
    "account.test_login": ("login-2", lazy("Login tested")),
    "packets.watch": ("activity", lazy("Packets watched")),
    "account.unlock": ("lock-x", lazy("Lock-out ended by staff")),
    "account.unbind": ("link-off", lazy("Unbound")),
    "account.bind": ("link", lazy("Bound")),
    "account.address_not_taken": ("link-off", lazy("Address not taken for the fixed one")),
    "account.delete": ("trash", lazy("Deleted")),
    "account.restore": ("restore", lazy("Restored")),
    "session.kick": ("plug-x", lazy("Disconnected by staff")),
}


def timeline_items(entries: tuple[Happening, ...], routers: dict[int, str]) -> list[tuple[object, str, str, str]]:
    """(time, icon, title, note) of each happening."""
    return [(when(entry.at, short=True), *_item(entry, routers)) for entry in entries]


def _item(entry: Happening, routers: dict[int, str]) -> tuple[str, str, str]:
    detail = entry.detail
    if entry.kind == "refused":
        title = _("Refused: %(reason)s", reason=refusal(entry.what).word)
        if int(detail["repeats"]) > 1:
            title = f"{title} × {detail['repeats']}"
        where = routers.get(detail["nas_id"] or 0, detail["nas"])
        return "lock-x", title, " · ".join(part for part in (where, detail["written"]) if part)
    if entry.kind == "session":
        note = " · ".join(
            part
            for part in (
                _("online for %(span)s", span=duration(detail["seconds"])),
                f"↓ {octets(detail['octets_out'])} ↑ {octets(detail['octets_in'])}",
                detail["framed_ip"],
                routers.get(detail["nas_id"], ""),
            )
            if part
        )
        return "logout-2", _("Offline: %(cause)s", cause=word(CAUSES, int(entry.what))), note
    icon_name, title = _ACTIONS.get(
        entry.what.replace("-", "_"), ("history", entry.what.partition(".")[2].replace("_", " ").capitalize())
    )
    note = " · ".join(part for part in (entry.who, str(detail.get("reason") or "")) if part)
    return icon_name, str(title), note
