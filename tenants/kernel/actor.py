"""Who asks: passed to every operation, written to orders and the audit log."""

from dataclasses import dataclass, field
from typing import Literal

from tenants.kernel.errors import Forbidden

ActorKind = Literal["operator", "subscriber", "agent", "system", "platform", "cli"]


@dataclass(frozen=True, slots=True)
class Actor:
    """The person or process behind an operation.

    ``region_ids`` None means all regions; ``own_accounts_only`` limits an operator to accounts that he opened (STF-2).
    """

    kind: ActorKind
    id: int | None
    name: str
    permissions: frozenset[str] = field(default_factory=frozenset)
    everything: bool = False  # the owner and the system itself: no permission is asked for
    region_ids: frozenset[int] | None = None
    own_accounts_only: bool = False
    address: str = ""

    def may(self, permission: str) -> bool:
        """Whether the actor has this right."""
        return self.everything or permission in self.permissions

    def require(self, permission: str) -> None:
        """Raises :class:`Forbidden` naming the missing right."""
        if not self.may(permission):
            raise Forbidden(permission=permission)


SYSTEM = Actor("system", None, "system", everything=True)
