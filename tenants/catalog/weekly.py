"""Days of the week and times of the day as people write them, for the windows of a plan group (PLN-7). Pure."""

import re
from datetime import time

from tenants.catalog.errors import BadDays, BadTimeOfDay

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EVERY_DAY = 127


def parse_days(text: str, *, field: str = "days") -> int:
    """``mon-fri,sun`` or ``all`` → bits, Monday is bit 0; ``fri-mon`` goes over the weekend. Raises BadDays."""
    mask = 0
    for part in re.split(r"[\s,]+", text.strip().lower()):
        if part in ("all", "every-day"):
            return EVERY_DAY
        first, dash, last = part.partition("-")
        last = last if dash else first
        if first not in DAYS or last not in DAYS:
            raise BadDays(field=field, value=text[:40])
        at, end = DAYS.index(first), DAYS.index(last)
        mask |= 1 << at
        while at != end:
            at = (at + 1) % 7
            mask |= 1 << at
    return mask


def show_days(mask: int) -> str:
    """The shortest form that :func:`parse_days` reads: ``mon-fri,sun``."""
    if mask == EVERY_DAY:
        return "all"
    parts, at = [], 0
    while at < 7:
        end = at
        while end + 1 < 7 and mask >> (end + 1) & 1:
            end += 1
        if mask >> at & 1:
            parts.append(DAYS[at] if end == at else f"{DAYS[at]}-{DAYS[end]}")
            at = end
        at += 1
    return ",".join(parts)


def parse_time_of_day(text: str, *, field: str) -> time:
    """``08:30``; ``24:00`` is midnight. Raises BadTimeOfDay."""
    found = re.fullmatch(r"(\d{1,2}):(\d{2})", text.strip())
    if found is not None:
        hour, minute = int(found[1]), int(found[2])
        if (hour, minute) == (24, 0):
            return time()
        if hour < 24 and minute < 60:
            return time(hour, minute)
    raise BadTimeOfDay(field=field, value=text[:20])
