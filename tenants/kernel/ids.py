"""Order and receipt numbers: a series per tenant, counted without gaps (billing-rules.md, last section)."""

from datetime import date


def order_number(prefix: str, day: date, count: int) -> str:
    """``D20261122000123``: the tenant's local day is for the reader only; ``count`` alone is unique and gapless."""
    return f"{prefix}{day:%Y%m%d}{count:06d}"
