"""Adds many routers at once from a table (NET-2): checked row by row, all or none written."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from infra.tenant_scope import TenantScope
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError, Phrase
from tenants.network.add_nas import AddedNas, AddNas, add_nas
from tenants.network.errors import BadCoaPort, BadImport, ClientNotTakenOver
from tenants.network.find import find_region
from tenants.network.freeradius_clients import is_clients_conf, read_clients

COLUMNS: Final = (
    "name", "vendor", "identifier", "secret", "auth_mode", "address", "ddns_name", "coa_port",
    "message_authenticator", "region", "timezone", "remark",
)  # fmt: skip
# What tables of Chinese offices call them (the words of the page).
_CHINESE: Final = {
    "名称": "name",
    "厂商": "vendor",
    "标识": "identifier",
    "共享密钥": "secret",
    "识别方式": "auth_mode",
    "地址": "address",
    "域名": "ddns_name",
    "下线指令端口": "coa_port",
    "区域": "region",
    "时区": "timezone",
    "备注": "remark",
}
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
    """Comma-, semicolon- or tab-separated, the first line names the columns (in English or Chinese); ``name`` or
    ``identifier`` is needed. Or the ``clients.conf`` of a FreeRADIUS.

    With ``dry_run``, or when any row has an error, nothing is written. Raises Forbidden and :class:`BadImport` for a
    table that cannot be read at all.
    """
    actor.require("nas.add")
    rows = _rows(text)
    found: list[ImportedRow] = []
    sessions = [scope.registry] if scope.registry is scope.session else [scope.registry, scope.session]
    outer = [session.begin_nested() for session in sessions]  # the whole table, given up together
    for line, values in rows:
        if isinstance(values, BusinessError):
            found.append(ImportedRow(line, "", error=values))
            continue
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


def _rows(text: str) -> Sequence[tuple[int, dict[str, str] | ClientNotTakenOver]]:
    if not is_clients_conf(text):
        return read_table(text)
    rows = read_clients(text)
    if len(rows) > MOST_ROWS:
        raise BadImport(field="table", why=Phrase("at most {most} rows are possible", most=MOST_ROWS))
    return rows


def read_table(text: str) -> list[tuple[int, dict[str, str]]]:
    """(line, values by column) of each row. Raises :class:`BadImport`."""
    text = text.strip("\ufeff\r\n ")
    heading = text.partition("\n")[0]
    delimiter = max(",;\t", key=heading.count)
    reader = csv.reader(io.StringIO(text), delimiter=delimiter)
    try:
        lines = [(reader.line_num, cells) for cells in reader]
    except csv.Error:
        raise BadImport(field="table", why="its quotation marks do not close") from None
    heads = [cell.strip().lower() for cell in lines[0][1]] if lines else []
    columns = [_CHINESE.get(head, head) for head in heads]
    unknown = [head for head, column in zip(heads, columns, strict=True) if column not in COLUMNS]
    if unknown:
        raise BadImport(field="table", why=Phrase("there is no column {columns}", columns=", ".join(unknown)[:200]))
    if not {"name", "identifier"} & set(columns):
        raise BadImport(field="table", why="a column name or identifier is missing")
    if len(lines) > MOST_ROWS + 1:
        raise BadImport(field="table", why=Phrase("at most {most} rows are possible", most=MOST_ROWS))
    rows = [
        (number, {column: cell.strip() for column, cell in zip(columns, cells, strict=False)})
        for number, cells in lines[1:]
        if any(cell.strip() for cell in cells)
    ]
    if not rows:
        raise BadImport(field="table", why="it has no rows")
    return rows


def _command(scope: TenantScope, values: dict[str, str]) -> AddNas:
    given: dict[str, Any] = _DEFAULTS | {name: value for name, value in values.items() if value}
    region, port = given.pop("region", ""), given.pop("coa_port", "")
    if port and not (port.isascii() and port.isdecimal() and len(port) < 10):
        raise BadCoaPort(field="coa_port", port=port)
    region_id = find_region(scope, region).id if region else None
    return AddNas(**given, region_id=region_id, coa_port=int(port) if port else None)


def summary(rows: Sequence[ImportedRow]) -> tuple[int, int]:
    """(good, bad) rows."""
    bad = sum(row.error is not None for row in rows)
    return len(rows) - bad, bad
