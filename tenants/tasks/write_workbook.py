"""A task's finished file as an Excel workbook, made of the comma-separated parts that its batches wrote (SUB-7)."""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter
from sqlalchemy import delete

from infra.tenant_scope import TenantScope
from tenants.tasks.models import Task, TaskPart
from tenants.tasks.queries_tasks import result_of
from tenants.tasks.write_part import RESULT

SHEET_ROWS = 1_000_000  # Excel takes 1,048,576
_PART_OCTETS = 1_000_000
_SAMPLE, _NARROWEST, _WIDEST = 200, 8, 48  # rows that are looked at for the widths of the columns
_NUMBER = re.compile(r"-?\d{1,15}(\.\d{1,2})?")  # Excel keeps fifteen digits


def write_workbook(scope: TenantScope, task: Task) -> None:
    """Replace the parts by those of the workbook. ``params["numbers"]``: positions of the columns that are numbers."""
    parts = (part.decode() for part in result_of(scope, task.id))
    body = workbook(csv.reader(_lines(parts)), frozenset(task.params.get("numbers", ())))
    scope.session.execute(delete(TaskPart).where(TaskPart.task_id == task.id, TaskPart.file == RESULT))
    for begin in range(0, len(body), _PART_OCTETS):
        chunk = body[begin : begin + _PART_OCTETS]
        scope.session.add(TaskPart(task_id=task.id, file=RESULT, part=task.parts, body=chunk))
        task.parts += 1


def workbook(rows: Iterable[list[str]], numbers: frozenset[int]) -> bytes:
    """The rows as a workbook, the first as heads on every sheet; texts stay texts, whatever they look like."""
    book = Workbook(write_only=True)
    left = iter(rows)
    heads = next(left, [])
    sheets = 0
    while (chunk := list(islice(left, SHEET_ROWS))) or not sheets:
        sheet = book.create_sheet(str(sheets := sheets + 1))
        sheet.freeze_panes = "A2"
        for number, width in enumerate(_widths([heads, *chunk[:_SAMPLE]]), 1):
            sheet.column_dimensions[get_column_letter(number)].width = width
        sheet.append([_cell(sheet, head, font=Font(bold=True)) for head in heads])
        for row in chunk:
            sheet.append([_number(cell) if at in numbers else _text(sheet, cell) for at, cell in enumerate(row)])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _lines(parts: Iterable[str]) -> Iterator[str]:
    """A cell may hold line ends, so lines are what csv takes for one: kept with their ends, across parts."""
    for number, part in enumerate(parts):
        yield from io.StringIO(part.removeprefix("\ufeff") if number == 0 else part, newline="")


def _number(text: str) -> Decimal | str:
    return Decimal(text) if _NUMBER.fullmatch(text) else text


def _text(sheet: Any, text: str) -> Any:
    if ILLEGAL_CHARACTERS_RE.search(text):
        text = ILLEGAL_CHARACTERS_RE.sub("", text)
    # A name that begins with "=" is no formula; all others are taken for texts anyway.
    return _cell(sheet, text) if text.startswith(("=", "#")) else text


def _cell(sheet: Any, text: str, *, font: Font | None = None) -> Any:
    cell = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub("", text))
    cell.data_type = "s"
    if font is not None:
        cell.font = font
    return cell


def _widths(rows: list[list[str]]) -> list[int]:
    columns = max((len(row) for row in rows), default=0)
    longest = (max((_shown(row[at]) for row in rows if at < len(row)), default=0) for at in range(columns))
    return [min(max(width + 2, _NARROWEST), _WIDEST) for width in longest]


def _shown(text: str) -> int:
    return sum(2 if char > "\u2e7f" else 1 for char in text[:_WIDEST])  # a Chinese character is two wide
