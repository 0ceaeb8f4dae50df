"""Huge pages for the embedded database's shared memory.

A row of a packet lies somewhere in some hundred megabytes, and where pages have 4 KiB the processor has forgotten where
in memory each of them is: in a virtual machine it takes two dozen look-ups to find out. With pages of 2 MiB logins cost
PostgreSQL a tenth less (docs/performance.md). Linux gives them up to a limit that is 0 by default; root may raise it.
The pages are taken when the server starts and given back when it ends.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import ceil
from pathlib import Path

_MEMORY = Path("/proc/meminfo")
# How many pages Linux may make beyond those that are set aside for good: none is taken before a program asks.
_LIMIT = Path("/proc/sys/vm/nr_overcommit_hugepages")
# Containers may be kept from huge pages by a limit that strikes when they are written to, not when they are asked for:
# the server would die of it. Both versions of control groups, as they are seen from inside a container.
_CONTAINER_LIMITS = (
    "/sys/fs/cgroup/hugetlb.{megabytes}MB.max",
    "/sys/fs/cgroup/hugetlb/hugetlb.{megabytes}MB.limit_in_bytes",
)
_BESIDE_BUFFERS = 1.125  # what PostgreSQL keeps in shared memory for each octet of buffers, and
_BESIDE_ALL_OCTETS = 64 * 2**20  # whatever their number (locks, WAL, statistics)
_MOST_OF_MEMORY = 4  # of what is available at most one in so many octets, because nothing else can use them then


@dataclass(frozen=True, slots=True)
class HugePages:
    """What Linux says of its huge pages; sizes in octets, the rest numbers of pages."""

    size: int
    free: int  # set aside and not promised to anybody
    beyond: int  # made beyond those set aside
    available: int  # octets of memory that programs can still get

    def wanted_for(self, buffers: int) -> int:
        """Pages for a server with so many octets of buffers."""
        return ceil((buffers * _BESIDE_BUFFERS + _BESIDE_ALL_OCTETS) / self.size)

    def limit_for(self, buffers: int) -> int | None:
        """Pages that must be allowed beyond those set aside.

        0 when enough are set aside, None when there is too little memory for it.
        """
        wanted = self.wanted_for(buffers)
        if wanted <= self.free:
            return 0
        return self.beyond + wanted if wanted * self.size * _MOST_OF_MEMORY <= self.available else None


def read_huge_pages(text: str) -> HugePages | None:
    """From the text of /proc/meminfo; None where the kernel has no huge pages."""
    numbers: dict[str, int] = {}
    for line in text.splitlines():
        name, _, value = line.partition(":")
        words = value.split()
        if words and words[0].isdigit():
            numbers[name] = int(words[0]) * (1024 if words[1:] == ["kB"] else 1)
    try:
        return HugePages(
            size=numbers["Hugepagesize"],
            free=max(0, numbers["HugePages_Free"] - numbers["HugePages_Rsvd"]),
            beyond=numbers["HugePages_Surp"],
            available=numbers["MemAvailable"],
        )
    except KeyError:
        return None


def container_allows(octets: int, page_size: int, limits: Sequence[str] = _CONTAINER_LIMITS) -> bool:
    """Whether no control group of ours forbids so many octets in huge pages. A file that is missing limits nothing."""
    for name in limits:
        with suppress(OSError):
            text = Path(name.format(megabytes=page_size // 2**20)).read_text().strip()
            if text.isdigit() and int(text) < octets:
                return False
    return True


def allow_huge_pages(buffers: int) -> bool:
    """Whether a server with so many octets of buffers gets huge pages; the limit is raised where we may."""
    try:
        pages = read_huge_pages(_MEMORY.read_text())
        limit = None if pages is None else pages.limit_for(buffers)
        if pages is None or limit is None or not container_allows(pages.wanted_for(buffers) * pages.size, pages.size):
            return False
        if limit > int(_LIMIT.read_text()):
            _LIMIT.write_text(str(limit))
    except (OSError, ValueError):  # not root, a container, another system
        return False
    return True
