"""The ten plans that a new ISP finds, to be sold or changed (TEN-1)."""

from typing import Final, NamedTuple

MEGABIT = 1_000_000
GIGABYTE = 1024**3


class StarterGroup(NamedTuple):
    """Plans of one speed."""

    name_en: str
    name_zh: str
    up_bps: int
    down_bps: int
    pool: str


class StarterPlan(NamedTuple):
    """``yuan`` for tenants that count in CNY, ``dollars`` for all others."""

    group: int
    name_en: str
    name_zh: str
    kind: str
    yuan: str
    dollars: str
    quota_octets: int | None = None
    validity_days: int | None = None


GROUPS: Final = (
    StarterGroup("Home 100M", "家庭 100M", 20 * MEGABIT, 100 * MEGABIT, ""),
    StarterGroup("Home 300M", "家庭 300M", 30 * MEGABIT, 300 * MEGABIT, ""),
    StarterGroup("Business 1000M", "商务 1000M", 100 * MEGABIT, 1000 * MEGABIT, ""),
    StarterGroup("Guest 20M", "临时 20M", 5 * MEGABIT, 20 * MEGABIT, ""),
)
PLANS: Final = (
    StarterPlan(0, "100M monthly", "100M 包月", "month", "50.00", "15.00"),
    StarterPlan(0, "100M quarterly", "100M 包季", "quarter", "140.00", "42.00"),
    StarterPlan(0, "100M half-yearly", "100M 包半年", "half-year", "270.00", "80.00"),
    StarterPlan(0, "100M yearly", "100M 包年", "year", "500.00", "150.00"),
    StarterPlan(1, "300M monthly", "300M 包月", "month", "80.00", "25.00"),
    StarterPlan(1, "300M yearly", "300M 包年", "year", "800.00", "250.00"),
    StarterPlan(2, "1000M monthly", "1000M 包月", "month", "160.00", "50.00"),
    StarterPlan(2, "1000M yearly", "1000M 包年", "year", "1600.00", "500.00"),
    StarterPlan(3, "Day pass", "按天上网", "day", "5.00", "1.50"),
    StarterPlan(3, "50 GB, valid 30 days", "50 GB 流量 30 天", "traffic", "30.00", "9.00", 50 * GIGABYTE, 30),
)
