"""What the database last said of each account that logged in here: used only while the database is away (RAD-10)."""

from typing import Any, Final

_MOST_OF_A_GENERATION: Final = 50_000  # two of them: some 45 MB


class LastKnownGood:
    """Rows of the login query by tenant and user name, in two generations: when the younger is full, the older goes."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[tuple[int, str], Any] = {}
        self._old: dict[tuple[int, str], Any] = {}

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def remember(self, tenant_id: int, user_name: str, row: Any) -> None:
        """Keep the row; replaces an older one."""
        young = self._young
        young[tenant_id, user_name] = row
        if len(young) >= _MOST_OF_A_GENERATION:
            self._old, self._young = young, {}

    def recall(self, tenant_id: int, user_name: str) -> Any:
        """The row, or None."""
        key = (tenant_id, user_name)
        return self._young.get(key) or self._old.get(key)
