"""Keep how a person wants a list shown: columns and page size, on every device (looks.md, "Lists")."""

from infra.tenant_scope import TenantScope
from tenants.staff.models import Operator

LONGEST = 500


def remember_view(scope: TenantScope, operator_id: int, name: str, value: str) -> None:
    """``value`` is what the list component makes of the choice; nobody's business but the person's, so not logged."""
    operator = scope.session.get(Operator, operator_id, with_for_update=True)
    if operator is None or len(value) > LONGEST:
        return
    operator.preferences = {**operator.preferences, "views": {**operator.preferences.get("views", {}), name: value}}
