"""Which router is to be warned of the certificate that it shows (RAD-1)."""

from datetime import UTC, datetime, timedelta

import pytest

from tenants.network.rules_certificates import Ending, Shown, ending_of

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def shown(number: int, *, ends: int | None, used: int | None, made: int = -700) -> Shown:
    """Instants in days from now."""
    at = [None if days is None else NOW + days * DAY for days in (ends, used)]
    return Shown(number, NOW + made * DAY, at[0], at[1])


@pytest.mark.parametrize(
    ("valid", "heard", "expected"),
    [
        pytest.param([], 0, None, id="none"),
        pytest.param([shown(1, ends=61, used=-1)], 0, None, id="long enough"),
        pytest.param([shown(1, ends=59, used=-1)], 0, Ending(NOW + 59 * DAY, None), id="soon"),
        pytest.param([shown(1, ends=5, used=None)], 0, None, id="never shown"),
        pytest.param([shown(1, ends=5, used=-400)], 0, Ending(NOW + 5 * DAY, None), id="a connection of long ago"),
        pytest.param([shown(1, ends=-3, used=-9)], -3, Ending(NOW - 3 * DAY, None), id="over, and silent since"),
        pytest.param([shown(1, ends=-3, used=-9)], -1, None, id="over, and comes in another way"),
        pytest.param(
            [shown(1, ends=5, used=-1), shown(2, ends=900, used=None, made=-2)],
            0,
            Ending(NOW + 5 * DAY, NOW - 2 * DAY),
            id="the next one lies about",
        ),
        pytest.param([shown(1, ends=5, used=-2), shown(2, ends=900, used=-1)], 0, None, id="changed over"),
        pytest.param([shown(1, ends=5, used=-2), shown(2, ends=None, used=-1)], 0, None, id="a key now"),
        pytest.param(
            [shown(1, ends=900, used=-2), shown(2, ends=5, used=-1)],
            0,
            Ending(NOW + 5 * DAY, NOW - 700 * DAY),
            id="changed to one that ends sooner",
        ),
    ],
)
def test_what_a_router_showed_last_counts(valid: list[Shown], heard: int, expected: Ending | None) -> None:
    assert ending_of(valid, NOW + heard * DAY, NOW) == expected


def test_it_is_over_at_its_end() -> None:
    ending = Ending(NOW, None)
    assert ending.is_over(NOW)
    assert not ending.is_over(NOW - timedelta(seconds=1))
