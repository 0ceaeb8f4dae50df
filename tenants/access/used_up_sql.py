"""Whether a quota is used up, as an SQL condition: what rules_quota.left says of both units (a test compares them)."""

from typing import Final

from tenants.usage.rules_quota import QUOTA_DAY, QUOTA_MONTH, WHOLE_PERIOD

# Over ``u``, a row of aaa.subscriber with a quota, and ``q``, its row of aaa.quota_use, or nulls.
_WINDOW: Final = f"""CASE u.quota_kind WHEN {QUOTA_DAY} THEN {{day}} WHEN {QUOTA_MONTH}
  THEN date_trunc('month', {{day}})::date ELSE date '{WHOLE_PERIOD}' END"""
_UNIT: Final = """(u.quota_{unit} IS NOT NULL AND CASE
  WHEN q.epoch = u.quota_epoch AND q.window_on = {window}
    THEN u.quota_{unit} - q.{unit} + greatest(0, u.pack_{unit} - q.over_{unit})
  WHEN q.epoch = u.quota_epoch
    THEN u.quota_{unit} + greatest(0, u.pack_{unit} - q.over_{unit} - greatest(0, q.{unit} - u.quota_{unit}))
  ELSE u.quota_{unit} + greatest(0, u.pack_{unit}) END <= 0)"""


def used_up_sql(day: str) -> str:
    """``day``: an expression, the day of the tenant's calendar."""
    window = _WINDOW.format(day=day)
    return f"({' OR '.join(_UNIT.format(unit=unit, window=window) for unit in ('octets', 'seconds'))})"
