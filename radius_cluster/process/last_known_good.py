"""What the database last said of each account that logged in here: used only while the database is away (RAD-10)."""

from collections import deque
from typing import Any, Final

# Some 50 MB in all. Freeing one generation takes a millisecond in which no packet is answered: so they are small.
_MOST_OF_A_GENERATION: Final = 2_500
_GENERATIONS: Final = 40

Generation = dict[tuple[int, str], Any]


class LastKnownGood:
    """Rows of the login query by tenant and user name, in generations: when the youngest is full, the oldest goes."""

    __slots__ = ("_older", "_young")

    def __init__(self) -> None:
        self._young: Generation = {}
        self._older: deque[Generation] = deque(maxlen=_GENERATIONS - 1)  # the youngest of them first

    def __len__(self) -> int:
        return len(self._young) + sum(map(len, self._older))

    def remember(self, tenant_id: int, user_name: str, row: Any) -> None:
        """Keep the row; replaces an older one."""
        young = self._young
        young[tenant_id, user_name] = row
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
