"""What commands print: JSON for programs, aligned text for people."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from typing import Any

import click


def wants_json() -> bool:
    """Was the running command called with ``--json``?"""
    context = click.get_current_context(silent=True)
    return bool(context and context.find_root().meta.get("broadloom.json"))


def emit(data: Any, text: str | None = None) -> None:
    """Print a command's result: ``data`` as JSON with ``--json``, else ``text``, else ``data`` laid out for reading.

    ``data`` is a mapping, a dataclass, or a sequence of those (printed as a table).
    """
    plain = _plain(data)
    if wants_json():
        click.echo(json.dumps(plain, ensure_ascii=False))
    else:
        click.echo(_readable(plain) if text is None else text)


def _plain(value: Any) -> Any:
    """As JSON knows it: instants in ISO 8601, amounts as text (never as floats)."""
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(item) for item in value]
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Enum):
        return _plain(value.value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _readable(plain: Any) -> str:
    if isinstance(plain, list):
        if plain and all(isinstance(row, dict) for row in plain):
            return _table(plain)
        return "\n".join(_cell(row) for row in plain) or "none"
    if isinstance(plain, dict):
        width = max((len(key) for key in plain), default=0)
        return "\n".join(_field(key, value, width) for key, value in plain.items())
    return _cell(plain)


def _field(key: str, value: Any, width: int) -> str:
    if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
        return f"{key}:\n" + "\n".join(f"  {line}" for line in _table(value).splitlines())
    return f"{key.ljust(width)}  {_cell(value)}".rstrip()


def _table(rows: Sequence[dict[str, Any]]) -> str:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    cells = [columns, *([_cell(row.get(column)) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in cells
    )


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(_cell(item) for item in value) or "-"
    return str(value)
