"""Effects after the commit: handed out, carried out once, tried again, given up (architecture.md, outbox)."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from infra import clock
from infra.db import MAIN_CELL, Database
from infra.gateways import mail
from infra.outbox import OutboxRow, emit
from infra.tenant_scope import TenantRef, tenant_scope, unscoped
from tenants.subscribers.models import Account
from tests.fixtures.accounts import open_one, sell
from workers.context import Context
from workers.due_clock import TAKEN_TOO_LONG, DueClock
from workers.jobs import deliver as deliver_file
from workers.jobs.deliver import MOST_ATTEMPTS, deliver

MAIL = {"to": "a@b.example", "subject": "Hello", "text": "A link: http://localhost/x"}


def put(database: Database, tenant_id: int, topic: str, payload: dict[str, Any], state: str = "taken") -> int:
    with unscoped(database, reason="test") as session:
        emit(session, tenant_id, topic, payload)
        session.flush()
        row = session.scalars(select(OutboxRow).order_by(OutboxRow.id.desc()).limit(1)).one()
        row.state, row.taken_at = state, clock.now()
        return row.id


def row_of(database: Database, row_id: int) -> OutboxRow:
    with unscoped(database, reason="test") as session:
        return session.get_one(OutboxRow, row_id)


def test_mail_is_sent_and_the_row_closed(job_context: Context, database: Database) -> None:
    row_id = put(database, 0, "mail.send", MAIL)
    assert deliver(0, row_id, MAIN_CELL) == "done"
    assert deliver(0, row_id, MAIN_CELL) == "gone"
    folder = job_context.settings.data_dir / "mail"
    (file,) = list(folder.glob("*.eml"))
    assert f"outbox-{row_id}" in file.read_text()
    row = row_of(database, row_id)
    assert row.finished_at is not None
    assert row.payload == {"to": "a@b.example", "subject": "Hello"}  # the one-time link is gone


def test_a_mail_server_that_is_away_is_tried_again(
    job_context: Context, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_args: Any, **_more: Any) -> None:
        raise mail.MailError("The mail server is away.", retryable=True)

    monkeypatch.setattr(deliver_file.mail, "deliver", refuse)
    row_id = put(database, 0, "mail.send", MAIL)
    assert deliver(0, row_id, MAIN_CELL) == "waiting"
    row = row_of(database, row_id)
    assert (row.state, row.attempts, row.result) == ("waiting", 1, "The mail server is away.")
    assert row.available_at > clock.now() + timedelta(seconds=10)
    with unscoped(database, reason="test") as session:
        session.execute(
            update(OutboxRow).where(OutboxRow.id == row_id).values(state="taken", attempts=MOST_ATTEMPTS - 1)
        )
    assert deliver(0, row_id, MAIN_CELL) == "failed"


@pytest.mark.parametrize(("topic", "payload"), [("nobody.knows", {}), ("mail.send", {"to": "a@b.example"})])
def test_what_can_never_be_done_fails_with_a_reason(
    job_context: Context, database: Database, topic: str, payload: dict[str, Any]
) -> None:
    row_id = put(database, 0, topic, payload)
    assert deliver(0, row_id, MAIN_CELL) == "failed"
    assert row_of(database, row_id).result


def test_a_binding_is_learned_in_the_transaction_that_closes_the_row(
    job_context: Context, database: Database, tenant: TenantRef
) -> None:
    with tenant_scope(database, tenant) as scope:
        account_id = open_one(scope, "u1", sell(scope), bind_mac="learn")
    payload = {"account_id": account_id, "mac": "AA-BB-CC-DD-EE-01", "port": "", "nas_id": 1}
    first, second = (put(database, tenant.id, "account.bind", payload | {"mac": m}) for m in ("AABBCCDDEE01", "0" * 12))
    assert deliver(tenant.id, first, MAIN_CELL) == deliver(tenant.id, second, MAIN_CELL) == "done"
    with tenant_scope(database, tenant) as scope:
        assert scope.session.get_one(Account, account_id).bind_mac == "aa:bb:cc:dd:ee:01"  # the first one stays


def test_the_clock_hands_out_what_waits_and_what_was_lost(job_context: Context, database: Database) -> None:
    redis = job_context.redis
    waiting = put(database, 0, "mail.send", MAIL, state="waiting")
    lost = put(database, 0, "mail.send", MAIL)
    put(database, 0, "mail.send", MAIL)  # is being sent
    cluster = put(database, 0, "radius.disconnect", {}, state="waiting")
    with unscoped(database, reason="test") as session:
        long_ago = clock.now() - TAKEN_TOO_LONG - timedelta(seconds=1)
        session.execute(update(OutboxRow).where(OutboxRow.id == lost).values(taken_at=long_ago))
    clock_hand = DueClock(database, redis)
    assert clock_hand._enqueue_deliveries(MAIN_CELL, clock.now()) == 2
    assert clock_hand._enqueue_deliveries(MAIN_CELL, clock.now()) == 0
    assert row_of(database, waiting).state == "taken"
    assert row_of(database, cluster).state == "waiting"
