"""Long work behind the bell: what runs, what has ended, its file and what failed in it (UX-3, looks.md "Long work")."""

import csv
import io
from collections.abc import Iterator
from typing import Any

from flask import redirect, render_template, url_for
from werkzeug.wrappers import Response

from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from portals.admin.blueprint import actor, blueprint, present, scope
from portals.shared.access import signed_in
from portals.shared.errors import kept_error_text
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from tenants.kernel.errors import NotFound
from tenants.tasks import queries_tasks
from tenants.tasks.start_task import StartTask, start_task
from tenants.tasks.stop_task import stop_task
from tenants.tasks.write_part import WORKBOOK

FAILURES_SHOWN = 100
_CSV_TYPE = "text/csv; charset=utf-8"
_WORKBOOK_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def begin(command: StartTask) -> Response:
    """Start long work in the name of this person and show its page."""
    task_id = start_task(scope(), command, actor=actor(), now=present())
    return redirect(url_for("admin.show_task", task_id=task_id), 303)


@blueprint.get("/tasks/")
@signed_in
def list_tasks() -> str:
    """Own long work, the newest first; what has ended counts as seen."""
    tasks = queries_tasks.tasks_of(scope(), _owner())
    queries_tasks.mark_seen(scope(), _owner(), present())
    return render_template("admin/tasks.html", tasks=tasks, at=present())


@blueprint.get("/tasks/<int:task_id>/")
@signed_in
def show_task(task_id: int) -> str:
    """Progress; while it runs the page keeps itself up to date and may be left."""
    task = queries_tasks.task_of(scope(), task_id, _owner())
    queries_tasks.mark_seen(scope(), _owner(), present())
    return render_template("admin/task.html", **_values(task))


@blueprint.get("/tasks/<int:task_id>/progress")
@signed_in
def show_task_progress(task_id: int) -> str:
    """The part of the page that moves."""
    return render_template("admin/task_part.html", **_values(queries_tasks.task_of(scope(), task_id, _owner())))


@blueprint.post("/tasks/<int:task_id>/stop")
@signed_in
def stop_task_page(task_id: int) -> Response:
    """No further batch; what is done stays done."""
    stop_task(scope(), task_id, actor=actor(), now=present())
    toast(_("Stopped. What was done so far stays."))
    return redirect(url_for("admin.show_task", task_id=task_id), 303)


@blueprint.get("/tasks/<int:task_id>/result")
@signed_in
def download_result(task_id: int) -> Response:
    """The file, part by part: however large, it never stands in memory as a whole."""
    task = queries_tasks.task_of(scope(), task_id, _owner())
    if not task.file_name or task.state != "done":
        raise NotFound(what="file", ref=task_id)
    body = _streamed(installation().database, scope().tenant, task_id)
    return _attachment(body, task.file_name, _WORKBOOK_TYPE if task.file_name.endswith(WORKBOOK) else _CSV_TYPE)


@blueprint.get("/tasks/<int:task_id>/failed")
@signed_in
def download_failed(task_id: int) -> Response:
    """What was not done and why, one line each."""
    queries_tasks.task_of(scope(), task_id, _owner())
    out = io.StringIO("\ufeff")
    out.seek(0, io.SEEK_END)
    writer = csv.writer(out)
    writer.writerow([_("User name"), _("Full name"), _("Why")])
    writer.writerows([row["username"], row["name"], row["why"]] for row in _failures(task_id, None))
    return _attachment(iter([out.getvalue().encode()]), f"failed-{task_id}.csv", _CSV_TYPE)


def _owner() -> int:
    """Whose tasks are shown: support staff of the platform has none of its own here."""
    return (actor().id or 0) if actor().kind == "operator" else 0


def _values(task: queries_tasks.TaskRow) -> dict[str, Any]:
    failures = _failures(task.id, FAILURES_SHOWN) if task.failed else []
    return {"task": task, "failures": failures, "at": present()}


def _failures(task_id: int, limit: int | None) -> list[dict[str, Any]]:
    rows = queries_tasks.failures_of(scope(), task_id, limit)
    return [{**row, "why": kept_error_text(row["code"], row["message"], row["params"])} for row in rows]


def _streamed(database: Database, tenant: TenantRef, task_id: int) -> Iterator[bytes]:
    """The request's unit of work has ended when the answer is on its way, so the file is read in one of its own."""
    with tenant_scope(database, tenant) as own:
        yield from queries_tasks.result_of(own, task_id)


def _attachment(body: Iterator[bytes], name: str, content_type: str) -> Response:
    answer = Response(body, content_type=content_type)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    answer.headers["Cache-Control"] = "no-store"
    return answer
