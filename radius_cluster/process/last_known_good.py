"""What the database last said of each account that logged in here: used only while the database is away (RAD-10)."""

from collections import deque
from collections.abc import Iterable
from typing import Any, Final

# Some 50 MB in all. Freeing one generation takes a millisecond in which no packet is answered: so they are small.
_MOST_OF_A_GENERATION: Final = 2_500
_GENERATIONS: Final = 40

Key = tuple[int, str]
Generation = dict[Key, Any]


class LastKnownGood:
    """Rows of the login query by tenant and user name, in generations: when the youngest is full, the oldest goes."""

    __slots__ = ("_older", "_young")

    def __init__(self) -> None:
        self._young: Generation = {}
        self._older: deque[Generation] = deque(maxlen=_GENERATIONS - 1)  # the youngest of them first

    def __len__(self) -> int:
        return len(self._young) + sum(map(len, self._older))

    def remember(self, keys: Iterable[Key], rows: Iterable[Any]) -> None:
        """Keep a batch of rows, each under its (tenant id, user name); they replace older ones."""
        young = self._young
        young.update(zip(keys, rows, strict=True))
        if len(young) >= _MOST_OF_A_GENERATION:
            self._older.appendleft(young)
            self._young = {}

    def recall(self, tenant_id: int, user_name: str) -> Any:
        """The row, or None."""
        key = (tenant_id, user_name)
        for generation in (self._young, *self._older):
            row = generation.get(key)
            if row is not None:
                return row
        return None
