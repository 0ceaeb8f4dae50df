"""Changes, disables and enables a member of staff, and gives him a new password (STF-2, STF-5)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.crypto import hash_password
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.registry.rules import check_email, check_name, check_password, check_phone
from tenants.staff.add_operator import bind_regions, giveable_role
from tenants.staff.errors import OperatorNotFound, OwnerIsFixed
from tenants.staff.models import Operator


@dataclass(frozen=True, slots=True)
class EditOperator:
    """The whole form; ``region_ids`` None = all regions; ``new_password`` "" = unchanged."""

    operator_id: int
    role_id: int
    name: str
    email: str = ""
    phone: str = ""
    region_ids: tuple[int, ...] | None = None
    own_accounts_only: bool = False
    disabled: bool = False
    new_password: str = ""


def edit_operator(scope: TenantScope, command: EditOperator, *, actor: Actor, now: datetime) -> None:
    """Disabling or a new password ends the operator's sessions. Raises Forbidden, OwnerIsFixed, CannotGiveMore …"""
    actor.require("staff.edit")
    operator = scope.session.get(Operator, command.operator_id, with_for_update=True)
    if operator is None:
        raise OperatorNotFound(what="operator", ref=command.operator_id)
    if operator.is_owner and (command.role_id != operator.role_id or command.disabled or not actor.everything):
        raise OwnerIsFixed()
    if command.role_id != operator.role_id:
        giveable_role(scope, command.role_id, actor)
    before = _facts(operator)
    operator.role_id = command.role_id
    operator.name = check_name(command.name)
    operator.email = check_email(command.email) if command.email else ""
    operator.phone = check_phone(command.phone)
    operator.all_regions = command.region_ids is None
    operator.own_accounts_only = command.own_accounts_only
    bind_regions(scope, operator.id, command.region_ids)
    if command.disabled != (operator.disabled_at is not None):
        actor.require("staff.delete")
        operator.disabled_at = now if command.disabled else None
        operator.session_epoch += 1
    if command.new_password:
        check_password(command.new_password, operator.username, operator.email, operator.name, field="new_password")
        operator.password_hash = hash_password(command.new_password)
        operator.must_change_password = operator.id != actor.id
        operator.failed_logins, operator.locked_until = 0, None
        operator.session_epoch += 1
    record(
        scope,
        actor=actor,
        action="staff.edit",
        object_kind="operator",
        object_id=operator.id,
        object_label=operator.username,
        before=before,
        after=_facts(operator) | ({"password": "changed"} if command.new_password else {}),
        now=now,
    )


def _facts(operator: Operator) -> dict[str, Any]:
    return {
        "role_id": operator.role_id,
        "name": operator.name,
        "email": operator.email,
        "phone": operator.phone,
        "all_regions": operator.all_regions,
        "own_accounts_only": operator.own_accounts_only,
        "disabled": operator.disabled_at is not None,
    }
