"""Adds many routers at once from a table (NET-2): checked row by row, all or none written."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.network.add_nas import AddedNas, AddNas, add_nas
from tenants.network.errors import BadImport
from tenants.network.find import find_region

COLUMNS: Final = (
    "name", "vendor", "identifier", "secret", "auth_mode", "address", "ddns_name", "coa_port",
    "message_authenticator", "region", "timezone", "remark",
)  # fmt: skip
MOST_ROWS: Final = 2_000
_DEFAULTS: Final = {"vendor": "mikrotik", "auth_mode": "identifier", "message_authenticator": "required"}


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """One line of the table (counted from 1, the heading is line 1): what was added, or why not."""

    line: int
    name: str
    added: AddedNas | None = None
    error: BusinessError | None = None


def import_nas(
    scope: TenantScope, text: str, *, actor: Actor, now: datetime, dry_run: bool = False
) -> tuple[ImportedRow, ...]:
    """Comma-, semicolon- or tab-separated, the first line names the columns; ``name`` or ``identifier`` is needed.

    With ``dry_run``, or when any row has an error, nothing is written. Raises Forbidden and :class:`BadImport` for a
    table that cannot be read at all.
    """
    actor.require("nas.add")
    rows = _read(text)
    found: list[ImportedRow] = []
    sessions = [scope.registry] if scope.registry is scope.session else [scope.registry, scope.session]
    outer = [session.begin_nested() for session in sessions]  # the whole table, given up together
    for line, values in rows:
        name = values.get("name") or values.get("identifier", "")
        try:
            with scope.registry.begin_nested():
                added = add_nas(scope, _command(scope, values), actor=actor, now=now)
        except BusinessError as error:
            found.append(ImportedRow(line, name, error=error))
        else:
            found.append(ImportedRow(line, name, added=added))
    if dry_run or any(row.error is not None for row in found):
        for savepoint in outer:
            savepoint.rollback()
    else:
        for savepoint in outer:
            savepoint.commit()
    return tuple(found)


def _read(text: str) -> list[tuple[int, dict[str, str]]]:
    text = text.strip("\ufeff\r\n ")
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error as error:
        raise BadImport(field="table", why=str(error)) from None
    columns = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    unknown = [column for column in columns if column not in COLUMNS]
    if unknown or not {"name", "identifier"} & set(columns):
        raise BadImport(field="table", why=f"the columns are {', '.join(COLUMNS)}")
    if len(lines) > MOST_ROWS + 1:
        raise BadImport(field="table", why=f"at most {MOST_ROWS} rows at once")
    return [
        (number, {column: cell.strip() for column, cell in zip(columns, cells, strict=False)})
        for number, cells in lines[1:]
        if any(cell.strip() for cell in cells)
    ]


def _command(scope: TenantScope, values: dict[str, str]) -> AddNas:
    given: dict[str, Any] = _DEFAULTS | {name: value for name, value in values.items() if value}
    region, port = given.pop("region", ""), given.pop("coa_port", "")
    if port and not port.isdecimal():
        raise BadImport(field="coa_port", why=f"{port} is no port")
    region_id = find_region(scope, region).id if region else None
    return AddNas(**given, region_id=region_id, coa_port=int(port) if port else None)


def summary(rows: Sequence[ImportedRow]) -> tuple[int, int]:
    """(good, bad) rows."""
    bad = sum(row.error is not None for row in rows)
    return len(rows) - bad, bad
