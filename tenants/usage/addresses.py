"""The address of a session: IPv4, or a prefix of IPv6 where it has no other (RAD-4)."""

from ipaddress import IPv6Address, IPv6Network, ip_network

from sqlalchemy import ColumnElement, cast, func, literal, or_
from sqlalchemy.dialects.postgresql import INET

from tenants.usage.models import Session, SessionHistory

Sessions = type[Session] | type[SessionHistory]


def address_of(sessions: Sessions) -> ColumnElement[str]:
    """As lists show it, "" for none."""
    prefixes = sessions.framed_ipv6_prefix, sessions.delegated_ipv6_prefix
    return func.coalesce(func.host(sessions.framed_ip), *prefixes, "")


def address6(text: str) -> IPv6Network | None:
    """An address or prefix of IPv6, written out; None for anything else."""
    try:
        found = ip_network(text.strip(), strict=False)
    except ValueError:
        return None
    return found if isinstance(found, IPv6Network) and found.network_address != IPv6Address("::") else None


def uses_address6(sessions: Sessions, address: IPv6Network) -> ColumnElement[bool]:
    """Whether a session's prefix contains the address: whoever asks who it was has one address out of it."""
    wanted = literal(str(address), INET)
    prefixes = sessions.framed_ipv6_prefix, sessions.delegated_ipv6_prefix
    return or_(*(cast(prefix, INET).op(">>=", is_comparison=True)(wanted) for prefix in prefixes))
