"""The checked text form: one ``Attribute = value`` a line, ``#`` comments, ``Attribute:1 = value`` with a tag.

In a dialect the value may contain placeholders (``{up}``); a line is sent only when all of them have a value.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from infra.radius_text.dictionary import Definition, Dictionary, shipped
from infra.radius_text.values import ValueProblem, encode_value, likely

_LINE: Final = re.compile(
    r"(?P<name>[A-Za-z0-9_.-]+)(?::(?P<tag>[0-9]{1,2}))?\s*(?:=|:=|\+=)\s*(?P<value>.*)", re.DOTALL
)
_PLACEHOLDER: Final = re.compile(r"\{([a-z0-9_]+)\}")
_LINES_AT_MOST: Final = 64
# What the server itself computes, or what would make another packet of the answer. (vendor, number)
RESERVED: Final = frozenset(
    {(0, n) for n in (2, 3, 24, 25, 26, 33, 40, 41, 44, 60, 79, 80)}
    | {(311, n) for n in (1, 2, 11, 12, 16, 17, 25, 26)}
)

# What an Access-Accept may have several of (RFC 2865, 5.44; 3162; 4818; tunnels by their tags; vendors' lists of texts)
REPEATABLE: Final = frozenset(
    {(0, number) for number in (11, 18, 22, 26, 38, 64, 65, 66, 67, 69, 79, 81, 82, 83, 90, 91, 97, 99, 123, 168, 169)}
    | {(9, 1), (2011, 82), (2011, 188), (4874, 65), (4874, 66), (14988, 19), (25506, 210)}
)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one line (counted from 1); ``code`` is stable, for translation."""

    line: int
    code: str
    message: str
    meant: str = ""  # names that were probably meant; the message has them, too


class TextProblems(ValueError):
    """A text that was refused, with every line's problem."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("; ".join(f"line {p.line}: {p.message}" for p in problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Line:
    """One checked line. ``parts`` alternate literal text and placeholder names, beginning with text."""

    number: int
    definition: Definition
    tag: int
    parts: tuple[str, ...]

    def text(self, values: Mapping[str, str | int | None]) -> str | None:
        """The value with its placeholders filled in, or None when one has no value."""
        filled = list(self.parts)
        for at in range(1, len(filled), 2):
            value = values.get(filled[at])
            if value is None or value == "":
                return None
            if isinstance(value, int) and self.definition.type == "integer":
                value = min(value, 0xFFFFFFFF)  # a 10 Gbit/s rate in bit/s does not fit; the most is what is meant
            filled[at] = str(value)
        return "".join(filled)

    def encode(self, values: Mapping[str, str | int | None]) -> bytes | None:
        """The value's octets, or None when a placeholder has no value. Raises ValueProblem if it does not fit."""
        text = self.text(values)
        return None if text is None else encode_value(self.definition, text, self.tag)


def parse_lines(
    text: str, samples: Mapping[str, str | int] | None = None, dictionary: Dictionary | None = None, first_line: int = 1
) -> list[Line]:
    """Check a text and return its lines. ``samples`` names the allowed placeholders and a value to try each with.

    Without ``samples`` braces are ordinary characters. Raises :class:`TextProblems` naming every wrong line.
    """
    known = dictionary or shipped()
    lines: list[Line] = []
    problems: list[Problem] = []
    for number, raw in enumerate(text.splitlines(), first_line):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if len(lines) >= _LINES_AT_MOST:
            problems.append(Problem(number, "too_many", f"more than {_LINES_AT_MOST} attributes"))
            break
        try:
            lines.append(_parse_line(number, stripped, samples, known))
        except ValueProblem as problem:
            problems.append(Problem(number, problem.code, str(problem), problem.meant))
    if problems:
        raise TextProblems(problems)
    return lines


def encode_lines(text: str) -> list[tuple[int, int, bytes]]:
    """(vendor, number, value) of a literal text: extra attributes of a NAS or plan. Raises :class:`TextProblems`."""
    return [
        (line.definition.vendor, line.definition.number, value)
        for line in parse_lines(text)
        if (value := line.encode({})) is not None
    ]


def _parse_line(number: int, text: str, samples: Mapping[str, str | int] | None, dictionary: Dictionary) -> Line:
    matched = _LINE.fullmatch(text)
    if matched is None:
        raise ValueProblem("form", 'must read "Attribute = value"')
    definition = dictionary.named(matched["name"])
    if definition is None:
        meant = likely(matched["name"], dictionary.names())
        hint = f"; is {meant} meant?" if meant else ""
        raise ValueProblem("unknown_attribute", f"no dictionary knows the attribute {matched['name']}{hint}", meant)
    if (definition.vendor, definition.number) in RESERVED:
        raise ValueProblem("reserved", f"{definition.name} is set by the server itself")
    if definition.encrypted:
        raise ValueProblem("encrypted", f"{definition.name} is encrypted and cannot be written as text")
    tag = int(matched["tag"] or 0)
    if tag > 31 or (tag and not definition.tagged):
        raise ValueProblem("tag", f"{definition.name} takes no tag" if not definition.tagged else "a tag is 0 to 31")
    value = _unquote(matched["value"])
    parts = tuple(_PLACEHOLDER.split(value)) if samples is not None else (value,)
    for placeholder in parts[1::2]:
        if samples is not None and placeholder not in samples:
            raise ValueProblem("placeholder", f"{{{placeholder}}} is no placeholder")
    line = Line(number, definition, tag, parts)
    line.encode(samples or {})
    return line


def _unquote(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1]
    if not value:
        raise ValueProblem("empty", "the value is empty")
    if any(ord(character) < 32 or ord(character) == 127 for character in value):
        raise ValueProblem("control", "the value has control characters")
    return value
