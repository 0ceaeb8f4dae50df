"""Whether the password of a login is right, by whichever method it came (RAD-2)."""

import os
from typing import Final

from infra.crypto import SUBSCRIBER_PASSWORD, DecryptionError
from radius_cluster.listen.receive import Request
from radius_cluster.process.eap_outcome import proof_of
from radius_cluster.wire.codes import CHAP_PASSWORD, EAP_MESSAGE, USER_NAME, USER_PASSWORD
from radius_cluster.wire.devices import device_of
from radius_cluster.wire.mac_address import normalise_mac
from radius_cluster.wire.md5 import equal
from radius_cluster.wire.mschap import encode_mschap_success, mschap_version, nt_hash, verify_mschap
from radius_cluster.wire.packet import Packet
from radius_cluster.wire.passwords import decode_pap, verify_chap

NOTHING_TO_ADD: Final = b""


def verify_password(request: Request, sealed: bytes) -> bytes | None:
    """What the method adds to the Accept (b"" for PAP and CHAP); None when the password is wrong."""
    if request.eap is not None:
        return proof_of(request)
    packet, nas = request.packet, request.nas
    try:
        password = nas.tenant.box.open(sealed, SUBSCRIBER_PASSWORD)
    except DecryptionError:
        return None
    places = packet.places
    if USER_PASSWORD in places:
        given = decode_pap(packet.raw[places[USER_PASSWORD]], packet.authenticator, nas.secret)
        if given is None:
            return None
        return NOTHING_TO_ADD if equal(given, password) or _is_device(request, given, password) else None
    if CHAP_PASSWORD in places:
        return NOTHING_TO_ADD if verify_chap(packet, password) or _is_device_by_chap(request, password) else None
    if mschap_version(packet):
        hashed = nt_hash(password.decode("utf-8", "replace"))
        if verify_mschap(packet, hashed):
            return encode_mschap_success(packet, hashed, nas.secret, os.urandom(4))
    return None


def _is_device(request: Request, given: bytes, password: bytes) -> bool:
    """MAC authentication: the account's password is its MAC, and the router sends it in its own notation; or the NAS is
    set to ``mac_auth``, and the device that calls is the one the account is named after."""
    mac = normalise_mac(request.user_name)
    if not mac:
        return False
    if normalise_mac(given.decode("utf-8", "replace")) == mac == normalise_mac(password.decode("utf-8", "replace")):
        return True
    return _calls(request, mac)


def _is_device_by_chap(request: Request, password: bytes) -> bool:
    """The same where the router asks by CHAP, as hotspots of MikroTik do: the password is the MAC as it writes it."""
    mac = normalise_mac(request.user_name)
    if not mac:
        return False
    if mac == normalise_mac(password.decode("utf-8", "replace")):
        written = request.packet.value(USER_NAME)
        if any(verify_chap(request.packet, way) for way in {written, written.upper(), written.lower()}):
            return True
    return _calls(request, mac)


def _calls(request: Request, mac: str) -> bool:
    return bool(request.nas.options.get("mac_auth")) and device_of(request.packet) == mac


def method_of(packet: Packet) -> str:
    """The method's name, as it stands in aaa.refused_packet."""
    attributes = packet.attributes
    if USER_PASSWORD in attributes:
        return "pap"
    if CHAP_PASSWORD in attributes:
        return "chap"
    if EAP_MESSAGE in attributes:
        return "eap"
    version = mschap_version(packet)
    return f"mschapv{version}" if version else "none"
