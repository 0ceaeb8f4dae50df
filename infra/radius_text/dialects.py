"""Vendor dialects: which attributes carry a profile to which router (NET-3). The dialects are data (``dialect_data``).

A dialect is a text: settings, then the sections ``[accept]``, ``[limits]`` (octet limits of a session), ``[coa]`` (a
live change) and ``[timeout]`` (another end of a running session) of ``Attribute = value`` lines with placeholders. An
ISP writes its own in the same form.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Final

from infra.radius_text.dictionary import shipped
from infra.radius_text.lines import REPEATABLE, Line, Problem, TextProblems, parse_lines
from infra.radius_text.placeholders import RATE_UNITS, SAMPLES, Value, placeholders
from infra.radius_text.profile import ReplyProfile

_SECTIONS: Final = ("accept", "limits", "coa", "timeout")
IDENTIFIERS: Final = (
    "User-Name",
    "Acct-Session-Id",
    "Framed-IP-Address",
    "Calling-Station-Id",
    "NAS-Port-Id",
    "NAS-Port",
)
STANDARD: Final = "standard"
_COUNTERS: Final = 4
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
    # (vendor, number) of IPv6 octets in, out, gigawords in, out, where such routers leave them out of Acct-Input-Octets
    ipv6_octets: tuple[tuple[int, int], ...]
    accept: tuple[Line, ...]
    limits: tuple[Line, ...]
    coa: tuple[Line, ...]
    timeout: tuple[Line, ...]  # none: such routers cannot be told another end of a running session


def parse_dialect(key: str, text: str) -> Dialect:
    """Check the text of a dialect. Raises TextProblems naming every wrong line."""
    settings = {
        "title": key,
        "rate-unit": "bit/s",
        "coa-port": "3799",
        "identify": "Acct-Session-Id User-Name",
        "note": "",
        "ipv6-octets": "",
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
        ipv6_octets=_counters(settings["ipv6-octets"]),
        accept=sections["accept"],
        limits=sections["limits"],
        coa=sections["coa"],
        timeout=sections["timeout"],
    )


@dataclass(frozen=True, slots=True)
class FilledLine:
    """One attribute as a router will read it; for people."""

    attribute: str
    tag: int
    value: str


def fill_accept(
    dialect: Dialect, profile: ReplyProfile, *, invert: bool = False, rate_unit: str = ""
) -> list[FilledLine]:
    """What an Access-Accept says of a profile, readable. Raises ValueError when a value does not fit its attribute."""
    filled = profile.inverted() if invert else profile
    return _fill(dialect.accept, placeholders(filled, rate_unit or dialect.rate_unit))


def fill_extra(text: str) -> list[FilledLine]:
    """The same of extra attributes. Raises TextProblems."""
    return _fill(tuple(parse_lines(text)), {})


def without_replaced(lines: Sequence[FilledLine], extra: Sequence[FilledLine]) -> list[FilledLine]:
    """The lines but those that ``extra`` says otherwise: what stands once in an answer is said by the last."""
    said = {line.attribute for line in extra if not _is_repeatable(line.attribute)}
    return [line for line in lines if line.attribute not in said]


def _is_repeatable(name: str) -> bool:
    known = shipped().named(name)
    return known is None or (known.vendor, known.number) in REPEATABLE


def _fill(lines: tuple[Line, ...], values: Mapping[str, Value]) -> list[FilledLine]:
    return [
        FilledLine(line.definition.name, line.tag, line.text(values) or "")
        for line in lines
        if line.encode(values) is not None
    ]


def dialect_text(key: str) -> str:
    """The text of a shipped dialect, to begin one's own with. Raises KeyError."""
    if key not in shipped_dialects():
        raise KeyError(key)
    return (files(__package__) / "dialect_data" / f"{key}.txt").read_text("utf-8")


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
    if name == "ipv6-octets" and len(_counters(value)) != _COUNTERS:
        return "ipv6-octets takes four vendor attributes: octets in, octets out, gigawords in, gigawords out"
    return ""


def _counters(names: str) -> tuple[tuple[int, int], ...]:
    """(vendor, number) of each whole-number vendor attribute among the names."""
    found = [shipped().named(name) for name in names.split()]
    return tuple((known.vendor, known.number) for known in found if known and known.vendor and known.type == "integer")
