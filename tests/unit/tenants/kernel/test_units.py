"""Rates and volumes as people type them."""

import pytest

from tenants.kernel.units import BINARY_MEGABIT, BadQuantityOfData, BadRate, gigabytes, hours, rate_bps, show_rate


@pytest.mark.parametrize(
    ("text", "bps"), [("2M", 2_000_000), ("512k", 512_000), ("1G", 10**9), ("64000", 64_000), ("1.5m", 1_500_000)]
)
def test_rates(text: str, bps: int) -> None:
    assert rate_bps(text) == bps
    assert rate_bps(show_rate(bps)) == bps


@pytest.mark.parametrize("text", ["0", "0M", "2 Mbit", "2Mb", "-1M", "", "M", "1e6", "9999G", "1.0001k", "２M"])
def test_rates_that_are_refused(text: str) -> None:
    with pytest.raises(BadRate):
        rate_bps(text)


def test_a_tenant_may_count_megabits_in_binary() -> None:
    assert rate_bps("2M", megabit=BINARY_MEGABIT) == 2 * 1_048_576
    assert show_rate(2 * 1_048_576, megabit=BINARY_MEGABIT) == "2M"


def test_volumes_and_hours() -> None:
    assert gigabytes("10") == 10 * 1024**3
    assert gigabytes("0.5", gigabyte=10**9) == 500_000_000
    assert hours("1.5") == 5400
    for text in ("0", "-1", "1.0001", "ten", ""):
        with pytest.raises(BadQuantityOfData):
            gigabytes(text)
