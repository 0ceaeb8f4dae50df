"""Make the address that the router reports for an account's next session its fixed one (SUB-8)."""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from sqlalchemy import select, text

from infra.outbox import DueRow
from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.access.session_request import in_place_sql
from tenants.audit.record import record
from tenants.kernel.actor import SYSTEM
from tenants.subscribers.address_wish import (
    LEARN_ADDRESS,
    implausible,
    look_again,
    not_taken,
    wanted_since,
    wants_address,
    with_learned,
    with_refusal,
)
from tenants.subscribers.create_account import who_has_address
from tenants.subscribers.fields import refresh_search
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.record_account import record_account
from tenants.subscribers.rules import LEARN
from tenants.usage.models import Session as OnlineSession

_PAUSE: Final = timedelta(seconds=10)  # doubled each time
_LONGEST_PAUSE: Final = timedelta(minutes=5)  # an ordinary interval of Interims, which may be the first to tell it
_MOST_LOOKS: Final = 8  # over about 16 minutes, then the next login starts them anew
_BUSY_PAUSE: Final = timedelta(seconds=5)
# A session with both tells its IPv4 address by its first Interim; whoever has none by then is taken to have only IPv6.
_IPV6_ALONE_AFTER: Final = timedelta(minutes=10)
_NOT_SOON_OVER: Final = text("NOT " + in_place_sql("aaa.session"))

Address = IPv4Address | IPv6Address


def learn_address(scope: TenantScope, account_id: int, *, now: datetime) -> bool:
    """Look at the account's open sessions for the address it is to have; True when one was bound.

    Called when its due row is, which is put off as long as the address may still come. Done twice, or late, it changes
    nothing: what is wanted is read from the account. It waits for no lock, as it holds the due row for which others
    wait with the account in hand.
    """
    locked = (
        select(Account, Customer)
        .join(Customer, Customer.id == Account.customer_id)
        .where(Account.id == account_id)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    row = scope.session.execute(locked).one_or_none()
    looks = _looks(scope, account_id) + 1
    if row is None:  # gone for good, or being worked on just now
        if looks < _MOST_LOOKS:
            look_again(scope, account_id, now + _BUSY_PAUSE, looks)
        return False
    account, customer = row
    if not wants_address(account.bind_options) or account.state == "closed" or account.deleted_at is not None:
        return False
    sessions = _sessions(scope, account)
    address = next((found for found in (_address(session, now) for session in sessions) if found is not None), None)
    if address is None:
        if sessions or looks < _MOST_LOOKS:
            pause = min(_PAUSE * 2 ** min(looks - 1, 10), _LONGEST_PAUSE)
            look_again(scope, account_id, now + pause, looks)
        return False
    owner = who_has_address(scope, str(address), but=account_id)
    if owner is not None or implausible(address):
        _refuse(scope, account, address, owner, now)
        return False
    _bind(scope, account, customer, address, now)
    return True


def _looks(scope: TenantScope, account_id: int) -> int:
    """How many looks there have been since the last login or the wish."""
    ours = (DueRow.tenant_id == scope.tenant_id, DueRow.kind == LEARN_ADDRESS, DueRow.subject_id == account_id)
    return scope.session.scalar(select(DueRow.attempts).where(*ours)) or 0


def _sessions(scope: TenantScope, account: Account) -> list[OnlineSession]:
    """The open ones that began after the wish, the first first.

    Not those that were led to a place for accounts that are over, or soon will be (NET-4): its address would keep the
    subscriber there after he has paid.
    """
    since = wanted_since(account.bind_options)
    rows = select(OnlineSession).where(
        OnlineSession.tenant_id == scope.tenant_id,
        OnlineSession.account_id == account.id,
        OnlineSession.started_at > since,
        OnlineSession.started_at < min(account.expires_at, account.cut_off_at or account.expires_at),
        OnlineSession.cut_requested_at.is_(None),
        _NOT_SOON_OVER,
    )
    ordered = rows.order_by(OnlineSession.started_at).execution_options(populate_existing=True)
    return list(scope.session.scalars(ordered))


def _address(session: OnlineSession, now: datetime) -> Address | None:
    """What the router reports; an IPv6 address (a prefix of 128 bits) where there is no IPv4 one."""
    if session.framed_ip is not None:
        return ip_address(str(session.framed_ip))
    host, _, length = (session.framed_ipv6_prefix or "").partition("/")
    if length != "128" or session.started_at > now - _IPV6_ALONE_AFTER:
        return None
    return ip_address(host)


def _bind(scope: TenantScope, account: Account, customer: Customer, address: Address, now: datetime) -> None:
    account.static_ip = address
    account.bind_options = with_learned(account.bind_options)
    account.updated_at = now
    refresh_search(account, customer)
    facts = {"static_ip": LEARN}, {"static_ip": str(address)}
    record_account(scope, account, "account.bind", actor=SYSTEM, now=now, before=facts[0], after=facts[1])
    project_account(scope, account.id)


def _refuse(scope: TenantScope, account: Account, address: Address, owner: str | None, now: datetime) -> None:
    """Say so, once for each address; the wish stands for the next session."""
    if not_taken(account.bind_options) == str(address):
        return
    account.bind_options = with_refusal(account.bind_options, str(address))
    account.updated_at = now
    why_not = "implausible" if owner is None else "taken"
    record(
        scope,
        actor=SYSTEM,
        action="account.address-not-taken",
        object_kind="account",
        object_id=account.id,
        object_label=account.username,
        after={"address_not_taken": str(address), "why_not": why_not, "owner": owner or ""},
        reason=str(address),
        now=now,
    )
    project_account(scope, account.id)
