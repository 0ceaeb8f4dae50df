"""The wish that an account's fixed address be that of its next session (SUB-8): how it is kept, and when to look.

A login does not know the address, accounting does; and accounting has no time for wishes. So the wish stands in
``bind_options``, which reaches the cluster with the other bindings; each login of such an account is told by the row
``account.bind`` as it is for any binding, and a due row of the account has its sessions looked at when the Start has
had time to come. Accounts without the wish pay nothing.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

from sqlalchemy import func
from sqlalchemy.dialects.postgresql import insert

from infra.outbox import DueRow
from infra.tenant_scope import TenantScope

LEARN_ADDRESS: Final = "account.learn_address"
START_COMES: Final = timedelta(seconds=10)  # after the login, mostly within one
_ADDRESS: Final = "ip"  # among what ``learn`` lists; the others are of the router
_SINCE, _NOT_TAKEN = "ip_since", "ip_not_taken"
_LEARNED: Final = "ip_learned"  # that the fixed address came so: nobody typed it

Options = Mapping[str, Any]


def wants_router(options: Options | None) -> bool:
    """Whether the next login's router is to be bound."""
    return any(name != _ADDRESS for name in (options or {}).get("learn", ()))


def wants_address(options: Options | None) -> bool:
    """Whether the next session's address is to become the fixed one."""
    return _ADDRESS in (options or {}).get("learn", ())


def wanted_since(options: Options) -> datetime:
    """When the wish was made: sessions that began before do not count."""
    return datetime.fromisoformat(options[_SINCE])


def not_taken(options: Options | None) -> str:
    """The address that was refused last while the wish has stood, else ""."""
    return str((options or {}).get(_NOT_TAKEN, ""))


def with_refusal(options: Options, address: str) -> dict[str, Any]:
    """The wish stands, but this address was no good."""
    return {**options, _NOT_TAKEN: address}


def with_router(options: Options | None, wanted: bool) -> dict[str, Any]:
    """The same with or without the wish for the router; that for the address stays as it is."""
    return _with(options, ["nas"] * wanted + [_ADDRESS] * wants_address(options))


def with_address(options: Options | None, since: datetime | None) -> dict[str, Any]:
    """The same with the wish for the address made at that instant (an older one stays), or without it (None).

    For each change of the address: the new one is not a learned one.
    """
    options = {name: kept for name, kept in (options or {}).items() if name != _LEARNED}
    others = [name for name in (options or {}).get("learn", ()) if name != _ADDRESS]
    if since is None:
        without = {name: kept for name, kept in (options or {}).items() if name not in (_SINCE, _NOT_TAKEN)}
        return _with(without, others)
    return _with({_SINCE: since.isoformat(), **(options or {})}, [*others, _ADDRESS])


def with_learned(options: Options | None) -> dict[str, Any]:
    """The wish is fulfilled."""
    return {**with_address(options, None), _LEARNED: True}


def was_learned(options: Options | None) -> bool:
    """Whether the account's fixed address is one that a session taught."""
    return bool((options or {}).get(_LEARNED))


def _with(options: Options | None, learn: list[str]) -> dict[str, Any]:
    kept = {name: value for name, value in (options or {}).items() if name != "learn"}
    return kept | {"learn": learn} if learn else kept  # {} lets the cluster decide the login the short way


def implausible(address: IPv4Address | IPv6Address) -> bool:
    """Whether no host can have it for its own: 0.0.0.0, loopback, link-local, multicast, reserved (255.255.255.254)."""
    if address.version == 4 and int(address) < 1 << 24:  # 0.0.0.0/8 is "this network" (RFC 1122)
        return True
    return (
        address.is_unspecified
        or address.is_loopback
        or address.is_link_local
        or address.is_multicast
        or address.is_reserved
    )


def look_at(scope: TenantScope, account_id: int, at: datetime) -> None:
    """Have the account's sessions looked at then, or sooner if that was meant already; begins to count anew."""
    put = insert(DueRow).values(tenant_id=scope.tenant_id, kind=LEARN_ADDRESS, subject_id=account_id, run_at=at)
    # Not later: one who dials again and again would otherwise put it off for ever.
    sooner = {"run_at": func.least(DueRow.run_at, put.excluded.run_at), "attempts": 0, "last_error": ""}
    scope.session.execute(put.on_conflict_do_update(index_elements=["tenant_id", "kind", "subject_id"], set_=sooner))


def look_again(scope: TenantScope, account_id: int, at: datetime, attempts: int) -> None:
    """Put off the look that is due now; ``attempts`` have been made."""
    values = {"run_at": at, "attempts": attempts, "last_error": ""}
    put = insert(DueRow).values(tenant_id=scope.tenant_id, kind=LEARN_ADDRESS, subject_id=account_id, **values)
    scope.session.execute(put.on_conflict_do_update(index_elements=["tenant_id", "kind", "subject_id"], set_=values))
