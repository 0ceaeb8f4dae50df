"""Sign-ups, engines, queues, cells and the log: what keeps the cloud running (TEN-5, JOB-3)."""

import os
from datetime import timedelta

from redis import Redis
from rq.job import Job, JobStatus
from rq.results import Result

from infra import clock
from infra.outbox import set_due
from infra.queue import SLOW, announce_schedule, connect, queue, queue_states
from infra.servers import resolve
from infra.tenant_scope import tenant_scope, unscoped
from tenants.onboarding.sign_up import SignUpForm, sign_up
from tenants.registry.models import Node
from tenants.registry.nodes import beat
from tenants.usage.models import PacketCount
from tests.fixtures.accounts import open_one, sell


def waiting_sign_up(ops):
    slug = f"wait{os.urandom(3).hex()}"
    form = SignUpForm(
        slug=slug,
        name=f"Waiting {slug}",
        contact_name="Lin",
        email=f"{slug}@example.com",
        phone="13800138000",
        password="long-enough-7391",
    )
    sign_up(ops.database, form, now=clock.now(), site_url="http://x")
    return slug


def action_of(ops, slug, verb):
    page = ops.web.get("/platform/sign-ups/").get_data(as_text=True)
    row = page.split(f"Waiting {slug}")[1].split("</tr>")[0]
    return row.split('action="/platform/')[1 if verb == "resend" else 2].split('"')[0]


def test_a_waiting_sign_up_is_sent_again_or_dropped(ops):
    slug = waiting_sign_up(ops)
    assert f"Waiting {slug}" in ops.get("sign-ups/")
    page = ops.submit("sign-ups/", to=action_of(ops, slug, "resend"))
    assert f"A new link is on its way to {slug}@example.com" in page
    page = ops.submit("sign-ups/", to=action_of(ops, slug, "delete"))
    assert f"the address {slug} is free again" in page
    assert f"Waiting {slug}" not in ops.get("sign-ups/")
    assert ops.log()[-1] == "sign_up.delete"


def test_engines_show_who_works_and_who_is_silent(ops):
    now = clock.now()
    with unscoped(ops.database, reason="test makes nodes") as session:
        beat(session, kind="worker", host="fresh", pid=1, started_at=now, now=now, memory_octets=80 * 1024**2)
        session.merge(
            Node(
                node="quiet:2",
                kind="radius",
                host="quiet",
                pid=2,
                auth_port=1812,
                acct_port=1813,
                started_at=now,
                heartbeat_at=now - timedelta(seconds=60),
                counters={
                    "auth.rejected:expired": 3,
                    "auth.rejected:quota": 4,
                    "acct.stored": 9,
                    "latency": {"bounds_ms": [5, 100], "auth": [98, 1, 1]},
                },
            )
        )
        for kind, outcome, packets in (("auth", "rejected:quota", 4_711), ("auth_ms", "5", 99), ("auth_ms", "100", 1)):
            counted = {"tenant_id": 0, "nas_id": 0, "hour": now, "kind": kind, "outcome": outcome, "packets": packets}
            session.merge(PacketCount(**counted))
    page = ops.get("engines/")
    assert "Quota used up" in page
    assert "4,711" in page
    assert "5 ms" in page
    assert "of no router" in page
    ops.get("engines/?lang=zh")
    assert ops.status == 200
    ops.get("engines/?lang=en")
    figures = ops.web.client.get("/metrics").get_data(as_text=True)
    assert 'outcome="rejected",reason="quota"} 4711' in figures
    assert "answer_seconds_bucket" in figures
    assert ops.web.client.get("/metrics/routers").status_code == 200
    assert "fresh:1 Worker running" in page
    assert "quiet:2 RADIUS engine not reporting" in page
    assert "rejected 7" in page
    assert "reports stored 9" in page
    assert "fresh:1" in ops.get()


def test_engines_say_in_what_state_an_outage_has_put_them(ops):
    """RAD-10: the state is clear on the page."""
    now = clock.now()
    said = {
        "degraded": "without database: logins from memory, accounting to disk",
        "spool_full": "without database, and its disk is full: accounting is not answered",
        "catching_up": "storing the accounting of an outage",
        "draining": "stopping",
    }
    with unscoped(ops.database, reason="test makes nodes") as session:
        for number, state in enumerate(said, 3):
            beat(
                session, kind="radius", host="node", pid=number, started_at=now, now=now, state=state,
                counters={"acct.spooled": 1234, "acct.dropped:spool_full": 5},
            )  # fmt: skip
    page = ops.get("engines/")
    for number, state in enumerate(said, 3):
        assert f"node:{number} RADIUS engine {said[state]}" in page
    assert "reports kept on disk meanwhile 1,234" in page


def explode() -> None:
    """A job that fails."""
    raise ValueError("the disk is full")


def test_failed_jobs_are_tried_again_or_deleted(ops, settings, redis_url):
    redis = connect(resolve(settings).redis_url)
    job = queue(redis, SLOW).enqueue("tests.functional.platform.test_operation.explode")
    fail(redis, job)
    page = ops.get("jobs/")
    assert "explode" in page
    assert "the disk is full" in page
    assert "The job is queued again." in ops.submit("jobs/", to=f"jobs/{job.id}/retry")
    assert next(state for state in queue_states(redis) if state.name == SLOW).waiting == 1
    fail(redis, job)
    assert "The failed job is deleted." in ops.submit("jobs/", to=f"jobs/{job.id}/delete")
    assert "No job has failed." in ops.get("jobs/")
    assert "not among the failed ones any more" in ops.submit("jobs/", to="jobs/unknown/retry")


def fail(redis: "Redis", job: Job) -> None:
    """What a worker leaves behind when a job raises."""
    why = "Traceback\nValueError: the disk is full"
    one = queue(redis, SLOW)
    one.remove(job.id)
    job.set_status(JobStatus.FAILED)
    with redis.pipeline() as pipeline:
        one.failed_job_registry.add(job, ttl=600, exc_string=why, pipeline=pipeline)
        Result.create_failure(job, 600, why, pipeline=pipeline)
        pipeline.execute()


def test_the_schedule_tells_when_each_line_runs_next(ops, settings, redis_url):
    redis = connect(resolve(settings).redis_url)
    assert "The scheduler has not run yet." in ops.get("jobs/")
    announce_schedule(redis, {"sample-online": 300})
    page = ops.get("jobs/")
    assert "sample-online" in page
    assert "5 min" in page


def test_work_that_is_late_or_failed_is_shown(ops, tenant):
    with tenant_scope(ops.database, tenant) as scope:
        account_id = open_one(scope, "late", sell(scope))
        set_due(scope.session, tenant.id, "account.expire", account_id, clock.now() - timedelta(hours=1))
    page = ops.get("jobs/")
    assert "Expiries to come" in page
    assert "late" in page


def test_cells_answer(ops):
    page = ops.get("cells/")
    assert "main answers" in page


def test_the_log_shows_everything_and_one_tenant_alone(ops, tenant, make_tenant):
    ops.submit(f"tenants/{tenant.id}/suspend", {"reason": "overdue", "typed": tenant.slug})
    page = ops.get(f"log/?tenant={tenant.id}")
    assert "Tenant suspended" in page
    assert "overdue" in page
    assert "Nothing was done yet." in ops.get(f"log/?tenant={make_tenant().id}")
    assert "Signed in" in ops.get("log/")
