"""Order and receipt numbers: a series per tenant, counted without gaps (billing-rules.md, last section)."""

from datetime import date
from functools import lru_cache


def order_number(prefix: str, day: date, count: int) -> str:
    """``D20261122000123``: the tenant's local day is for the reader only; ``count`` alone is unique and gapless."""
    return f"{number_prefix(prefix, day)}{count:06d}"


@lru_cache(maxsize=64)
def number_prefix(prefix: str, day: date) -> str:
    """All of a number but its count."""
    return f"{prefix}{day:%Y%m%d}"
