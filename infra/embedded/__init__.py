"""Real PostgreSQL and Redis inside the installation, for one-command runs (ADR 0003)."""

from infra.embedded.installation import EmbeddedServers, ensure_running
from infra.errors import ServersError

__all__ = ["EmbeddedServers", "ServersError", "ensure_running"]
