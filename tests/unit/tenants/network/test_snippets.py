"""The configuration to paste into routers, held as golden files: what a network engineer reviewed stays as it is."""

from pathlib import Path

import pytest

from tenants.network.snippets import SnippetFacts, snippet
from tenants.network.vendors import VENDORS

GOLDEN = Path(__file__).parents[3] / "golden" / "snippets"
FACTS = SnippetFacts(
    identifier="qingteng-minzhi",
    secret="Kf7wQ-2mZt9-xHb4s-Rn8pd",
    server="203.0.113.10",
    auth_port=1812,
    acct_port=1813,
    coa_port=3799,
    interim_seconds=300,
    coa_sources=("203.0.113.10", "203.0.113.11"),
)


@pytest.mark.parametrize("vendor", ["mikrotik", "huawei", "cisco", "h3c", "standard"])
def test_golden(vendor: str) -> None:
    path = GOLDEN / f"{vendor}.txt"
    assert snippet(vendor, FACTS).text == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("vendor", VENDORS)
def test_every_make_gets_all_that_it_needs(vendor: str) -> None:
    text = snippet(vendor, FACTS).text
    for fact in (FACTS.identifier, FACTS.secret, FACTS.server, "1812", "1813"):
        assert fact in text


def test_optional_message_authenticator_is_not_demanded_from_routeros() -> None:
    from dataclasses import replace

    assert "require-message-auth=no " in snippet("mikrotik", replace(FACTS, message_authenticator="optional")).text


def test_intervals_below_a_minute_stay_one_minute() -> None:
    from dataclasses import replace

    assert "interval 1" in snippet("huawei", replace(FACTS, interim_seconds=30)).text


def test_the_keys_are_those_of_the_dialects() -> None:
    folder = Path(__file__).parents[4] / "infra" / "radius_text" / "dialect_data"
    assert set(VENDORS) == {path.stem for path in folder.glob("*.txt")}
