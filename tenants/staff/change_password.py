"""A member of staff changes the own password; other sessions of his end (STF-5)."""

from dataclasses import dataclass
from datetime import datetime

from infra.crypto import hash_password, verify_password
from infra.tenant_scope import TenantScope
from tenants.audit.record import record
from tenants.kernel.actor import Actor
from tenants.registry.rules import check_password
from tenants.staff.errors import OperatorNotFound, PasswordIsSame, WrongOldPassword
from tenants.staff.models import Operator


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Old and new, as typed."""

    old_password: str
    new_password: str


def change_password(scope: TenantScope, command: ChangePassword, *, actor: Actor, now: datetime) -> int:
    """Returns the new session epoch, which the present session takes over.

    Raises :class:`WrongOldPassword`, :class:`PasswordIsSame`, :class:`WeakPassword`.
    """
    operator = scope.session.get(Operator, actor.id, with_for_update=True) if actor.kind == "operator" else None
    if operator is None:
        raise OperatorNotFound(what="operator", ref=actor.name)
    if not verify_password(operator.password_hash, command.old_password):
        raise WrongOldPassword(field="old_password")
    if command.new_password == command.old_password:
        raise PasswordIsSame(field="new_password")
    check_password(command.new_password, operator.username, operator.email, operator.name, field="new_password")
    operator.password_hash = hash_password(command.new_password)
    operator.must_change_password = False
    operator.session_epoch += 1
    record(
        scope,
        actor=actor,
        action="staff.change_password",
        object_kind="operator",
        object_id=operator.id,
        object_label=operator.username,
        now=now,
    )
    return operator.session_epoch
