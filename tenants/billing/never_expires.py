"""Set or end *never expires* (SUB-9)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from tenants.billing.context import Context, is_waiting, refuse_state
from tenants.billing.errors import BadExpiry, NoPlan, NothingToDo
from tenants.billing.operation import operation
from tenants.billing.typed_expiry import typed_expiry
from tenants.kernel.period import never


@dataclass(frozen=True, slots=True)
class SetNeverExpires:
    """``on`` False needs the expiry that counts from now on (default: now)."""

    account_id: int
    on: bool = True
    expires_at: datetime | None = None


@operation("never-expires", permission="op.never_expires")
def set_never_expires(context: Context, command: SetNeverExpires) -> None:
    """No money moves. Raises NothingToDo, NoPlan, BadExpiry, or a state's refusal."""
    account, now = context.account, context.now
    refuse_state(context, arrears=command.on)
    if account.plan_id is None:
        raise NoPlan()
    if account.never_expires == command.on:
        raise NothingToDo(what="the account already is as asked")
    account.never_expires = command.on
    if command.on:
        if is_waiting(account):  # it begins now, so that what was paid for it is not lost when an expiry is set again
            account.period_started_at = now
        account.expires_at = never(context.zone)
        account.activated_at = account.activated_at or now
        return
    expires_at = now if command.expires_at is None else command.expires_at.astimezone(UTC)
    if not now <= expires_at < never(context.zone):
        late = "nothing lies beyond 2100-01-01 00:00, which means never"
        reason = "it lies in the past" if expires_at < now else late
        raise BadExpiry(
            field="expires_at", expiry=f"{expires_at.astimezone(context.zone):%Y-%m-%d %H:%M:%S}", reason=reason
        )
    account.expires_at = typed_expiry(context, expires_at)
