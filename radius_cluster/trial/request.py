"""The Access-Request of a login that is only tried, as the router would send it; and its answer, readable."""

import secrets
from struct import Struct
from typing import Final

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes, mschap
from radius_cluster.wire.md5 import hmac_md5
from radius_cluster.wire.packet import Packet, parse
from radius_cluster.wire.passwords import encode_chap, encode_pap
from radius_cluster.wire.readable import shown_attributes
from tenants.access.login_trial import CHAP, PAP, LoginTrial

_head: Final = Struct(">BBH").pack
_SERVICE_TYPE, _FRAMED_PROTOCOL = 6, 7
_FRAMED, _PPP = 2, 1
_CHAP_IDENTIFIER: Final = 1
_SIGNATURE: Final = "Message-Authenticator"
_HIDDEN: Final = "…"  # of what only the router can read


def build_request(trial: LoginTrial, password: bytes, identifier: bytes, secret: bytes) -> Packet:
    """A verified-to-be packet of the router ``identifier``. Raises ValueError when a value does not fit."""
    authenticator = secrets.token_bytes(16)
    told = encode.octets(codes.MESSAGE_AUTHENTICATOR, bytes(16)) + encode.text(codes.USER_NAME, trial.username)
    told += _proof(trial, password, authenticator, secret) + encode.octets(codes.NAS_IDENTIFIER, identifier)
    told += encode.number(_SERVICE_TYPE, _FRAMED) + encode.number(_FRAMED_PROTOCOL, _PPP)
    if trial.mac:
        told += encode.text(codes.CALLING_STATION_ID, trial.mac.upper())
    if trial.port:
        told += encode.text(codes.NAS_PORT_ID, trial.port)
    raw = _head(codes.ACCESS_REQUEST, 1, 20 + len(told)) + authenticator + told
    packet = parse(raw[:22] + hmac_md5(secret, raw) + raw[38:])
    if isinstance(packet, str):
        raise ValueError(packet)
    return packet


def _proof(trial: LoginTrial, password: bytes, authenticator: bytes, secret: bytes) -> bytes:
    if trial.method == PAP:
        return encode.octets(codes.USER_PASSWORD, encode_pap(password, authenticator, secret))
    if trial.method == CHAP:
        challenge = secrets.token_bytes(16)
        answer = encode_chap(_CHAP_IDENTIFIER, password, challenge)
        return encode.octets(codes.CHAP_PASSWORD, answer) + encode.octets(codes.CHAP_CHALLENGE, challenge)
    challenge, peer = secrets.token_bytes(16), secrets.token_bytes(16)
    hashed = mschap.challenge_hash(peer, challenge, trial.username.encode())
    response = mschap.challenge_response(hashed, mschap.nt_hash(password.decode("utf-8", "replace")))
    owner = codes.VENDOR_MICROSOFT
    answer = bytes((_CHAP_IDENTIFIER, 0)) + peer + bytes(8) + response
    return encode.vendor(owner, codes.MS_CHAP_CHALLENGE, challenge) + encode.vendor(
        owner, codes.MS_CHAP2_RESPONSE, answer
    )


def readable(reply: Packet) -> tuple[tuple[str, int, str], ...]:
    """(name, tag, value) of all that a reply says, in its order; without its signature."""
    shown = [line for line in shown_attributes(reply) if line.name != _SIGNATURE]
    return tuple((line.name, line.tag, line.text + _HIDDEN if line.hidden else line.text) for line in shown)
