"""Bindings of an account to a device, port, router or address: set, learned at a login, taken away (SUB-8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from infra.tenant_scope import TenantScope
from tenants.access.project import project_account
from tenants.kernel.actor import SYSTEM, Actor
from tenants.subscribers.address_wish import START_COMES, look_at, wants_address, wants_router, was_learned, with_router
from tenants.subscribers.edit_account import change_fields
from tenants.subscribers.errors import BadValue
from tenants.subscribers.fields import refresh_search
from tenants.subscribers.find import find_customer, lock_account
from tenants.subscribers.models import Account
from tenants.subscribers.record_account import record_account
from tenants.subscribers.rules import LEARN, normalise_mac

BINDINGS = {"mac": ("bind_mac", ""), "port": ("bind_port", ""), "nas": ("bind_nas_id", None), "ip": ("static_ip", "")}
_LEARNED = ("bind_mac", "bind_port", "bind_nas_id", "static_ip")  # a login tells them, the address soon after it


@dataclass(frozen=True, slots=True)
class Unbind:
    """``what``: mac, port, nas, ip, or all; ``learn_again`` binds to whatever logs in next.

    A fixed address that somebody typed is a wish of its own, no trace of a device: only ``ip`` takes it away.
    """

    account_id: int
    what: str = "all"
    learn_again: bool = False


def unbind(scope: TenantScope, command: Unbind, *, actor: Actor, now: datetime) -> Account:
    """Take bindings away. Raises BadValue, AccountNotFound."""
    actor.require("op.unbind")
    if command.what != "all" and command.what not in BINDINGS:
        raise BadValue(field="what", value=command.what, choices=", ".join((*BINDINGS, "all")))
    account = lock_account(scope, command.account_id, actor=actor)
    chosen = BINDINGS if command.what == "all" else {command.what: BINDINGS[command.what]}
    if command.what == "all" and account.static_ip is not None and not was_learned(account.bind_options):
        chosen = {what: binding for what, binding in BINDINGS.items() if what != "ip"}
    changes: dict[str, Any] = {}
    for column, empty in chosen.values():
        learns = command.learn_again and column in _LEARNED and getattr(account, column) not in ("", None)
        changes[column] = LEARN if learns else empty
    return change_fields(scope, account, changes, actor=actor, now=now, action="account.unbind")


def learn_bindings(
    scope: TenantScope, account_id: int, *, mac: str = "", port: str = "", nas_id: int | None = None, now: datetime
) -> bool:
    """Fill in what the account was to learn from this login (called by the cluster's work queue); False: nothing to do.

    Only what still says *learn* is filled, so doing it twice, or late, changes nothing.
    """
    account = lock_account(scope, account_id)
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for column, value in (("bind_mac", normalise_mac(mac)), ("bind_port", port.strip()[:120])):
        if getattr(account, column) == LEARN and value:
            before[column], after[column] = LEARN, value
            setattr(account, column, value)
    # A router is one row here, so learning its address and learning its identifier are the same binding.
    if wants_router(account.bind_options) and nas_id is not None:
        if account.bind_nas_id is None:
            before["bind_nas_id"], after["bind_nas_id"] = None, nas_id
            account.bind_nas_id = nas_id
        before["learn"] = account.bind_options["learn"]
        account.bind_options = with_router(account.bind_options, False)
        after["learn"] = account.bind_options.get("learn", [])
    if wants_address(account.bind_options):
        look_at(scope, account.id, now + START_COMES)
    if not after:
        return False
    account.updated_at = now
    refresh_search(account, find_customer(scope, account.customer_id, lock=True))
    record_account(scope, account, "account.bind", actor=SYSTEM, now=now, before=before, after=after)
    project_account(scope, account.id)
    return True
