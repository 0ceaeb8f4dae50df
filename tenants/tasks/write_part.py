"""Add to a task's file: comma-separated values that a spreadsheet opens, or one JSON line per failed row."""

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.kernel.errors import BusinessError
from tenants.tasks.models import Task, TaskPart

RESULT, FAILED = "result", "failed"
WORKBOOK = ".xlsx"  # how the name of a file ends that becomes an Excel workbook
_BEGINNING = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # a cell that begins so would be computed, not shown


def write_rows(scope: TenantScope, task: Task, rows: Iterable[Sequence[Any]], heads: Sequence[str]) -> None:
    """One more part of the result; the first begins with the heads."""
    out = io.StringIO()
    writer = csv.writer(out)
    if task.parts == 0:
        out.write(_BEGINNING)
        writer.writerow(heads)
    computed = not task.file_name.endswith(WORKBOOK)  # a workbook says of each cell that it is a text
    writer.writerows([_cell(value, escape=computed) for value in row] for row in rows)
    _add(scope, task, RESULT, out.getvalue())


def write_failures(scope: TenantScope, task: Task, failures: Sequence[tuple[int, str, str, BusinessError]]) -> None:
    """(id, user name, name, why) of rows that were not done; the reason by code, to be read in any language."""
    lines = [
        json.dumps(
            {
                "id": account_id,
                "username": username,
                "name": name,
                "code": error.code,
                "message": error.message,
                "params": {key: str(value) for key, value in error.params.items()},
            },
            ensure_ascii=False,
        )
        for account_id, username, name, error in failures
    ]
    if lines:
        _add(scope, task, FAILED, "\n".join(lines) + "\n")


def _add(scope: TenantScope, task: Task, file: str, text: str) -> None:
    scope.session.add(TaskPart(task_id=task.id, file=file, part=task.parts, body=text.encode()))
    task.parts += 1


def _cell(value: Any, *, escape: bool) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if escape and text.startswith(_FORMULA) and not _is_number(text) else text


def _is_number(text: str) -> bool:
    return text[:1] == "-" and text[1:].replace(".", "", 1).isdigit()
