"""Vendor dialects: which attributes carry a profile to which router (NET-3). The dialects are data (``dialect_data``).

A dialect is a text: settings, then the sections ``[accept]``, ``[limits]`` (octet limits of a session) and ``[coa]`` (a
live change) of ``Attribute = value`` lines with placeholders. An ISP writes its own in the same form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from infra.radius_text.lines import Line, Problem, TextProblems, encode_lines, parse_lines
from radius_cluster.wire import attributes as encode
from radius_cluster.wire.placeholders import RATE_UNITS, SAMPLES, Value, octet_limits, placeholders
from radius_cluster.wire.profile import ReplyProfile

_SECTIONS: Final = ("accept", "limits", "coa")
IDENTIFIERS: Final = (
    "User-Name",
    "Acct-Session-Id",
    "Framed-IP-Address",
    "Calling-Station-Id",
    "NAS-Port-Id",
    "NAS-Port",
)
STANDARD: Final = "standard"
_ALIASES: Final = {"generic": STANDARD, "wispr": STANDARD, "other": STANDARD, "": STANDARD}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How one kind of router is spoken to."""

    key: str
    title: str
    rate_unit: str  # of {up}, {down} …; a key of placeholders.RATE_UNITS
    coa_port: int  # where such routers listen for CoA and Disconnect unless configured otherwise
    identify: tuple[str, ...]  # what names a session in CoA and Disconnect, of IDENTIFIERS; RFC 5176 routers want two
    note: str
    accept: tuple[Line, ...]
    limits: tuple[Line, ...]
    coa: tuple[Line, ...]


def encode_profile(dialect: Dialect, profile: ReplyProfile, *, invert: bool = False, rate_unit: str = "") -> bytes:
    """The attributes of an Access-Accept. ``invert`` exchanges up and down; ``rate_unit`` overrides the dialect's.

    For one combination the bytes never change, so a caller may keep them. Raises ValueError when a value does not fit.
    """
    filled = profile.inverted() if invert else profile
    return _encode(dialect.accept, placeholders(filled, rate_unit or dialect.rate_unit))


def encode_coa_profile(
    dialect: Dialect, profile: ReplyProfile, *, invert: bool = False, rate_unit: str = "", previous_service: str = ""
) -> bytes:
    """The attributes of a CoA-Request that changes a running session; b"" when the dialect has no live change."""
    filled = profile.inverted() if invert else profile
    values = placeholders(filled, rate_unit or dialect.rate_unit)
    values["previous_service"] = previous_service if previous_service != profile.service else None
    return _encode(dialect.coa, values)


def encode_octet_limits(
    dialect: Dialect,
    *,
    total_octets: int | None = None,
    up_octets: int | None = None,
    down_octets: int | None = None,
    invert: bool = False,
) -> bytes:
    """What a session may still transfer; b"" for routers that cannot count (the accounting cuts those)."""
    if invert:
        up_octets, down_octets = down_octets, up_octets
    return _encode(dialect.limits, octet_limits(total_octets, up_octets, down_octets))


def encode_extra(text: str) -> bytes:
    """Extra attributes of a NAS or a plan (``Attribute = value`` lines). Raises TextProblems with line numbers."""
    return b"".join([_wrap(vendor, number, value) for vendor, number, value in encode_lines(text)])


def parse_dialect(key: str, text: str) -> Dialect:
    """Check the text of a dialect. Raises TextProblems naming every wrong line."""
    settings = {
        "title": key,
        "rate-unit": "bit/s",
        "coa-port": "3799",
        "identify": "Acct-Session-Id User-Name",
        "note": "",
    }
    sections: dict[str, tuple[Line, ...]] = dict.fromkeys(_SECTIONS, ())
    problems: list[Problem] = []
    for first_line, section, body in _split(text):
        if section == "":
            problems += _read_settings(first_line, body, settings)
        elif section not in sections:
            expected = ", ".join(f"[{known}]" for known in _SECTIONS)
            problems.append(Problem(first_line, "section", f"[{section}] is no section; there are {expected}"))
        else:
            try:
                sections[section] += tuple(parse_lines("\n".join(body), SAMPLES, first_line=first_line + 1))
            except TextProblems as refused:
                problems += refused.problems
    if not problems and not sections["accept"]:
        problems.append(Problem(1, "no_accept", "the section [accept] is missing or empty"))
    if problems:
        raise TextProblems(sorted(problems, key=lambda problem: problem.line))
    return Dialect(
        key=key,
        title=settings["title"],
        rate_unit=settings["rate-unit"],
        coa_port=int(settings["coa-port"]),
        identify=tuple(settings["identify"].split()),
        note=settings["note"],
        accept=sections["accept"],
        limits=sections["limits"],
        coa=sections["coa"],
    )


@cache
def shipped_dialects() -> Mapping[str, Dialect]:
    """The dialects that come with the product, by key."""
    folder = files(__package__) / "dialect_data"
    texts = {entry.name.removesuffix(".txt"): entry.read_text("utf-8") for entry in folder.iterdir()}
    return {key: parse_dialect(key, text) for key, text in sorted(texts.items())}


def dialect_for(key: str) -> Dialect:
    """A shipped dialect; the standard one for a key that none has (a router must get an answer)."""
    dialects = shipped_dialects()
    return dialects.get(_ALIASES.get(key, key)) or dialects[STANDARD]


def _split(text: str) -> list[tuple[int, str, list[str]]]:
    """(line of the header, section name, lines); the part before the first header is section "" of line 0."""
    parts: list[tuple[int, str, list[str]]] = [(0, "", [])]
    for number, line in enumerate(text.splitlines(), 1):
        stripped = line.strip()
        if stripped.startswith("[") and stripped.endswith("]"):
            parts.append((number, stripped[1:-1].strip(), []))
        else:
            parts[-1][2].append(line)
    return parts


def _read_settings(first_line: int, body: list[str], settings: dict[str, str]) -> list[Problem]:
    problems = []
    for number, line in enumerate(body, first_line + 1):
        name, _, value = line.strip().partition(" ")
        if not name or name.startswith("#"):
            continue
        value = value.strip()
        problem = _setting_problem(name, value, settings)
        if problem:
            problems.append(Problem(number, "setting", problem))
        else:
            settings[name] = value
    return problems


def _setting_problem(name: str, value: str, settings: Mapping[str, str]) -> str:
    if name not in settings:
        return f"{name} is no setting; there are {', '.join(settings)}"
    if name == "rate-unit" and value not in RATE_UNITS:
        return f"rate-unit is one of {', '.join(RATE_UNITS)}"
    if name == "coa-port" and not (value.isdecimal() and 0 < int(value) < 65536):
        return "coa-port is a port from 1 to 65535"
    if name == "identify" and not (value and set(value.split()) <= set(IDENTIFIERS)):
        return f"identify takes names from {', '.join(IDENTIFIERS)}"
    return ""


def _encode(lines: tuple[Line, ...], values: Mapping[str, Value]) -> bytes:
    encoded = b""
    for line in lines:
        value = line.encode(values)
        if value is not None:
            encoded += _wrap(line.definition.vendor, line.definition.number, value)
    return encoded


def _wrap(vendor: int, number: int, value: bytes) -> bytes:
    return encode.vendor(vendor, number, value) if vendor else encode.octets(number, value)
