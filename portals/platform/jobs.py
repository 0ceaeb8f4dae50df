"""Queues and jobs: what waits, what failed, what runs by schedule (TEN-5, JOB-3)."""

from typing import Any

from flask import redirect, render_template, url_for
from redis import Redis, RedisError
from werkzeug.wrappers import Response

from infra.errors import ServersError
from infra.queue import connect, failed_jobs, forget_job, queue_states, retry_job, schedule_states
from infra.servers import resolve
from portals.platform.blueprint import blueprint, database, present
from portals.platform.words import QUEUES, backlog_name
from portals.shared.access import signed_in
from portals.shared.i18n import _
from portals.shared.toasts import toast
from portals.shared.unit_of_work import installation
from portals.shared.words import word
from tenants.reports.queries_platform import list_backlog, list_due_failures


@blueprint.get("/jobs/")
@signed_in
def show_jobs() -> str:
    """The whole page; without Redis what stands in the databases is still shown."""
    return render_template(
        "platform/jobs.html",
        **_queues(),
        backlog=list_backlog(database(), present()),
        due_failures=list_due_failures(database()),
        queue_name=lambda code: word(QUEUES, code),
        backlog_name=backlog_name,
    )


@blueprint.post("/jobs/<job_id>/retry")
@signed_in
def retry(job_id: str) -> Response:
    """Enqueue a failed job again."""
    done = retry_job(_redis(), job_id)
    toast(_("The job is queued again.") if done else _("This job is not among the failed ones any more."))
    return redirect(url_for("platform.show_jobs"), 303)


@blueprint.post("/jobs/<job_id>/delete")
@signed_in
def delete(job_id: str) -> Response:
    """Forget a failed job."""
    done = forget_job(_redis(), job_id)
    toast(_("The failed job is deleted.") if done else _("This job is not among the failed ones any more."))
    return redirect(url_for("platform.show_jobs"), 303)


def _queues() -> dict[str, Any]:
    try:
        redis = _redis()
        return {
            "queues": queue_states(redis),
            "failed": failed_jobs(redis),
            "schedule": schedule_states(redis),
            "away": False,
        }
    except (RedisError, ServersError, OSError):
        return {"queues": [], "failed": [], "schedule": [], "away": True}


def _redis() -> "Redis":
    return connect(resolve(installation().settings).redis_url)
