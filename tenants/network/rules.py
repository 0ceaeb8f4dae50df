"""What a router's identifier, secret, address and ports must be like; pure (NET-2)."""

import re
import secrets
import unicodedata
from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address, ip_address
from zoneinfo import available_timezones

from tenants.network.errors import (
    AddressNeeded,
    BadAddress,
    BadChoice,
    BadCoaPort,
    BadDdnsName,
    BadIdentifier,
    BadSecret,
    BadStaleTime,
    BadTimezone,
    IdentifierOutsidePrefix,
    InterimTooLong,
    UnknownVendor,
)
from tenants.network.vendors import VENDORS
from tenants.registry.rules_stale import MOST_MINUTES, fewest_minutes

LONGEST_IDENTIFIER = 64  # the attribute holds 253 octets; routers' name fields are shorter
SHORTEST_SECRET, LONGEST_SECRET = 8, 60  # several makes cut longer ones off silently
STANDARD_COA_PORT = 3799  # RFC 5176
AUTH_MODES = ("identifier", "address", "ddns")
MESSAGE_AUTHENTICATOR = ("required", "optional")
# No 0/O, 1/l/I: people read secrets aloud; no signs that a router's command line would interpret.
_SECRET_LETTERS = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # noqa: S105
_HOST = re.compile(r"^(?=.{4,253}$)([a-zA-Z0-9_]([a-zA-Z0-9_-]{0,61}[a-zA-Z0-9])?\.)+[a-zA-Z][a-zA-Z0-9-]{1,62}$")


def new_secret() -> str:
    """Four groups of five letters and digits: 116 random bits that can be typed."""
    return "-".join("".join(secrets.choice(_SECRET_LETTERS) for _ in range(5)) for _ in range(4))


def identifier_from_name(prefix: str, name: str, number: int = 1) -> str:
    """``<prefix>-<name>`` in small ASCII letters; ``number`` > 1 makes further proposals."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    tail = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:30].strip("-") or "nas"
    if tail == prefix or tail.startswith(prefix + "-"):
        tail = tail[len(prefix) :].strip("-") or "nas"
    return f"{prefix}-{tail}" + (f"{'-' if tail[-1].isdigit() else ''}{number}" if number > 1 else "")


def check_identifier(identifier: str, prefix: str) -> str:
    """Raises :class:`BadIdentifier` or :class:`IdentifierOutsidePrefix`."""
    bad = any(unicodedata.category(c)[0] in "CZ" and c != " " for c in identifier)
    if bad or not 1 <= len(identifier) <= LONGEST_IDENTIFIER or identifier != identifier.strip():
        raise BadIdentifier(field="identifier", longest=LONGEST_IDENTIFIER)
    if not identifier.startswith(prefix + "-") or len(identifier) == len(prefix) + 1:
        example = identifier_from_name(prefix, identifier)
        raise IdentifierOutsidePrefix(field="identifier", prefix=prefix, example=example)
    return identifier


def check_secret(secret: str) -> str:
    """Raises :class:`BadSecret`."""
    if not SHORTEST_SECRET <= len(secret) <= LONGEST_SECRET or any(not 33 <= ord(c) <= 126 for c in secret):
        raise BadSecret(field="secret", shortest=SHORTEST_SECRET, longest=LONGEST_SECRET)
    return secret


def check_address(address: str) -> IPv4Address | IPv6Address | None:
    """The address of a host, None for "". Raises :class:`BadAddress`."""
    text = address.strip()
    if not text:
        return None
    try:
        found = ip_address(text)
    except ValueError:
        raise BadAddress(field="address", address=address) from None
    if found.is_multicast or found.is_unspecified or text == "255.255.255.255" or getattr(found, "scope_id", None):
        raise BadAddress(field="address", address=address)
    return found


def check_ddns_name(name: str) -> str:
    """A host name in small letters, "" for none. Raises :class:`BadDdnsName`."""
    name = name.strip().lower().rstrip(".")
    if name and not _HOST.fullmatch(name):
        raise BadDdnsName(field="ddns_name", name=name)
    return name


def check_auth_mode(mode: str, address: object, ddns_name: str) -> str:
    """Raises :class:`BadChoice`, :class:`AddressNeeded`."""
    if mode not in AUTH_MODES:
        raise BadChoice(field="auth_mode", value=mode, choices=", ".join(AUTH_MODES))
    if mode == "address" and address is None:
        raise AddressNeeded(field="address", what="address")
    if mode == "ddns" and not ddns_name:
        raise AddressNeeded(field="ddns_name", what="DNS name")
    return mode


def check_coa_port(port: int) -> int:
    """Raises :class:`BadCoaPort`."""
    if not 1 <= port <= 65535:
        raise BadCoaPort(field="coa_port", port=port)
    return port


def check_stale(minutes: int | None, interim_seconds: int, field: str = "stale_minutes") -> int | None:
    """Seconds; None for the provider's. Raises :class:`BadStaleTime`."""
    if minutes is None:
        return None
    least = fewest_minutes(interim_seconds)
    if not least <= minutes <= MOST_MINUTES:
        raise BadStaleTime(field=field, least=least, most=MOST_MINUTES, interval=interim_seconds)
    return minutes * 60


def check_interim(interim_seconds: int, stale_seconds: int, field: str) -> None:
    """Raises :class:`InterimTooLong`."""
    least = fewest_minutes(interim_seconds)
    if stale_seconds < least * 60:
        minutes = stale_seconds // 60
        raise InterimTooLong(field=field, interval=interim_seconds, minutes=minutes, least=least)


def check_vendor(vendor: str, own_dialects: Collection[str] = ()) -> str:
    """A make, or a dialect of the tenant's own. Raises :class:`UnknownVendor`."""
    if vendor not in VENDORS and vendor not in own_dialects:
        raise UnknownVendor(field="vendor", vendor=vendor, possible=", ".join(VENDORS))
    return vendor


def check_message_authenticator(value: str) -> str:
    """Raises :class:`BadChoice`."""
    if value not in MESSAGE_AUTHENTICATOR:
        raise BadChoice(field="message_authenticator", value=value, choices=", ".join(MESSAGE_AUTHENTICATOR))
    return value


def check_timezone(zone: str) -> str:
    """ "" = the tenant's. Raises :class:`BadTimezone`."""
    if zone and zone not in available_timezones():
        raise BadTimezone(field="timezone", zone=zone)
    return zone
