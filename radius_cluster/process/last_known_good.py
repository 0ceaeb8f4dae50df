"""What the database last said of each account that logged in here: used only while the database is away (RAD-10).

Kept as text, some 100 octets an account, and read only when it is needed. As objects they made a login 5 % dearer: what
is kept for long comes back as memory that the processor's cache has forgotten.
"""

import marshal
import zlib
from collections import deque
from collections.abc import Iterator
from itertools import takewhile
from typing import Any, Final

from radius_cluster.process.login_sql import ORDINAL

_MOST_ROWS: Final = 100_000  # one of each account: some 12 MB
_CLEAR_UP_AT: Final = 120_000  # rows, earlier ones of the same accounts among them
_MOST_WITH_EARLIER: Final = 140_000
_ROWS_AT_ONCE: Final = 2_000  # of the clearing up: two milliseconds
# Written and read by this process only. The older format does not look for values that occur twice, which takes longer
# than all the rest.
_FORMAT: Final = 2
# Rows that have something special (quotas, bindings) carry a JSON text with the same names in each: it shrinks tenfold.
_LONG_ROW_OCTETS: Final = 250
_MOST_FIRST_LOGINS: Final = 20_000

Key = tuple[int, str]
Row = tuple[Any, ...]
Kept = tuple[int, bytes]  # how many rows, their text


class LastKnownGood:
    """Rows of the login query by tenant and user name; the oldest are forgotten."""

    __slots__ = ("_batches", "_clearing", "_first_logins", "_index", "_indexed", "_rows")

    def __init__(self) -> None:
        self._batches: deque[Kept] = deque()  # the youngest first
        self._rows = 0
        self._index: dict[Key, Any] = {}  # of the ``_indexed`` youngest batches
        self._indexed = 0
        self._clearing: Iterator[None] | None = None
        self._first_logins: dict[tuple[int, int], None] = {}  # the oldest first

    def __len__(self) -> int:
        return self._rows

    def remember(self, tenant_ids: list[int], names: list[str], rows: list[Row]) -> None:
        """Keep what the login query gave for these tenants and user names; it counts more than what came earlier."""
        self._batches.appendleft((len(rows), _text_of(tenant_ids, names, rows)))
        self._rows += len(rows)
        self._forget_beyond(_MOST_WITH_EARLIER)
        if self._indexed:
            self.close()

    def note_first_login(self, tenant_id: int, account_id: int) -> None:
        """It is written down that the account's period begins; what is kept of the account is from before that."""
        if len(self._first_logins) >= _MOST_FIRST_LOGINS:
            del self._first_logins[next(iter(self._first_logins))]
        self._first_logins[tenant_id, account_id] = None

    def has_begun(self, tenant_id: int, account_id: int) -> bool:
        """Whether its first login is written down: the next one may come from memory."""
        return (tenant_id, account_id) in self._first_logins

    def tick(self) -> None:
        """Twice a second: a piece of the clearing up, when there is much that later logins took the place of.

        Else some devices that dial all the time would push everybody else out.
        """
        if self._indexed:  # the database is away: now it is needed as it is
            self._clearing = None
            return
        if self._clearing is None and self._rows > _CLEAR_UP_AT:
            self._clearing = self._clear_up()
        if self._clearing is not None:
            next(self._clearing)

    def recall(self, tenant_id: int, user_name: str) -> Any:
        """The row, or None. Reads as many batches as it takes, from the youngest on, and keeps them at hand."""
        key = (tenant_id, user_name)
        index = self._index
        while key not in index and self._indexed < len(self._batches):
            batch = self._batches[self._indexed]
            self._indexed += 1
            for one, row in _read(batch):
                index.setdefault(one, row)
        return index.get(key)

    def close(self) -> None:
        """Put away what was read: the database is back."""
        self._index = {}
        self._indexed = 0

    def _clear_up(self) -> Iterator[None]:
        """Keep the youngest row of each account, in new batches that take the place of the old ones at the end."""
        old = list(self._batches)
        seen: set[int] = set()  # hashes: a third of the memory, and nobody can choose them
        kept: list[Kept] = []
        last: list[tuple[Key, Row]] = []
        looked_at = 0
        for batch in old:
            for key, row in _read(batch):
                mark = hash(key)
                if mark not in seen:
                    seen.add(mark)
                    last.append((key, row))
            if len(last) >= _ROWS_AT_ONCE:
                kept.append(_batch_of(last))
                last = []
            looked_at += batch[0]
            if looked_at >= _ROWS_AT_ONCE:
                looked_at = 0
                yield
        if last:
            kept.append(_batch_of(last))
        since = takewhile(lambda batch: batch is not old[0], self._batches)  # came while we were at it
        self._batches = deque([*since, *kept])
        self._rows = sum(rows for rows, _ in self._batches)
        self._forget_beyond(_MOST_ROWS)
        self._clearing = None
        yield

    def _forget_beyond(self, most_rows: int) -> None:
        while self._rows > most_rows and len(self._batches) > 1:
            self._rows -= self._batches.pop()[0]


def _text_of(tenant_ids: list[int], names: list[str], rows: list[Row]) -> bytes:
    text = marshal.dumps((tenant_ids, names, rows), _FORMAT)
    if len(text) > _LONG_ROW_OCTETS * len(rows):
        text = marshal.dumps(zlib.compress(text, 1), _FORMAT)
    return text


def _read(batch: Kept) -> Iterator[tuple[Key, Row]]:
    """The rows and whose they are, the last first: it counts where somebody logged in twice in a batch."""
    kept = marshal.loads(batch[1])  # noqa: S302  our own text
    tenant_ids, names, rows = marshal.loads(zlib.decompress(kept)) if isinstance(kept, bytes) else kept  # noqa: S302
    for row in reversed(rows):
        at = row[ORDINAL] - 1
        yield (tenant_ids[at], names[at]), row


def _batch_of(rows: list[tuple[Key, Row]]) -> Kept:
    tenant_ids, names = [tenant_id for (tenant_id, _), _ in rows], [name for (_, name), _ in rows]
    numbered = [(*row[:ORDINAL], at, *row[ORDINAL + 1 :]) for at, (_, row) in enumerate(rows, 1)]
    return len(rows), _text_of(tenant_ids, names, numbered)
