"""Carry out one effect of a committed transaction: an outbox row that is not the cluster's (architecture.md).

At least once, and idempotent by the row's id: what can be done in the database is done in the transaction that closes
the row; what leaves the building (mail) carries the id, so that the other side can tell a repeat.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import select, update

from infra import clock
from infra.gateways import mail
from infra.outbox import OutboxRow
from infra.tenant_scope import TenantScope, tenant_scope, unscoped
from tenants.access.keep_hours import keep_all_hours
from tenants.billing.first_login import activate
from tenants.kernel.errors import BusinessError
from tenants.registry.directory import find_tenant
from tenants.registry.settings import TIMEZONE
from tenants.subscribers.bind import learn_bindings
from tenants.subscribers.warn_of_quota import warn_of_quota
from workers.context import Context
from workers.job import platform_job

LOG = structlog.get_logger(__name__)
MOST_ATTEMPTS = 10
_LONGEST_PAUSE = timedelta(hours=1)


def _bind(scope: TenantScope, payload: dict[str, Any], now: datetime) -> None:
    learn_bindings(
        scope,
        int(payload["account_id"]),
        mac=str(payload.get("mac") or ""),
        port=str(payload.get("port") or ""),
        nas_id=payload.get("nas_id"),
        now=now,
    )


def _activate(scope: TenantScope, payload: dict[str, Any], now: datetime) -> None:
    accepted_at = datetime.fromisoformat(str(payload["accepted_at"]))
    activate(scope, int(payload["account_id"]), accepted_at=accepted_at, now=now)


# What happens inside the tenant's own transaction, together with closing the row.
INSIDE: dict[str, Callable[[TenantScope, dict[str, Any], datetime], Any]] = {
    "account.bind": _bind,
    "account.activate": _activate,
    TIMEZONE: lambda scope, _payload, now: keep_all_hours(scope, now),
    "account.quota": lambda scope, payload, now: warn_of_quota(scope, payload, now=now),
}


def _mail(known: Context, row_id: int, payload: dict[str, Any], now: datetime) -> None:
    message = mail.Message(
        to=str(payload["to"]),
        subject=str(payload["subject"]),
        text=str(payload["text"]),
        html=str(payload.get("html", "")),
        key=f"outbox-{row_id}",
    )
    mail.deliver(known.settings, message, now=now)


# What leaves the installation.
OUTSIDE: dict[str, Callable[[Context, int, dict[str, Any], datetime], None]] = {"mail.send": _mail}


@platform_job
def deliver(known: Context, tenant_id: int, row_id: int, cell: str) -> str:
    """Carry out one row; gives the state it ends in: done, waiting (to be tried again), failed, or gone."""
    now = clock.now()
    with unscoped(known.database, reason="carry out an outbox row", cell=cell) as session:
        row = session.execute(
            select(OutboxRow.topic, OutboxRow.payload, OutboxRow.attempts).where(
                OutboxRow.id == row_id, OutboxRow.tenant_id == tenant_id, OutboxRow.state == "taken"
            )
        ).one_or_none()
    if row is None:
        return "gone"  # somebody else did it
    try:
        if row.topic in INSIDE:
            with tenant_scope(known.database, find_tenant(known.database, tenant_id)) as scope:
                INSIDE[row.topic](scope, row.payload, now)
                scope.session.execute(_closing(row_id, tenant_id, "done", now))
            return "done"
        if row.topic not in OUTSIDE:
            return _close(known, cell, row_id, tenant_id, "failed", now, f"nobody handles the topic {row.topic}")
        OUTSIDE[row.topic](known, row_id, row.payload, now)
    except (mail.MailError, BusinessError) as error:
        if not error.retryable or row.attempts + 1 >= MOST_ATTEMPTS:
            return _close(known, cell, row_id, tenant_id, "failed", now, str(error))
        return _try_later(known, cell, row_id, tenant_id, row.attempts + 1, now, str(error))
    except (KeyError, TypeError, ValueError) as error:  # a payload that will never become right
        return _close(known, cell, row_id, tenant_id, "failed", now, f"{type(error).__name__}: {error}")
    return _close(known, cell, row_id, tenant_id, "done", now, "")


def _closing(row_id: int, tenant_id: int, state: str, now: datetime, result: str = "") -> Any:
    return (
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.tenant_id == tenant_id, OutboxRow.state == "taken")
        .values(state=state, finished_at=now, attempts=OutboxRow.attempts + 1, result=result[:500])
    )


def _close(known: Context, cell: str, row_id: int, tenant_id: int, state: str, now: datetime, result: str) -> str:
    with unscoped(known.database, reason="close an outbox row", cell=cell) as session:
        closing = _closing(row_id, tenant_id, state, now, result)
        # What was mailed holds one-time links: the row keeps to whom and what about, not the text.
        session.execute(closing.values(payload=OutboxRow.payload.op("-")("text").op("-")("html")))
    if state == "failed":
        LOG.error("outbox_row_failed", row=row_id, tenant_id=tenant_id, why=result)
    return state


def _try_later(known: Context, cell: str, row_id: int, tenant_id: int, attempts: int, now: datetime, why: str) -> str:
    pause = min(timedelta(seconds=10 * 2**attempts), _LONGEST_PAUSE)
    with unscoped(known.database, reason="put an outbox row back", cell=cell) as session:
        session.execute(
            update(OutboxRow)
            .where(OutboxRow.id == row_id, OutboxRow.tenant_id == tenant_id, OutboxRow.state == "taken")
            .values(state="waiting", attempts=attempts, available_at=now + pause, result=why[:500])
        )
    LOG.warning("outbox_row_waits", row=row_id, tenant_id=tenant_id, attempts=attempts, why=why)
    return "waiting"
