"""What the operation log's codes are called, and its changes in one line."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from portals.shared.formats import local
from portals.shared.i18n import _, lazy

ACTIONS: dict[str, Any] = {
    "account.open": lazy("Opened an account"),
    "account.buy": lazy("Renewed"),
    "account.change-plan": lazy("Changed the plan"),
    "account.manual": lazy("Changed by hand"),
    "account.top-up": lazy("Topped up"),
    "account.move": lazy("Moved"),
    "account.refund": lazy("Refunded"),
    "account.close": lazy("Closed an account"),
    "account.hold": lazy("Put on hold"),
    "account.resume": lazy("Resumed"),
    "account.pay-arrears": lazy("Took the payment of arrears"),
    "account.cancel-arrears": lazy("Cancelled arrears"),
    "account.reverse": lazy("Undid an order"),
    "account.add-pack": lazy("Sold a pack"),
    "account.disable": lazy("Disabled an account"),
    "account.enable": lazy("Enabled an account"),
    "account.never-expires": lazy("Set an account never to expire"),
    "account.edit": lazy("Changed an account's details"),
    "customer.edit": lazy("Changed a customer's details"),
    "account.unbind": lazy("Unbound an account"),
    "account.bind": lazy("Learned a binding"),
    "account.reset_password": lazy("Set a subscriber's password"),
    "account.query_password": lazy("Looked at a subscriber's password"),
    "account.delete": lazy("Deleted an account"),
    "account.restore": lazy("Restored an account"),
    "account.release_name": lazy("Released a user name"),
    "account.activate": lazy("Activated by the first login"),
    "account.quota_warning": lazy("Told how far a quota is used"),
    "order.print": lazy("Printed a receipt"),
    "session.kick": lazy("Disconnected a session"),
    "nas.add": lazy("Added a router"),
    "nas.edit": lazy("Changed a router"),
    "nas.delete": lazy("Removed a router"),
    "nas.renew_secret": lazy("Gave a router a new secret"),
    "nas.reveal_secret": lazy("Looked at a router's secret"),
    "radsec.issue_certificate": lazy("Issued a router's RadSec certificate"),
    "radsec.issue_psk": lazy("Made a router's RadSec key"),
    "radsec.withdraw": lazy("Withdrew a RadSec certificate or key"),
    "certificate.renew": lazy("Renewed the EAP certificate"),
    "certificate.upload": lazy("Uploaded an EAP certificate"),
    "nas.clear_sessions": lazy("Cleared a router's sessions"),
    "nas.set_replies": lazy("Changed what a router is sent"),
    "dialect.add": lazy("Added a dialect"),
    "dialect.edit": lazy("Changed a dialect"),
    "dialect.delete": lazy("Deleted a dialect"),
    "domain.add": lazy("Named a domain"),
    "domain.verify": lazy("Proved a domain"),
    "domain.remove": lazy("Removed a domain"),
    "region.add": lazy("Added a region"),
    "region.edit": lazy("Changed a region"),
    "region.delete": lazy("Deleted a region"),
    "plan.add": lazy("Added a plan"),
    "plan.edit": lazy("Changed a plan"),
    "plan.delete": lazy("Stopped selling a plan"),
    "plan_group.add": lazy("Added a plan group"),
    "plan_group.edit": lazy("Changed a plan group"),
    "plan_group.delete": lazy("Deleted a plan group"),
    "rate_profile.add": lazy("Added a speed"),
    "rate_profile.edit": lazy("Changed a speed"),
    "settings.write": lazy("Changed settings"),
    "settings.edit": lazy("Changed settings"),
    "staff.add": lazy("Added an operator"),
    "staff.edit": lazy("Changed an operator"),
    "staff.change_password": lazy("Changed the own password"),
    "staff.log_in": lazy("Signed in"),
    "role.add": lazy("Added a role"),
    "role.edit": lazy("Changed a role"),
    "role.delete": lazy("Deleted a role"),
    "tenant.create": lazy("The provider was set up"),
    "tenant.suspend": lazy("The provider was suspended"),
    "tenant.resume": lazy("The provider was resumed"),
    "support.log_in": lazy("Support of the platform signed in"),
    "support.log_out": lazy("Support of the platform left"),
}
FAMILIES: dict[str, Any] = {
    "account": lazy("subscribers"),
    "session": lazy("sessions"),
    "nas": lazy("routers"),
    "region": lazy("regions"),
    "plan": lazy("plans"),
    "settings": lazy("settings"),
    "staff": lazy("operators"),
    "role": lazy("roles"),
    "support": lazy("support of the platform"),
}
LOGIN_RESULTS: dict[str, tuple[str, Any]] = {
    "ok": ("normal", lazy("signed in")),
    "wrong_password": ("expired", lazy("wrong password")),
    "unknown": ("expired", lazy("unknown user name")),
    "disabled": ("disabled", lazy("disabled")),
    "locked": ("expiring", lazy("locked for a while")),
}
_FIELDS: dict[str, Any] = {
    "order": lazy("Order"),
    "total": lazy("Total"),
    "method": lazy("Paid by"),
    "plan_id": lazy("Plan"),
    "expires_at": lazy("Expires"),
    "state": lazy("State"),
    "cut_off_at": lazy("Online until"),
    "region_id": lazy("Region"),
    "role_id": lazy("Role"),
    "username": lazy("User name"),
    "balance": lazy("Balance"),
    "receivable": lazy("Owing"),
    "price": lazy("Price"),
    "name": lazy("Name"),
    "phone": lazy("Phone"),
}
# How the business keeps count; of no use to a reader, and derivable from what is shown.
_INNER = frozenset(
    {
        "quota_epoch",
        "period_price",
        "period_quantity",
        "period_gift_seconds",
        "period_started_at",
        "first_due_at",
        "updated_at",
        "name_released_at",
    }
)
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LONGEST = 60
Names = Mapping[str, Mapping[Any, str]]


def changes_of(before: Any, after: Any, names: Names) -> list[tuple[str, str, str]]:
    """(what, old, new) of everything that differs, what people ask for first; ``names`` says what ids are called."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key) and key not in _INNER]
    keys.sort(key=lambda key: list(_FIELDS).index(key) if key in _FIELDS else len(_FIELDS))
    return [
        (
            str(_FIELDS.get(key, key.replace("_", " "))),
            _short(old.get(key), names.get(key, {})),
            _short(new.get(key), names.get(key, {})),
        )
        for key in keys
    ]


def _short(value: Any, names: Mapping[Any, str]) -> str:
    if value is None or value == "":
        return ""
    if isinstance(value, str | int) and value in names:
        return str(names[value])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    text = ", ".join(str(names.get(part, part)) for part in value) if isinstance(value, list) else str(value)
    if _INSTANT.match(text):
        return local(datetime.fromisoformat(text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
