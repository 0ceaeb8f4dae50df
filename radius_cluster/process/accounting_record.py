"""From an Accounting-Request to the row that ``aaa.account`` takes (RAD-4; accounting.sql)."""

from typing import Any, Final

from radius_cluster.listen.receive import Request
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
    ACCT_TERMINATE_CAUSE,
    CALLED_STATION_ID,
    CALLING_STATION_ID,
    DELEGATED_IPV6_PREFIX,
    FRAMED_IP_ADDRESS,
    FRAMED_IPV6_PREFIX,
    NAS_IP_ADDRESS,
    NAS_PORT,
    NAS_PORT_ID,
    USER_NAME,
)
from radius_cluster.wire.mac_address import normalise_mac
from radius_cluster.wire.packet import Packet

# Columns of a row, in the order of aaa.account's arrays
TENANT, NAS, SESSION, USER, KIND, AT, SECONDS, OCTETS_IN, OCTETS_OUT, PACKETS_IN, PACKETS_OUT = range(11)
KEY: Final = slice(0, 4)

Row = tuple[Any, ...]
_NO_DETAILS: Final = (None,) * 7
_LONGEST_DELAY_SECONDS: Final = 7 * 86400  # a clock gone wrong, not a delay
_MOST_OCTETS: Final = 1 << 56  # 64 Gigawords bits would overflow the sums
_from_bytes = int.from_bytes


def row_of(request: Request, kind: int, *, complete: bool = False) -> Row | None:
    """The row; None without Acct-Session-Id or User-Name (RFC 2866 demands the first, our key needs both).

    An Interim carries the details of its session only when ``complete``: the database has them already, and six
    columns of nothing cost less than six of text.
    """
    packet, nas = request.packet, request.nas
    attributes = packet.attributes
    session = attributes.get(ACCT_SESSION_ID)
    user = attributes.get(USER_NAME)
    if not session or not user:
        return None
    at = event_time(request)
    value = attributes.get(ACCT_SESSION_TIME)
    seconds = _from_bytes(value, "big") if value is not None and len(value) == 4 else 0
    octets_in = _octets(attributes, ACCT_INPUT_OCTETS, ACCT_INPUT_GIGAWORDS)
    octets_out = _octets(attributes, ACCT_OUTPUT_OCTETS, ACCT_OUTPUT_GIGAWORDS)
    value = attributes.get(ACCT_INPUT_PACKETS)
    packets_in = _from_bytes(value, "big") if value is not None and len(value) == 4 else 0
    value = attributes.get(ACCT_OUTPUT_PACKETS)
    packets_out = _from_bytes(value, "big") if value is not None and len(value) == 4 else 0
    value = attributes.get(FRAMED_IP_ADDRESS)
    address = _from_bytes(value, "big") if value is not None and len(value) == 4 else None
    if nas.invert:
        octets_in, octets_out, packets_in, packets_out = octets_out, octets_in, packets_out, packets_in
    tenant = nas.tenant
    return (
        tenant.id,
        nas.id,
        _text(session),
        _text(user),
        kind,
        at,
        seconds,
        octets_in,
        octets_out,
        packets_in,
        packets_out,
        address,
        tenant.day_number(at),
        packet.number(ACCT_TERMINATE_CAUSE) & 0x3F if kind == 2 else 0,
        *(_NO_DETAILS if kind == ACCT_INTERIM and not complete else _details(packet, request)),
    )


def event_time(request: Request) -> float:
    """When it happened, in seconds since 1970: arrival less Acct-Delay-Time (routers' own clocks are not trusted)."""
    value = request.packet.attributes.get(ACCT_DELAY_TIME)
    if value is None or value == b"\0\0\0\0":
        return request.arrived
    delay = _from_bytes(value, "big")
    return request.arrived - delay if delay <= _LONGEST_DELAY_SECONDS else request.arrived


def merged(old: Row, new: Row) -> Row | None:
    """One row for two of the same session and kind; None when they must stay in order (counters went back)."""
    if old[KIND] != new[KIND]:
        return None
    for column in (SECONDS, OCTETS_IN, OCTETS_OUT):
        if new[column] < old[column]:
            return None
    if old[KIND] == 1:  # a Start that was sent again: the first one says when
        return old
    return new


def _octets(attributes: dict[int, bytes], low: int, high: int) -> int:
    value = attributes.get(low)
    octets = _from_bytes(value, "big") if value is not None and len(value) == 4 else 0
    value = attributes.get(high)
    if value is not None and len(value) == 4:
        octets |= _from_bytes(value, "big") << 32
        if octets > _MOST_OCTETS:
            octets &= 0xFFFFFFFF
    return octets


def _text(value: bytes) -> str:
    # PostgreSQL's text has no NUL
    text = value.decode("utf-8", "replace")
    return text.replace("\0", "\ufffd") if "\0" in text else text


def _details(packet: Packet, request: Request) -> Row:
    attributes = packet.attributes
    calling = packet.text(CALLING_STATION_ID)
    nas_address = attributes.get(NAS_IP_ADDRESS)
    return (
        (normalise_mac(calling) or calling) or None,
        packet.text(CALLED_STATION_ID) or None,
        packet.number(NAS_PORT) if NAS_PORT in attributes else None,
        packet.text(NAS_PORT_ID) or None,
        _from_bytes(nas_address, "big") if nas_address is not None and len(nas_address) == 4 else None,
        _prefix6(attributes.get(FRAMED_IPV6_PREFIX)),
        _prefix6(attributes.get(DELEGATED_IPV6_PREFIX)),
    )


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
