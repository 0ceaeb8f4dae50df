"""From an Accounting-Request to the row that ``aaa.account`` takes (RAD-4; accounting.sql)."""

from collections.abc import Sequence
from typing import Any, Final

from radius_cluster.listen.receive import Request
from radius_cluster.wire.access_loop import circuit_of
from radius_cluster.wire.codes import (
    ACCT_DELAY_TIME,
    ACCT_INPUT_GIGAWORDS,
    ACCT_INPUT_OCTETS,
    ACCT_INPUT_PACKETS,
    ACCT_INTERIM,
    ACCT_OUTPUT_GIGAWORDS,
    ACCT_OUTPUT_OCTETS,
    ACCT_OUTPUT_PACKETS,
    ACCT_SESSION_ID,
    ACCT_SESSION_TIME,
    ACCT_STATUS_TYPE,
    ACCT_STOP,
    ACCT_TERMINATE_CAUSE,
    CALLED_STATION_ID,
    CALLING_STATION_ID,
    DELEGATED_IPV6_PREFIX,
    FRAMED_IP_ADDRESS,
    FRAMED_IPV6_ADDRESS,
    FRAMED_IPV6_PREFIX,
    NAS_IP_ADDRESS,
    NAS_PORT,
    NAS_PORT_ID,
    USER_NAME,
)
from radius_cluster.wire.devices import device_of_vendor
from radius_cluster.wire.fields import Fields
from radius_cluster.wire.foreign_text import read_text
from radius_cluster.wire.mac_address import normalise_mac
from radius_cluster.wire.packet import Packet

# Columns of a row, in the order of aaa.account's arrays
TENANT, NAS, SESSION, USER, KIND, AT, SECONDS, OCTETS_IN, OCTETS_OUT, PACKETS_IN, PACKETS_OUT = range(11)
DAY: Final = 12
CAUSE: Final = 13
DETAILS: Final = 14  # from here on: what the database has of an open session already
KEY: Final = slice(0, 4)
MAC: Final = DETAILS  # of a Start; None where the router names no device

Row = tuple[Any, ...]
_TOLD_ONCE: Final = (11, DETAILS + 5, DETAILS + 6)  # addresses and prefixes, which not each report repeats
_NO_DETAILS: Final[Row] = (None,) * 7
_LONGEST_DELAY_SECONDS: Final = 7 * 86400  # a clock gone wrong, not a delay
_MOST_OCTETS: Final = 1 << 56  # 64 Gigawords bits would overflow the sums
_FIELDS: Final = Fields(
    numbers=(
        ACCT_STATUS_TYPE, ACCT_DELAY_TIME, ACCT_SESSION_TIME, ACCT_INPUT_OCTETS, ACCT_INPUT_GIGAWORDS,
        ACCT_OUTPUT_OCTETS, ACCT_OUTPUT_GIGAWORDS, ACCT_INPUT_PACKETS, ACCT_OUTPUT_PACKETS, FRAMED_IP_ADDRESS,
        ACCT_TERMINATE_CAUSE, NAS_PORT, NAS_IP_ADDRESS,
    ),
    values=(
        ACCT_SESSION_ID, USER_NAME, CALLING_STATION_ID, CALLED_STATION_ID, NAS_PORT_ID, FRAMED_IPV6_PREFIX,
        DELEGATED_IPV6_PREFIX, FRAMED_IPV6_ADDRESS,
    ),
)  # fmt: skip


def fields_of(request: Request) -> Row:
    """What is read of a report; first Acct-Status-Type, None where there is none."""
    return _FIELDS.of(request.packet)


def row_of(request: Request, fields: Row, *, complete: bool = False) -> Row | None:
    """The row; None without Acct-Session-Id or User-Name (RFC 2866 demands the first, our key needs both).

    An Interim carries the details of its session only when ``complete``: the database has them already, and six
    columns of nothing cost less than six of text. Its IPv6 prefixes it carries always.
    """
    (
        kind, delay, seconds, low_in, high_in, low_out, high_out, packets_in, packets_out, address, cause, port,
        nas_address, session, user, calling, called, port_id, prefix, delegated, address6,
    ) = fields  # fmt: skip
    if not session or not user:
        return None
    try:  # nearly always
        session_id, name = session.decode(), user.decode()
    except UnicodeDecodeError:  # a session that is named in octets shall stay another than its neighbour
        session_id, name = session.decode("utf-8", "backslashreplace"), read_text(user)
    if "\0" in session_id or "\0" in name:
        session_id, name = session_id.replace("\0", "\\x00"), read_text(user)
    nas = request.nas
    tenant = nas.tenant
    at = request.arrived if not delay else _less_delay(request.arrived, delay)
    octets_in = _octets(low_in, high_in) if high_in else low_in or 0
    octets_out = _octets(low_out, high_out) if high_out else low_out or 0
    if nas.dialect.ipv6_octets:
        octets_in, octets_out = _with_ipv6(request.packet, nas.dialect.ipv6_octets, octets_in, octets_out)
    if nas.invert:
        octets_in, octets_out, packets_in, packets_out = octets_out, octets_in, packets_out, packets_in
    details = _NO_DETAILS
    if kind != ACCT_INTERIM or complete:
        mac = read_text(calling) if calling else ""
        details = (
            normalise_mac(mac) or device_of_vendor(request.packet) or mac or None,
            read_text(called) if called else None,
            port,
            (read_text(port_id) if port_id else circuit_of(request.packet)) or None,
            nas_address,
            _prefix6(prefix or _host6(address6)),
            _prefix6(delegated),
        )
    elif prefix or delegated or address6:  # which most routers learn only after the Start
        details = (*_NO_DETAILS[:5], _prefix6(prefix or _host6(address6)), _prefix6(delegated))
    return (
        tenant.id,
        nas.id,
        session_id,
        name,
        kind,
        at,
        seconds or 0,
        octets_in,
        octets_out,
        packets_in or 0,
        packets_out or 0,
        address,
        tenant.day_number(at),
        (cause or 0) & 0x3F if kind == ACCT_STOP else 0,
        *details,
    )


def event_time(request: Request) -> float:
    """When it happened, in seconds since 1970: arrival less Acct-Delay-Time (routers' own clocks are not trusted)."""
    return _less_delay(request.arrived, request.packet.number(ACCT_DELAY_TIME))


def _less_delay(arrived: float, delay: int) -> float:
    return arrived - delay if delay <= _LONGEST_DELAY_SECONDS else arrived


def merged(old: Row, new: Row) -> Row | None:
    """One row for two of the same session and kind; None when they must stay in order (counters went back, or they are
    of two days, which count for themselves)."""
    if old[KIND] != new[KIND]:
        return None
    for column in (SECONDS, OCTETS_IN, OCTETS_OUT):
        if new[column] < old[column]:
            return None
    if old[KIND] == 1:  # a Start that was sent again: the first one says when
        return old
    if old[DAY] != new[DAY]:
        return None
    for column in _TOLD_ONCE:
        if new[column] is None and old[column] is not None:
            new = (*new[:column], old[column], *new[column + 1 :])
    return new


def _octets(low: int | None, high: int) -> int:
    octets = (low or 0) | high << 32
    return octets if octets <= _MOST_OCTETS else octets & 0xFFFFFFFF


def _with_ipv6(packet: Packet, places: Sequence[tuple[int, int]], octets_in: int, octets_out: int) -> tuple[int, int]:
    """The octets with those of IPv6 that the router counts apart (RAD-4); without its counters they are in already."""
    low_in, low_out, high_in, high_out = (
        int.from_bytes(packet.vendor(vendor, number) or b"", "big") & 0xFFFFFFFF for vendor, number in places
    )
    return octets_in + _octets(low_in, high_in), octets_out + _octets(low_out, high_out)


def _host6(address: bytes | None) -> bytes | None:
    """A Framed-IPv6-Address (RFC 6911) as a prefix attribute of its 128 bits."""
    return b"\0\x80" + address if address is not None and len(address) == 16 else None


def _prefix6(value: bytes | None) -> str | None:
    """An IPv6 prefix attribute (RFC 3162, 2.3) as text; None when there is none or it is malformed."""
    if value is None or not 2 <= len(value) <= 18 or value[1] > 128:
        return None
    packed = value[2:].ljust(16, b"\0")
    groups = ":".join(f"{packed[at] << 8 | packed[at + 1]:x}" for at in range(0, 16, 2))
    return f"{_short(groups)}/{value[1]}"


def _short(groups: str) -> str:
    from ipaddress import IPv6Address  # rare: only sessions with IPv6

    return str(IPv6Address(groups))
