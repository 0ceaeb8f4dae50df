"""Huge pages for the embedded database: taken where they leave the machine enough, never where they do not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.embedded.huge_pages import HugePages, container_allows, read_huge_pages

MEGABYTE = 2**20
PAGE = 2 * MEGABYTE


def test_linux_says_how_many_pages_there_are() -> None:
    text = (
        "MemTotal:       24622300 kB\nMemAvailable:   20000000 kB\nHugePages_Total:     620\nHugePages_Free:      577\n"
        "HugePages_Rsvd:      512\nHugePages_Surp:       20\nHugepagesize:       2048 kB\nHugetlb:         1269760 kB\n"
    )
    assert read_huge_pages(text) == HugePages(size=PAGE, free=65, beyond=20, available=20_000_000 * 1024)


def test_a_kernel_without_huge_pages_has_none() -> None:
    assert read_huge_pages("MemTotal: 1 kB\nMemAvailable: 1 kB\n") is None
    assert read_huge_pages("") is None


def test_nothing_is_raised_where_enough_are_set_aside() -> None:
    # 1024 MB of buffers: (1152 + 64) / 2 = 608 pages
    assert HugePages(PAGE, free=608, beyond=0, available=0).limit_for(1024 * MEGABYTE) == 0
    assert HugePages(PAGE, free=607, beyond=0, available=64_000 * MEGABYTE).limit_for(1024 * MEGABYTE) == 608


def test_those_of_other_programs_are_counted_in() -> None:
    assert HugePages(PAGE, free=0, beyond=100, available=64_000 * MEGABYTE).limit_for(1024 * MEGABYTE) == 708


@given(st.integers(1, 10**6), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 10**6))
def test_never_more_than_a_quarter_of_what_is_available(buffers: int, free: int, beyond: int, available: int) -> None:
    limit = HugePages(PAGE, free, beyond, available * MEGABYTE).limit_for(buffers * MEGABYTE)
    if limit:
        pages = limit - beyond
        assert buffers * MEGABYTE < pages * PAGE <= available * MEGABYTE / 4


@pytest.mark.parametrize(
    ("limit", "allowed"), [("max", True), ("0", False), (str(PAGE - 1), False), (str(PAGE), True), ("", True)]
)
def test_a_container_that_may_not_write_to_huge_pages_asks_for_none(tmp_path: Path, limit: str, allowed: bool) -> None:
    (tmp_path / "hugetlb.2MB.max").write_text(limit + "\n")
    names = [f"{tmp_path}/nowhere", f"{tmp_path}/hugetlb.{{megabytes}}MB.max"]
    assert container_allows(PAGE, PAGE, names) is allowed
    assert container_allows(PAGE, 2**30, names)  # a limit of other pages
