"""Columns and page sizes are kept with the operator, so that they are the same on every device."""

from dataclasses import dataclass

from infra.tenant_scope import TenantScope
from tenants.staff.remember_view import remember_view


@dataclass(slots=True)
class OperatorViews:
    """What one operator chose (``portals.shared.lists.ViewMemory``)."""

    scope: TenantScope
    operator_id: int
    views: dict[str, str]

    def read(self, name: str) -> str:
        """What was kept for a list, "" for nothing."""
        return self.views.get(name, "")

    def write(self, name: str, value: str) -> None:
        """Keep it with the operator."""
        self.views[name] = value
        remember_view(self.scope, self.operator_id, name, value)
