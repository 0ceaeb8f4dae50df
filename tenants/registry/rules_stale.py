"""How long sessions may be silent before they count as ended (RAD-5); pure."""

import re
from typing import Final

FEWEST_INTERVALS: Final = 2  # one report may get lost
MOST_MINUTES: Final = 7 * 24 * 60
_INTERIM: Final = re.compile(
    r"^[ \t]*Acct-Interim-Interval[ \t]*(?::|\+)?=[ \t]*\"?([0-9]{1,6})\b", re.MULTILINE | re.IGNORECASE
)


def interim_of(extra: str, usual_seconds: int) -> int:
    """How often a router with these extra attributes is told to report."""
    own = _INTERIM.search(extra)
    return int(own[1]) if own and int(own[1]) else usual_seconds


def fewest_minutes(interim_seconds: int) -> int:
    """The shortest stale time that goes with an accounting interval."""
    return -(-FEWEST_INTERVALS * interim_seconds // 60)
