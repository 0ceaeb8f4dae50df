"""The processes of the installation as they report themselves (TEN-5); the packet path writes its own rows likewise."""

from datetime import datetime
from typing import Any, cast

from sqlalchemy import CursorResult, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tenants.registry.models import Node


def beat(
    session: Session,
    *,
    kind: str,
    host: str,
    pid: int,
    started_at: datetime,
    now: datetime,
    state: str = "running",
    counters: dict[str, Any] | None = None,
    memory_octets: int | None = None,
) -> None:
    """Say that this process is alive, and what it counts."""
    values = {
        "node": node_name(host, pid),
        "kind": kind,
        "host": host,
        "pid": pid,
        "state": state,
        "started_at": started_at,
        "heartbeat_at": now,
        "counters": counters or {},
        "memory_octets": memory_octets,
    }
    put = insert(Node).values(**values)
    session.execute(
        put.on_conflict_do_update(
            index_elements=["node"], set_={name: put.excluded[name] for name in values if name != "node"}
        )
    )


def sign_off(session: Session, host: str, pid: int) -> None:
    """Take a process that ends cleanly off the list."""
    session.execute(delete(Node).where(Node.node == node_name(host, pid)))


def node_name(host: str, pid: int) -> str:
    """``host:pid``."""
    return f"{host}:{pid}"


def drop_dead(session: Session, *, before: datetime) -> int:
    """Forget processes that have not reported since then; gives how many."""
    done = session.execute(delete(Node).where(Node.heartbeat_at < before))
    return cast("CursorResult[Any]", done).rowcount


def listening_since(session: Session, *, alive_since: datetime) -> datetime | None:
    """Since when the cluster listens without a gap, as far as its living nodes know; None when no node lives."""
    return session.scalar(
        select(func.min(Node.started_at)).where(Node.kind == "radius", Node.heartbeat_at >= alive_since)
    )
