"""The only place that asks what time it is (style.md rule 12)."""

from datetime import UTC, datetime


def now() -> datetime:
    """The present instant, in UTC with zone; microseconds kept."""
    return datetime.now(UTC)
