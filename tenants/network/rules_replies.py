"""What a router or a plan adds to the answers: extra attributes, and places for expiring and expired accounts; pure."""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Any, Final

from infra.radius_text.lines import TextProblems, encode_lines
from infra.radius_text.placeholders import RATE_UNITS
from tenants.kernel.errors import Phrase
from tenants.network.errors import BadAttributeText, BadReplyOption, ExpiringIncomplete

LONGEST_EXTRA: Final = 4_000
LONGEST_NAME: Final = 63
MOST_EXPIRING_DAYS: Final = 60
# What an expiring or expired account may receive instead of its plan's; names are those of infra.radius_text.profile.
PLACE_NAMES: Final = ("pool", "ipv6_pool", "address_list", "user_group", "qos_profile", "service")
PLACE_RATES: Final = ("up_bps", "down_bps")
WHOLE_NUMBER: Final = "a whole number from {low} to {high} is needed"
_LONGEST: Final = "at most {most} characters are possible"
_URL: Final = re.compile(r"https?://[!-~]{3,200}")


def check_extra(text: str, field: str = "extra") -> str:
    """Extra attributes, lines of ``Attribute = value``. Raises :class:`BadAttributeText`."""
    text = "\n".join(line.rstrip() for line in text.strip().splitlines())
    if len(text) > LONGEST_EXTRA:
        raise BadReplyOption(field=field, value=text[:20] + "…", hint=Phrase(_LONGEST, most=LONGEST_EXTRA))
    try:
        encode_lines(text)
    except TextProblems as refused:
        raise BadAttributeText(refused.problems, field=field) from None
    return text


def check_rate_unit(value: str) -> str:
    """One of the units, or "" for the dialect's. Raises :class:`BadReplyOption`."""
    if value and value not in RATE_UNITS:
        raise BadReplyOption(
            field="rate_unit", value=value, hint=Phrase("use {choices}", choices=" / ".join(RATE_UNITS))
        )
    return value


def check_place(values: Mapping[str, Any], prefix: str) -> dict[str, Any]:
    """Where expiring or expired accounts are led; {} for nowhere. ``prefix`` names the form's fields.

    Raises :class:`BadReplyOption`.
    """
    found: dict[str, Any] = {}
    for name in PLACE_NAMES:
        text = str(values.get(name) or "").strip()
        if len(text) > LONGEST_NAME or not text.isprintable():
            raise BadReplyOption(field=prefix + name, value=text, hint=Phrase(_LONGEST, most=LONGEST_NAME))
        found[name] = text
    for name in PLACE_RATES:
        rate = values.get(name)
        if rate is not None and not 0 < int(rate) <= 10**12:
            raise BadReplyOption(field=prefix + name, value=rate, hint="a speed above 0 is needed")
        found[name] = rate
    for name in ("dns1", "dns2"):
        text = str(values.get(name) or "").strip()
        try:
            found[name] = str(IPv4Address(text)) if text else ""
        except ValueError:
            raise BadReplyOption(field=prefix + name, value=text, hint="an IPv4 address is needed") from None
    url = str(values.get("redirect_url") or "").strip()
    if url and not _URL.fullmatch(url):
        raise BadReplyOption(
            field=prefix + "redirect_url", value=url, hint="an address like http://pay.example/ is needed"
        )
    found["redirect_url"] = url
    return {name: value for name, value in found.items() if value}


def check_expiring(values: Mapping[str, Any], days: int) -> dict[str, Any]:
    """What accounts receive that end within so many days; {} for nothing else than usual, which needs no days.

    Raises :class:`BadReplyOption`, :class:`ExpiringIncomplete`.
    """
    if not 0 <= days <= MOST_EXPIRING_DAYS:
        raise BadReplyOption(
            field="expiring_days", value=days, hint=Phrase(WHOLE_NUMBER, low=0, high=MOST_EXPIRING_DAYS)
        )
    place = check_place(values, "expiring_")
    if place and not days:
        raise ExpiringIncomplete(field="expiring_days", what="how many days before the expiry")
    if days and not place:
        raise ExpiringIncomplete(field="expiring_pool", what="what they receive then")
    return place
