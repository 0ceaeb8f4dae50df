"""The hash that binds an entry of the operation log to the one before it; pure."""

import hashlib
import json
from datetime import UTC

from tenants.audit.models import AuditEntry

GENESIS = b""


def entry_hash(previous_hash: bytes, entry: AuditEntry) -> bytes:
    """SHA-256 over the previous hash and everything that the entry says."""
    content = json.dumps(
        [
            entry.id,
            entry.at.astimezone(UTC).isoformat(),
            entry.actor_kind,
            entry.actor_id,
            entry.actor_name,
            entry.address,
            entry.action,
            entry.object_kind,
            entry.object_id,
            entry.object_label,
            entry.before,
            entry.after,
            entry.reason,
        ],
        ensure_ascii=False,
        sort_keys=True,
        separators=(",", ":"),
    )
    return hashlib.sha256(previous_hash + content.encode()).digest()
