"""What the database last said of each account that logged in here: used only while the database is away (RAD-10).

Kept as text, some 100 octets an account, and read only when it is needed. As objects they made a login 5 % dearer: what
is kept for long comes back as memory that the processor's cache has forgotten.
"""

import marshal
import zlib
from collections import deque
from typing import Any, Final

from radius_cluster.process.login_sql import ORDINAL

_MOST_ROWS: Final = 100_000  # some 12 MB
# Written and read by this process only. The older format does not look for values that occur twice, which takes longer
# than all the rest.
_FORMAT: Final = 2
# Rows that have something special (quotas, bindings) carry a JSON text with the same names in each: it shrinks tenfold.
_LONG_ROW_OCTETS: Final = 250

Key = tuple[int, str]


class LastKnownGood:
    """Rows of the login query by tenant and user name; the oldest are forgotten."""

    __slots__ = ("_batches", "_index", "_indexed", "_rows")

    def __init__(self) -> None:
        self._batches: deque[tuple[int, bytes]] = deque()  # (how many rows, their text), the youngest first
        self._rows = 0
        self._index: dict[Key, Any] = {}  # of the ``_indexed`` youngest batches
        self._indexed = 0

    def __len__(self) -> int:
        return self._rows

    def remember(self, tenant_ids: list[int], names: list[str], rows: list[tuple[Any, ...]]) -> None:
        """Keep what the login query gave for these tenants and user names; it counts more than what came earlier."""
        text = marshal.dumps((tenant_ids, names, rows), _FORMAT)
        if len(text) > _LONG_ROW_OCTETS * len(rows):
            text = marshal.dumps(zlib.compress(text, 1), _FORMAT)
        self._batches.appendleft((len(rows), text))
        self._rows += len(rows)
        while self._rows > _MOST_ROWS and len(self._batches) > 1:
            self._rows -= self._batches.pop()[0]
        if self._indexed:
            self.close()

    def recall(self, tenant_id: int, user_name: str) -> Any:
        """The row, or None. Reads as many batches as it takes, from the youngest on, and keeps them at hand."""
        key = (tenant_id, user_name)
        index = self._index
        while key not in index and self._indexed < len(self._batches):
            kept = marshal.loads(self._batches[self._indexed][1])  # noqa: S302  our own text
            tenant_ids, names, rows = marshal.loads(zlib.decompress(kept)) if isinstance(kept, bytes) else kept  # noqa: S302
            self._indexed += 1
            for row in reversed(rows):
                at = row[ORDINAL] - 1
                index.setdefault((tenant_ids[at], names[at]), row)
        return index.get(key)

    def close(self) -> None:
        """Put away what was read: the database is back."""
        self._index = {}
        self._indexed = 0
