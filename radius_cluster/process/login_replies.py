"""Accepts and Rejects of logins (RAD-3): what each login adds to the ready reply, and what a refused one reads."""

import asyncio
from ipaddress import IPv6Address
from math import ceil
from struct import Struct
from typing import Any, Final

from radius_cluster.counters import AUTH_ACCEPTED, Counters, Refusal, rejected
from radius_cluster.listen.receive import Request
from radius_cluster.process.credentials import method_of
from radius_cluster.process.eap_outcome import refusal_of
from radius_cluster.process.reply_messages import reply_message
from radius_cluster.process.special_login import Special
from radius_cluster.routing.directory import NasEntry
from radius_cluster.wire.codes import (
    ACCESS_ACCEPT,
    ACCESS_REJECT,
    CLASS,
    FRAMED_IP_ADDRESS,
    FRAMED_IPV6_ADDRESS,
    SESSION_TIMEOUT,
    USER_NAME,
    VENDOR_SPECIFIC,
)
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.dialects import encode_octet_limits
from radius_cluster.wire.extra_attributes import ADDRESS, without
from radius_cluster.wire.mschap import encode_mschap_error, mschap_version
from radius_cluster.wire.packet import Packet, encode_access_response

REJECT_DELAY_SECONDS: Final = 1.0  # for guessers; nobody else waits for it
# What MS-CHAP clients are told (RFC 2759, 6); 691, the name or the password, makes them ask the subscriber for it.
_CLOSED, _NOT_NOW, _NOT_HERE, _WRONG = 647, 646, 649, 691
_MSCHAP_ERRORS: Final = {
    **dict.fromkeys(("disabled", "held", "expired", "arrears", "tenant_suspended"), _CLOSED),
    "outside_window": _NOT_NOW,
    **dict.fromkeys(("wrong_nas", "binding", "quota", "too_many_sessions"), _NOT_HERE),
}
# Session-Timeout, and the head of the Class that follows
_timeout_and_class: Final = Struct(">BBIBB").pack


def accept(request: Request, counters: Counters, account_id: int, attributes: bytes, seconds: float) -> None:
    """Send the Access-Accept: ``attributes``, a Session-Timeout, and Class (tenant, account)."""
    nas = request.nas
    # Of one length for nearly all: answers to one router that are equally long leave together (listen/outgoing.py).
    label = b"%05d.%08d" % (nas.tenant.id, account_id)
    # Rounded up: the session ends with the account, never before it; 0 would mean "no limit" to some routers.
    timeout = ceil(seconds) if seconds > 1 else 1
    body = attributes + _timeout_and_class(SESSION_TIMEOUT, 6, timeout, CLASS, len(label) + 2) + label + nas.extra
    request.answer(encode_access_response(ACCESS_ACCEPT, request.packet, nas.secret, body))
    counters.count(nas, AUTH_ACCEPTED)
    if not nas.seen & 2:
        counters.first_seen(nas, 1)


def reject(
    request: Request, counters: Counters, reason: str, account_id: int | None, now: float, locale: str = ""
) -> None:
    """Record the refusal, and send the Access-Reject a second later."""
    packet, nas = request.packet, request.nas
    request.note(reason)
    counters.count(nas, rejected(reason))
    source = request.source
    counters.refuse(
        Refusal(
            tenant_id=nas.tenant.id,
            nas_id=nas.id,
            nas_identifier=nas.identifier.decode("utf-8", "replace"),
            source=f"{source[0]}:{source[1]}",
            code=packet.code,
            reason=reason,
            username=request.user_name,
            account_id=account_id,
            mac=device_of(packet),
            method=method_of(packet),
            at=now,
        )
    )
    if request.eap is not None:
        body = refusal_of(request)  # alone: EAP-Message forbids Reply-Message (RFC 3579, 2.6.5)
    else:
        body = reply_message(reason, locale or nas.tenant.locale)
        if VENDOR_SPECIFIC in packet.places and mschap_version(packet):
            body += encode_mschap_error(packet, _MSCHAP_ERRORS.get(reason, _WRONG))
    reply = encode_access_response(ACCESS_REJECT, packet, nas.secret, body)
    asyncio.get_running_loop().call_later(REJECT_DELAY_SECONDS, request.answer, reply)


def framed_address(address: str) -> bytes:
    """Framed-IP-Address of a fixed IPv4 address, Framed-IPv6-Address (RFC 6911) of an IPv6 one; b"" for none."""
    if not address:
        return b""
    if ":" in address:
        return bytes((FRAMED_IPV6_ADDRESS, 18)) + IPv6Address(address).packed
    return bytes((FRAMED_IP_ADDRESS, 6, *(int(part) for part in address.split("."))))


def with_own(special: Special, nas: NasEntry, attributes: bytes, seconds: float) -> tuple[bytes, float]:
    """A ready reply and its seconds with what only this account has: its fixed address instead of any other, and no
    more than is left of its quota, which whoever decides without the database does not forget either."""
    if special.static_ip:
        attributes = without(attributes, ADDRESS)
    if special.octets_left and special.quota_cut:
        attributes += encode_octet_limits(nas.dialect, total_octets=special.octets_left, invert=nas.invert)
    if special.seconds_left and special.quota_cut:
        seconds = min(seconds, special.seconds_left)
    return attributes + framed_address(special.static_ip), seconds


def shown(packet: Packet) -> dict[str, Any]:
    """Facts of a packet for log lines."""
    return {"username": packet.text(USER_NAME), "code": packet.code}
