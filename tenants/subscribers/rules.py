"""Pure decisions about customers and accounts: what may be typed, and what state an account shows (SUB-4, SUB-5)."""

import re
from datetime import datetime, timedelta
from ipaddress import ip_address
from typing import Protocol

from tenants.subscribers.errors import (
    BadAddress,
    BadEmail,
    BadMac,
    BadPassword,
    BadPhone,
    BadUsername,
    BadValue,
    TextTooLong,
)

NAME_KEPT_DAYS = 30  # billing-rules.md: the name of a closed account is free again after 30 days
ATTRIBUTES = ("ordinary", "group", "internal")
ACCESS_TYPES = ("", "EOC", "LAN", "FTTH", "AP")
LEARN = "learn"
_MAC_DIGITS = re.compile(r"^[0-9a-f]{12}$")
_DEVICE_NAME = re.compile(r"(?i)[0-9a-f]{2}([:-])[0-9a-f]{2}(\1[0-9a-f]{2}){4}|[0-9a-f]{4}(\.[0-9a-f]{4}){2}")
_MAC_TEXT = re.compile(r"^[0-9A-Fa-f:.\- ]+$")
_PHONE = re.compile(r"^\+?[0-9][0-9 \-]{1,24}[0-9]$")
_EMAIL = re.compile(r"^[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+$")
MAX_PAP_OCTETS = 128  # RFC 2865 5.2


class HasState(Protocol):
    """What the shown state derives from: the columns of ``accounts`` with these names."""

    @property
    def state(self) -> str: ...
    @property
    def activated_at(self) -> datetime | None: ...
    @property
    def receivable(self) -> object: ...
    @property
    def never_expires(self) -> bool: ...
    @property
    def expires_at(self) -> datetime: ...


def shown_state(account: HasState, now: datetime, expiring_days: int) -> str:
    """normal | expiring | expired | held | disabled | arrears | not_activated | closed.

    The first that holds of: what staff set, not yet begun, owes money, over, nearly over. At its expiry an account is
    expired; it is expiring while the expiry is at most ``expiring_days`` away. ``state_sql`` is the twin for lists.
    """
    if account.state in ("closed", "disabled", "held"):
        return account.state
    if account.activated_at is None:
        return "not_activated"
    if account.receivable:
        return "arrears"
    if account.never_expires:
        return "normal"
    if account.expires_at <= now:
        return "expired"
    return "expiring" if account.expires_at <= now + timedelta(days=expiring_days) else "normal"


def check_username(value: str, *, field: str = "username") -> str:
    """The name as it is: two may differ in capitals only, as for routers. Raises BadUsername.

    A device's address with its separators becomes ``aa:bb:cc:dd:ee:ff``, by which MAC authentication finds it in
    whatever notation a router sends it. Twelve digits alone, or in fours with dashes, may be a number and stay.
    """
    if not 1 <= len(value) <= 63 or not value.isprintable() or any(c.isspace() for c in value):
        raise BadUsername(field=field)
    return normalise_mac(value) if _DEVICE_NAME.fullmatch(value) else value


def check_password(value: str, *, field: str = "password") -> str:
    """The password as it is. Raises BadPassword."""
    if not 1 <= len(value) <= 64 or not value.isprintable() or len(value.encode()) > MAX_PAP_OCTETS:
        raise BadPassword(field=field)
    return value


def normalise_mac(value: str, *, field: str = "bind_mac") -> str:
    """``aa:bb:cc:dd:ee:ff`` of any common notation; "" stays "". Raises BadMac."""
    text = value.strip()
    if not text:
        return ""
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if not _MAC_TEXT.match(text) or not _MAC_DIGITS.match(digits):
        raise BadMac(field=field, value=value)
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def check_address(value: str, *, field: str = "static_ip") -> str | None:
    """An IPv4 or IPv6 address in its usual form, or None for nothing. Raises BadAddress."""
    if not value.strip():
        return None
    try:
        return str(ip_address(value.strip()))
    except ValueError:
        raise BadAddress(field=field, value=value) from None


def check_phone(value: str, *, field: str = "phone") -> str:
    """The number as typed, without outer blanks; "" stays "". Raises BadPhone."""
    text = value.strip()
    if text and (not _PHONE.match(text) or not 3 <= sum(c.isdigit() for c in text) <= 20):
        raise BadPhone(field=field, value=value)
    return text


def check_email(value: str, *, field: str = "email") -> str:
    """The address, or "". Raises BadEmail."""
    text = value.strip()
    if text and (not _EMAIL.match(text) or len(text) > 254):
        raise BadEmail(field=field, value=value)
    return text


def check_text(value: str, *, field: str, longest: int = 200) -> str:
    """A line (or lines) of text without outer blanks. Raises TextTooLong."""
    text = value.strip()
    if len(text) > longest or not all(c.isprintable() or c in "\n\r\t" for c in text):
        raise TextTooLong(field=field, longest=longest)
    return text


def check_choice(value: str, choices: tuple[str, ...], *, field: str) -> str:
    """One of the choices. Raises BadValue."""
    if value not in choices:
        raise BadValue(field=field, value=value, choices=", ".join(c or '""' for c in choices))
    return value


def name_released_from(closed_at: datetime) -> datetime:
    """From when the user name of an account closed (or deleted) then is free again."""
    return closed_at + timedelta(days=NAME_KEPT_DAYS)
