"""What a setting is: its kind, range and texts."""

from dataclasses import dataclass, field
from typing import Any, Literal

Kind = Literal[
    "text", "long_text", "integer", "optional_hour", "money", "choice", "switch", "timezone", "names", "color"
]


@dataclass(frozen=True, slots=True)
class Setting:
    """One key as forms and the command line show it; labels and help texts are translated by their English text."""

    key: str
    group: str
    kind: Kind
    default: Any
    label: str
    help: str
    minimum: int | None = None
    maximum: int | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


def setting(default: Any, group: str, kind: Kind, label: str, help: str, **more: Any) -> Any:
    """A field of the catalogue."""
    return field(
        default=default, metadata={"setting": {"group": group, "kind": kind, "label": label, "help": help, **more}}
    )
