"""The NAS directory as the registry last gave it, in a local file: a node that starts while the registry is away knows
its routers by it, so that it spools their accounting and asks its siblings about their subscribers (RAD-10).

A line is one row as JSON, the first line says what the others are a state of. Secrets and data keys stay sealed in it,
as they are in the registry. The processes of a host share the file; it is replaced whole or not at all.
"""

import base64
import json
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1  # of the rows: the columns that load.py asks for
Row = Mapping[str, Any]
_KINDS: Final = ("tenants", "routers", "dialects")


@dataclass(frozen=True, slots=True)
class DirectoryRows:
    """Rows of the registry, and the fingerprint of the state that they were read in."""

    fingerprint: str
    tenants: list[Row]
    routers: list[Row]
    dialects: list[Row]


class DirectoryOnDisk:
    """The file of one host. Its methods take their time with a large cloud: call them in a thread."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def save(self, rows: DirectoryRows) -> None:
        """Replace the file, unless it has this state already. Raises OSError; the old file stays then."""
        head = json.dumps({"format": FORMAT, "fingerprint": rows.fingerprint})
        with suppress(OSError), self._path.open() as known:
            if known.readline().rstrip("\n") == head:
                return
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            with os.fdopen(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(head + "\n")
                for kind in _KINDS:
                    file.writelines(_lines(kind, getattr(rows, kind)))
                file.flush()
                os.fdatasync(file.fileno())
            made.replace(self._path)
        finally:
            made.unlink(missing_ok=True)

    def load(self) -> DirectoryRows | None:
        """What the file has; None when there is none, or none that this version can read."""
        found: dict[str, list[Row]] = {kind: [] for kind in _KINDS}
        try:
            with self._path.open() as file:
                head = json.loads(file.readline())
                if head["format"] != FORMAT:
                    return None
                for line in file:
                    kind, row = json.loads(line, object_hook=_decode)
                    found[kind].append(row)
            return DirectoryRows(head["fingerprint"], **found)
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _lines(kind: str, rows: Iterable[Row]) -> Iterable[str]:
    return (json.dumps([kind, dict(row)], default=_encode) + "\n" for row in rows)


def _encode(value: object) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, date):  # of an instant we only need to know that it is there
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} in a row of the directory")


def _decode(found: dict[str, Any]) -> Any:
    return base64.b64decode(found["base64"]) if found.keys() == {"base64"} else found
