"""Attribute names, numbers and types, read from the dictionaries that ship with the product (FreeRADIUS format)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Definition:
    """One attribute. ``vendor`` is 0 for standard ones; ``type`` one of values.ENCODERS, or one nobody can write."""

    name: str
    vendor: int
    number: int
    type: str
    tagged: bool = False
    encrypted: bool = False
    values: dict[str, int] = field(default_factory=dict, compare=False, hash=False)


class Dictionary:
    """Definitions by name (case does not matter) and by (vendor, number)."""

    def __init__(self, definitions: Iterable[Definition]) -> None:
        self._by_name: dict[str, Definition] = {}
        self._by_number: dict[tuple[int, int], Definition] = {}
        for definition in definitions:
            # The first name of a number is the one to show; later ones are old spellings.
            self._by_name.setdefault(definition.name.lower(), definition)
            self._by_number.setdefault((definition.vendor, definition.number), definition)

    def named(self, name: str) -> Definition | None:
        """The definition of a name, or None."""
        return self._by_name.get(name.lower())

    def numbered(self, vendor: int, number: int) -> Definition | None:
        """The definition of a vendor's (0 = standard) attribute number, or None."""
        return self._by_number.get((vendor, number))

    def names(self) -> list[str]:
        """All names, sorted; for suggestions."""
        return sorted(definition.name for definition in self._by_name.values())


@cache
def shipped() -> Dictionary:
    """The dictionaries of this package; read once."""
    folder = files(__package__) / "dictionaries"
    # Standard attributes before vendors', so that a vendor never takes over a standard name.
    ordered = sorted(
        (entry for entry in folder.iterdir()), key=lambda e: (not e.name.startswith("dictionary.rfc"), e.name)
    )
    return Dictionary(read_definitions(line for entry in ordered for line in entry.read_text("utf-8").splitlines()))


def read_definitions(lines: Iterable[str]) -> list[Definition]:
    """The definitions in dictionary files. Attributes inside attributes (``1.2``) and unknown commands are skipped."""
    vendors: dict[str, int] = {}
    vendor = 0
    found: list[Definition] = []
    by_name: dict[str, Definition] = {}
    for line in lines:
        words = line.partition("#")[0].split()
        match words:
            case ["VENDOR", name, number, *_]:
                vendors[name] = int(number)
            case ["BEGIN-VENDOR", name, *_]:
                vendor = vendors[name]
            case ["END-VENDOR", *_]:
                vendor = 0
            case ["ATTRIBUTE", name, number, kind, *flags] if "." not in number:
                options = ",".join(flags)
                definition = Definition(
                    name,
                    vendor,
                    int(number, 0),
                    kind.lower().partition("[")[0],
                    "has_tag" in options,
                    "encrypt" in options,
                )
                found.append(definition)
                by_name[name] = definition
            case ["VALUE", name, value_name, number] if name in by_name:
                by_name[name].values[value_name.lower()] = int(number, 0)
            case _:
                pass
    return found
