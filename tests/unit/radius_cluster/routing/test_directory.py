"""Whose packet it is, however somebody wrote the identifier into his router."""

from types import SimpleNamespace
from typing import Any

import pytest

from radius_cluster.routing.directory import Directory


@pytest.fixture
def directory() -> Any:
    made: Any = Directory()
    made.by_identifier = {b"isp-core": "core", b"isp-Edge": "edge", b"isp-edge": "other"}
    made.by_address = {"192.0.2.1": "fixed"}
    made.by_prefix = {"isp": SimpleNamespace(slug="isp"), "isp-west": SimpleNamespace(slug="isp-west")}
    return made


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        (b"isp-core", "core"),
        (b"ISP-Core", "core"),
        (b" isp-core ", "core"),
        (b"isp-core\0", "core"),
        (b"isp-Edge", "edge"),
        (b"ISP-EDGE", "other"),
        (b"isp-cor", "fixed"),
        (b"", "fixed"),
        (None, "fixed"),
    ],
)
def test_an_identifier_typed_by_hand(directory: Any, identifier: bytes | None, found: str) -> None:
    assert directory.find(identifier, "192.0.2.1") == found


@pytest.mark.parametrize(
    ("identifier", "slug"), [("isp-new", "isp"), ("ISP-New", "isp"), ("Isp-West-1", "isp-west"), ("ISP", "isp")]
)
def test_an_unknown_one_is_shown_to_whom_its_prefix_names(directory: Any, identifier: str, slug: str) -> None:
    assert directory.tenant_of_prefix(identifier).slug == slug


def test_a_prefix_of_nobody(directory: Any) -> None:
    assert directory.tenant_of_prefix("MikroTik") is None
