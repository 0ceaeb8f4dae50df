"""CoA and Disconnect (RAD-5; RFC 5176): the requests we send to routers and what they answer."""

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from infra.radius_text.dialects import Dialect
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.md5 import hmac_md5, md5
from radius_cluster.wire.packet import LARGEST, Packet, verify_response

_ZEROS: Final = bytes(16)
LONGEST_ATTRIBUTES: Final = LARGEST - 44  # of a request: beside its header, Message-Authenticator and Event-Timestamp
WRONG_IDENTIFIER: Final = "wrong_identifier"
WRONG_CODE: Final = "wrong_code"


@dataclass(frozen=True, slots=True)
class SessionNames:
    """What a router may know a session by; "" and None mean unknown."""

    user_name: str = ""
    session_id: str = ""
    framed_ip: str = ""
    calling_station_id: str = ""
    nas_port_id: str = ""
    nas_port: int | None = None


@dataclass(frozen=True, slots=True)
class DynamicReply:
    """A router's verified answer. ``error_cause`` is 0 without one; names in ``error_cause_text``."""

    acknowledged: bool
    error_cause: int
    message: str


def encode_session_names(dialect: Dialect, names: SessionNames) -> bytes:
    """The attributes that name a session, as many of the dialect's as are known.

    When fewer than two are known, others are added: routers should be given two (RFC 5176, 3). A User-Name beyond ASCII
    is left out where two others are known: the router may have written it in another encoding, and knows no such
    session then. Raises ValueError when nothing is known, since a Disconnect that names nobody may cut everybody.
    """
    known = {
        "User-Name": encode.text(codes.USER_NAME, names.user_name) if names.user_name else b"",
        "Acct-Session-Id": encode.text(codes.ACCT_SESSION_ID, names.session_id) if names.session_id else b"",
        "Framed-IP-Address": _address(names.framed_ip),
        "Calling-Station-Id": (
            encode.text(codes.CALLING_STATION_ID, names.calling_station_id) if names.calling_station_id else b""
        ),
        "NAS-Port-Id": encode.text(codes.NAS_PORT_ID, names.nas_port_id) if names.nas_port_id else b"",
        "NAS-Port": encode.number(codes.NAS_PORT, names.nas_port) if names.nas_port is not None else b"",
    }
    chosen = [known[name] for name in dialect.identify if known[name]]
    if len(chosen) > 2 and not names.user_name.isascii():
        chosen = [value for value in chosen if value != known["User-Name"]]
    spare = [value for name, value in known.items() if value and name not in dialect.identify]
    chosen += spare[: max(0, 2 - len(chosen))]
    if not chosen:
        raise ValueError("nothing is known that would name the session")
    return b"".join(chosen)


def encode_dynamic_request(
    code: int, identifier: int, secret: bytes, attributes: bytes, event_timestamp_seconds: int
) -> bytes:
    """A CoA- or Disconnect-Request with Message-Authenticator and Event-Timestamp (against replay; seconds since 1970).

    The same bytes are to be sent again on a retry. Raises ValueError when they would be more than 4096.
    """
    body = encode.number(codes.EVENT_TIMESTAMP, event_timestamp_seconds & 0xFFFFFFFF) + attributes
    length = 38 + len(body)
    if length > LARGEST:
        raise ValueError(f"a RADIUS packet of {length} octets is too long")
    head = bytes((code, identifier, length >> 8, length & 255))
    # The Message-Authenticator over an authenticator of zeros, then the authenticator over all of it (RFC 5176, 3).
    signature = hmac_md5(secret, head + _ZEROS + b"\x50\x12" + _ZEROS + body)
    body = b"\x50\x12" + signature + body
    return head + md5(head + _ZEROS + body + secret).digest() + body


def encode_dynamic_response(code: int, request: Packet, secret: bytes, attributes: bytes = b"") -> bytes:
    """The answer to such a request, as a router would send it: ACK, or NAK with an Error-Cause in ``attributes``."""
    length = 38 + len(attributes)
    head = bytes((code, request.identifier, length >> 8, length & 255))
    start = head + request.authenticator
    body = b"\x50\x12" + hmac_md5(secret, start + b"\x50\x12" + _ZEROS + attributes) + attributes
    return head + md5(start + body + secret).digest() + body


def read_dynamic_reply(data: bytes, request: bytes, secret: bytes) -> DynamicReply | str:
    """A router's answer to ``request``, or the reason to ignore the datagram. Never raises."""
    packet = verify_response(data, request[4:20], secret)
    if isinstance(packet, str):
        return packet
    if packet.identifier != request[1]:
        return WRONG_IDENTIFIER
    if packet.code not in (request[0] + 1, request[0] + 2):  # ACK, NAK
        return WRONG_CODE
    return DynamicReply(
        acknowledged=packet.code == request[0] + 1,
        error_cause=packet.number(codes.ERROR_CAUSE),
        message=packet.text(codes.REPLY_MESSAGE),
    )


# Error-Cause (RFC 5176, 3.5; RFC 5580): stable code, English, Chinese
ERROR_CAUSES: Final[dict[int, tuple[str, str, str]]] = {
    201: ("residual_context_removed", "The session was already gone; what was left of it was removed.", "会话已不存在,残留信息已清除。"),  # noqa: E501
    202: ("invalid_eap_packet", "The router met an invalid EAP packet.", "设备收到无效的 EAP 报文。"),
    401: ("unsupported_attribute", "The router does not support an attribute that was sent.", "设备不支持所发送的某个属性。"),  # noqa: E501
    402: ("missing_attribute", "The router needs an attribute that was not sent.", "缺少设备要求的属性。"),
    403: ("nas_identification_mismatch", "The request names another router.", "请求中的设备标识与设备不符。"),
    404: ("invalid_request", "The router found the request invalid.", "设备认为请求无效。"),
    405: ("unsupported_service", "The router does not support this service.", "设备不支持该服务。"),
    406: ("unsupported_extension", "The router does not support CoA or Disconnect.", "设备不支持 CoA/强制下线。"),
    407: ("invalid_attribute_value", "An attribute has a value that the router does not accept.", "属性取值不被设备接受。"),  # noqa: E501
    501: ("administratively_prohibited", "The router is configured to refuse this.", "设备配置禁止此操作。"),
    502: ("request_not_routable", "The request could not be routed to the router.", "请求无法送达设备。"),
    503: ("session_context_not_found", "The router knows no such session.", "设备上没有该会话。"),
    504: ("session_context_not_removable", "The router cannot remove this session.", "设备无法删除该会话。"),
    505: ("other_proxy_error", "A proxy on the way failed.", "途中的代理出错。"),
    506: ("resources_unavailable", "The router is short of resources.", "设备资源不足。"),
    507: ("request_initiated", "The router wants to authorise the session again first.", "设备要求先重新认证授权。"),
    508: ("multiple_session_selection", "More than one session matches and the router changes only one.", "匹配到多个会话,设备不支持批量操作。"),  # noqa: E501
    509: ("location_info_required", "The router wants location information.", "设备要求位置信息。"),
}  # fmt: skip


def error_cause_text(cause: int, chinese: bool = False) -> str:
    """A sentence for an Error-Cause; unknown numbers are shown as such."""
    known = ERROR_CAUSES.get(cause)
    if known is not None:
        return known[2 if chinese else 1]
    if not cause:
        return "设备未说明原因。" if chinese else "The router gave no reason."
    return f"设备返回错误码 {cause}。" if chinese else f"The router answered with error {cause}."


def _address(text: str) -> bytes:
    try:
        return encode.address(codes.FRAMED_IP_ADDRESS, IPv4Address(text)) if text else b""
    except ValueError:
        return b""  # an IPv6-only session
