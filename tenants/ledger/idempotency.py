"""One key, one command, one result: what a repeated click or a repeated request gets back."""

import dataclasses
import hashlib
import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from infra.tenant_scope import TenantScope
from tenants.ledger.errors import BadKey, KeyReused
from tenants.ledger.models import CommandRecord


def content_hash(operation: str, command: Any) -> bytes:
    """Digest of what was asked; the instant is not part of it, because a repetition comes later."""
    fields = {name: getattr(command, name) for name in command.__dataclass_fields__}
    content = {"operation": operation, "command": fields}
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=_plain).encode()).digest()


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"  # 50 and 50.00 are the same content
    if isinstance(value, datetime):
        return value.isoformat()
    return repr(value)


def check_key(key: str) -> None:
    """Raises :class:`BadKey` for a key that cannot be stored."""
    if not _can_be_stored(key):
        raise BadKey(field="key")


def _can_be_stored(key: str) -> bool:
    return 1 <= len(key) <= 200 and key.isprintable()


def claim(
    scope: TenantScope, key: str, operation: str, content: bytes, *, now: datetime, account_id: int | None
) -> Any:
    """Claim the key, or return the result (JSON) of the command that had it before.

    Waits for a transaction that has the key in hand. Raises :class:`KeyReused` for other content, :class:`BadKey`.
    """
    check_key(key)
    claimed = scope.session.execute(
        insert(CommandRecord)
        .values(key=key, operation=operation, content_hash=content, at=now, account_id=account_id)
        .on_conflict_do_nothing()
        .returning(CommandRecord.key)
    ).scalar_one_or_none()
    if claimed is not None:
        return None
    known = scope.session.execute(
        select(CommandRecord.content_hash, CommandRecord.result).where(CommandRecord.key == key)
    ).one()
    if bytes(known.content_hash) != content:
        raise KeyReused(field="key", key=key)
    return known.result


def is_known(scope: TenantScope, key: str) -> bool:
    """Whether a command with this key was done already: it would get the first result back."""
    return _can_be_stored(key) and scope.session.get(CommandRecord, key) is not None


def remember(scope: TenantScope, key: str, result: Any) -> None:
    """Keep the result for repetitions."""
    scope.session.execute(
        update(CommandRecord).where(CommandRecord.key == key).values(result=result),
        execution_options={"synchronize_session": False},
    )
