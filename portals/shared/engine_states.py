"""What the states of a RADIUS process are called (RAD-10): the platform's and the staff's pages say the same."""

from typing import Any

from portals.shared.i18n import lazy

_STATES: dict[str, tuple[str, Any]] = {
    "running": ("normal", lazy("running")),
    "draining": ("held", lazy("stopping")),
    "standby": ("new", lazy("standing by")),
    "catching_up": ("expiring", lazy("storing the accounting of an outage")),
    "degraded": ("expired", lazy("without database: logins from memory, accounting to disk")),
    "spool_full": ("expired", lazy("without database, and its disk is full: accounting is not answered")),
}


def engine_state(code: str) -> tuple[str, str]:
    """(dot, word) of a state of registry.nodes."""
    dot, text = _STATES.get(code, ("expiring", code))
    return dot, str(text)
