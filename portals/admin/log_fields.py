"""What the operation log calls the fields that were changed, and how it shows their values."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from portals.shared.formats import duration, local, octets, rate
from portals.shared.i18n import _, lazy
from portals.shared.words import LOGIN_METHODS, PLAN_KINDS, POOL_KINDS, REFUSALS, VENDORS
from tenants.registry.settings import CATALOGUE

Names = Mapping[str, Mapping[Any, str]]

# In the order in which people ask for them.
_FIELDS: dict[str, Any] = {
    "order": lazy("Order"),
    "total": lazy("Total"),
    "method": lazy("Paid by"),
    "plan_id": lazy("Plan"),
    "plan": lazy("Plan"),
    "expires_at": lazy("Expires"),
    "state": lazy("State"),
    "cut_off_at": lazy("Online until"),
    "region_id": lazy("Region"),
    "region_ids": lazy("Regions"),
    "role_id": lazy("Role"),
    "role": lazy("Role"),
    "username": lazy("User name"),
    "balance": lazy("Balance"),
    "receivable": lazy("Owing"),
    "price": lazy("Price"),
    "name": lazy("Name"),
    "phone": lazy("Phone"),
    "email": lazy("E-mail"),
    # offers
    "gift_kind": lazy("What is given"),
    "gift_value": lazy("How much"),
    "minimum_quantity": lazy("From a quantity of"),
    "first_purchase_only": lazy("For the first purchase of an account only"),
    "starts_at": lazy("First day"),
    "ends_at": lazy("Until"),
    # plans and groups
    "group_id": lazy("Plan group"),
    "kind": lazy("Kind"),
    "max_sessions": lazy("Sessions at once"),
    "concurrency": lazy("One session too many"),
    "usage": lazy("Sold for"),
    "visible": lazy("Shown in self-service"),
    "sort": lazy("Place in lists"),
    "quota_octets": lazy("Traffic"),
    "quota_seconds": lazy("Hours"),
    "validity_days": lazy("Valid for days"),
    "quota_end": lazy("At the end of the quota"),
    "up_bps": lazy("Speed up"),
    "down_bps": lazy("Speed down"),
    "pool": lazy("Address pool"),
    "pool_kind": lazy("For whom"),
    "ipv6_pool": lazy("IPv6 pool"),
    "dns1": lazy("DNS server"),
    "dns2": lazy("Second DNS server"),
    # subscribers
    "activated_at": lazy("Activated by the first login"),
    "address": lazy("Address"),
    "building": lazy("Building"),
    "room": lazy("Room"),
    "customer_remark": lazy("Remark on the customer"),
    "attribute": lazy("Kind of customer"),
    "access_type": lazy("Access"),
    "box": lazy("Box / OLT"),
    "port": lazy("Port"),
    "vlan": lazy("VLAN"),
    "remark": lazy("Remark"),
    "static_ip": lazy("Fixed address"),
    "address_not_taken": lazy("Address that was not taken"),
    "why_not": lazy("Why not"),
    "owner": lazy("Account that has it"),
    "bind_mac": lazy("Bound MAC"),
    "bind_port": lazy("Bound port or VLAN"),
    "bind_nas_id": lazy("Bound router"),
    "sessions": lazy("Sessions"),
    # routers
    "identifier": lazy("Identifier"),
    "vendor": lazy("Make"),
    "auth_mode": lazy("Recognised by"),
    "ddns_name": lazy("DNS name"),
    "coa_port": lazy("Port for disconnects"),
    "message_authenticator": lazy("Message-Authenticator"),
    "timezone": lazy("Time zone"),
    "stale_minutes": lazy("Silent sessions end after (minutes)"),
    "invert_directions": lazy("Directions"),
    "extra": lazy("Extra attributes"),
    "rate_unit": lazy("Unit of rates"),
    "coa_rate": lazy("Requests a second"),
    "text": lazy("Text"),
    # logins that were tested
    "router": lazy("Router"),
    "minutes": lazy("Minutes"),
    "login_method": lazy("Login method"),
    "password_kind": lazy("Password"),
    "accepted": lazy("Let in"),
    "reason_code": lazy("Reason"),
    # regions, staff, money
    "title": lazy("Title in messages"),
    "content": lazy("Text in messages"),
    "regions": lazy("Regions"),
    "permissions": lazy("Rights"),
    "note": lazy("Note"),
    "cash": lazy("Cash"),
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
_LEARN = {"learn": lazy("learned at the next login")}
_VALUES: dict[str, Mapping[Any, Any]] = {
    "kind": PLAN_KINDS,
    "vendor": VENDORS,
    "pool_kind": POOL_KINDS,
    "usage": {"new": lazy("new accounts"), "renew": lazy("renewals"), "both": lazy("both")},
    "login_method": LOGIN_METHODS,
    "static_ip": _LEARN,
    "bind_mac": _LEARN,
    "bind_port": _LEARN,
    "why_not": {
        "taken": lazy("another account has it"),
        "implausible": lazy("no host can have it"),
    },
    "password_kind": {"stored": lazy("the stored one"), "typed": lazy("a typed one")},
    "reason_code": {code: known.word for code, known in REFUSALS.items()},
    "gift_kind": {
        "amount": lazy("an amount off"),
        "days": lazy("days"),
        "months": lazy("months"),
        "years": lazy("years"),
        "hours": lazy("hours"),
        "octets": lazy("traffic in GB"),
    },
}
_SHOWN: dict[str, Callable[[Any], str]] = {
    "quota_octets": octets,
    "quota_seconds": duration,
    "up_bps": rate,
    "down_bps": rate,
}
_INSTANT = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")
_LONGEST = 60


def changes_of(before: Any, after: Any, names: Names) -> list[tuple[str, str, str]]:
    """(what, old, new) of everything that differs, what people ask for first; ``names`` says what ids are called."""
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    keys = [key for key in dict.fromkeys([*old, *new]) if old.get(key) != new.get(key) and key not in _INNER]
    keys.sort(key=lambda key: list(_FIELDS).index(key) if key in _FIELDS else len(_FIELDS))
    return [(_label(key), _value(key, old.get(key), names), _value(key, new.get(key), names)) for key in keys]


def _label(key: str) -> str:
    if key in _FIELDS:
        return str(_FIELDS[key])
    return _(CATALOGUE[key].label) if key in CATALOGUE else key.replace("_", " ")


def _value(key: str, value: Any, names: Names) -> str:
    if value is None or value == "":
        return ""
    called = names.get(key) or _VALUES.get(key, {})
    if isinstance(value, str | int) and value in called:
        return str(called[value])
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if key in _SHOWN:
        return _SHOWN[key](value)
    text = ", ".join(str(called.get(part, part)) for part in value) if isinstance(value, list) else str(value)
    if _INSTANT.match(text):
        return local(datetime.fromisoformat(text))
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
