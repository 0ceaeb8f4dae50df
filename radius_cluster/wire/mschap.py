"""MS-CHAP v1 and v2 with success string and MPPE keys (RAD-2; RFC 2433, 2759, 2548, 3079).

``password_hash`` is the NT hash (16 octets); a store may keep it beside the password to save its cost here.
"""

from hashlib import sha1
from typing import Final

from Crypto.Hash import MD4
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, modes

from radius_cluster.wire import attributes as encode
from radius_cluster.wire.codes import (
    MS_CHAP2_RESPONSE,
    MS_CHAP2_SUCCESS,
    MS_CHAP_CHALLENGE,
    MS_CHAP_ERROR,
    MS_CHAP_MPPE_KEYS,
    MS_CHAP_RESPONSE,
    MS_MPPE_ENCRYPTION_POLICY,
    MS_MPPE_ENCRYPTION_TYPES,
    MS_MPPE_RECV_KEY,
    MS_MPPE_SEND_KEY,
    USER_NAME,
    VENDOR_MICROSOFT,
)
from radius_cluster.wire.md5 import equal, md5
from radius_cluster.wire.packet import Packet
from radius_cluster.wire.passwords import encode_pap

_MAGIC_SIGN: Final = b"Magic server to client signing constant"
_MAGIC_PAD: Final = b"Pad to make it do more than one iteration"
_MAGIC_MASTER: Final = b"This is the MPPE Master Key"
_MAGIC_CLIENT_SEND: Final = b"On the client side, this is the send key; on the server side, it is the receive key."
_MAGIC_SERVER_SEND: Final = b"On the client side, this is the receive key; on the server side, it is the send key."
_PAD1: Final = bytes(40)
_PAD2: Final = b"\xf2" * 40
_ENCRYPTION_ALLOWED: Final = 1
_RC4_40_OR_128: Final = 6


def nt_hash(password: str) -> bytes:
    """MD4 of the UTF-16 password (RFC 2759, 8.3)."""
    return _md4(password.encode("utf-16-le", "surrogatepass"))


def challenge_response(challenge: bytes, password_hash: bytes) -> bytes:
    """24 octets: the 8-octet challenge under the three DES keys cut from the hash (RFC 2433, A.5; RFC 2759, 8.5)."""
    padded = password_hash + bytes(5)
    return b"".join([_des(padded[at : at + 7], challenge) for at in (0, 7, 14)])


def challenge_hash(peer_challenge: bytes, authenticator_challenge: bytes, user_name: bytes) -> bytes:
    """The 8-octet challenge of v2 (RFC 2759, 8.2); Windows' ``DOMAIN\\`` before the name does not take part."""
    name = user_name.rpartition(b"\\")[2]
    return sha1(peer_challenge + authenticator_challenge + name, usedforsecurity=False).digest()[:8]


def authenticator_response(
    password_hash: bytes, response: bytes, peer_challenge: bytes, authenticator_challenge: bytes, user_name: bytes
) -> bytes:
    """``S=`` and 40 hexadecimal digits: the server's proof that it knows the password (RFC 2759, 8.7)."""
    hash_hash = _md4(password_hash)
    first = sha1(hash_hash + response + _MAGIC_SIGN, usedforsecurity=False).digest()
    challenge = challenge_hash(peer_challenge, authenticator_challenge, user_name)
    return b"S=" + sha1(first + challenge + _MAGIC_PAD, usedforsecurity=False).hexdigest().upper().encode()


def mppe_keys(password_hash: bytes, response: bytes) -> tuple[bytes, bytes]:
    """The server's (send, receive) 128-bit start keys of MS-CHAPv2 (RFC 3079, 3.4)."""
    hash_hash = _md4(password_hash)
    master = sha1(hash_hash + response + _MAGIC_MASTER, usedforsecurity=False).digest()[:16]
    send = sha1(master + _PAD1 + _MAGIC_SERVER_SEND + _PAD2, usedforsecurity=False).digest()[:16]
    receive = sha1(master + _PAD1 + _MAGIC_CLIENT_SEND + _PAD2, usedforsecurity=False).digest()[:16]
    return send, receive


def mschap_version(packet: Packet) -> int:
    """2, 1, or 0 when the request is no MS-CHAP."""
    if packet.vendor(VENDOR_MICROSOFT, MS_CHAP2_RESPONSE) is not None:
        return 2
    return 1 if packet.vendor(VENDOR_MICROSOFT, MS_CHAP_RESPONSE) is not None else 0


def verify_mschap(packet: Packet, password_hash: bytes) -> bool:
    """Whether the MS-CHAP response of either version is right. v1 by the NT response only: LM is not accepted."""
    challenge = packet.vendor(VENDOR_MICROSOFT, MS_CHAP_CHALLENGE) or b""
    answer = packet.vendor(VENDOR_MICROSOFT, MS_CHAP2_RESPONSE)
    if answer is not None:
        if len(answer) != 50 or len(challenge) != 16:
            return False
        hashed = challenge_hash(answer[2:18], challenge, packet.attributes.get(USER_NAME, b""))
        return equal(challenge_response(hashed, password_hash), answer[26:50])
    answer = packet.vendor(VENDOR_MICROSOFT, MS_CHAP_RESPONSE)
    if answer is None or len(answer) != 50 or len(challenge) != 8 or not answer[1] & 1:
        return False
    return equal(challenge_response(challenge, password_hash), answer[26:50])


def encode_mschap_success(packet: Packet, password_hash: bytes, secret: bytes, salts: bytes) -> bytes:
    """The Accept's MS-CHAP attributes after ``verify_mschap``: success string (v2) and MPPE keys.

    ``salts`` are 4 random octets.
    """
    policy = encode.vendor_number(VENDOR_MICROSOFT, MS_MPPE_ENCRYPTION_POLICY, _ENCRYPTION_ALLOWED)
    policy += encode.vendor_number(VENDOR_MICROSOFT, MS_MPPE_ENCRYPTION_TYPES, _RC4_40_OR_128)
    answer = packet.vendor(VENDOR_MICROSOFT, MS_CHAP2_RESPONSE)
    if answer is None:
        # RFC 2548 says NT hash; clients take the hash of the hash (RFC 3079, 2.4). The 40-bit LM key stays zero.
        keys = bytes(8) + _md4(password_hash) + bytes(8)
        hidden = encode_pap(keys, packet.authenticator, secret)
        return encode.vendor(VENDOR_MICROSOFT, MS_CHAP_MPPE_KEYS, hidden) + policy
    challenge = packet.vendor(VENDOR_MICROSOFT, MS_CHAP_CHALLENGE) or b""
    response = answer[26:50]
    proof = authenticator_response(
        password_hash, response, answer[2:18], challenge, packet.attributes.get(USER_NAME, b"")
    )
    send, receive = mppe_keys(password_hash, response)
    return (
        encode.vendor(VENDOR_MICROSOFT, MS_CHAP2_SUCCESS, answer[:1] + proof)
        + encode_mppe_keys(send, receive, packet.authenticator, secret, salts)
        + policy
    )


def encode_mppe_keys(send: bytes, receive: bytes, authenticator: bytes, secret: bytes, salts: bytes) -> bytes:
    """MS-MPPE-Send-Key and MS-MPPE-Recv-Key (RFC 2548, 2.4.2); ``salts`` are 4 random octets."""
    first = bytes((salts[0] | 0x80, salts[1]))
    second = bytes((salts[2] | 0x80, salts[3]))
    if second == first:  # must differ (RFC 2548, 2.4.2): one key would be hidden as the other
        second = bytes((second[0], second[1] ^ 1))
    return encode.vendor(VENDOR_MICROSOFT, MS_MPPE_SEND_KEY, _hide(send, authenticator, secret, first)) + encode.vendor(
        VENDOR_MICROSOFT, MS_MPPE_RECV_KEY, _hide(receive, authenticator, secret, second)
    )


def encode_mschap_error(packet: Packet, reason: int = 691) -> bytes:
    """MS-CHAP-Error for the Reject: 691 wrong password, 647 account disabled, 649 no dial-in permission. No retry.

    v2 demands a challenge in it (RFC 2759, 6): the request's own, since nobody may retry with it.
    """
    answer = packet.vendor(VENDOR_MICROSOFT, MS_CHAP2_RESPONSE)
    message = f"E={reason} R=0"
    if answer is not None:
        challenge = packet.vendor(VENDOR_MICROSOFT, MS_CHAP_CHALLENGE) or bytes(16)
        message += f" C={challenge.hex().upper()[:32]} V=3"
    else:
        answer = packet.vendor(VENDOR_MICROSOFT, MS_CHAP_RESPONSE) or b""
    return encode.vendor(VENDOR_MICROSOFT, MS_CHAP_ERROR, (answer[:1] or b"\0") + message.encode())


def reveal_mppe_key(hidden: bytes, authenticator: bytes, secret: bytes) -> bytes:
    """The key in a salted attribute; b"" when it is none. For tests and for checks of replies."""
    if len(hidden) < 18 or (len(hidden) - 2) % 16:
        return b""
    plain, previous = b"", authenticator + hidden[:2]
    for at in range(2, len(hidden), 16):
        plain += _xor(hidden[at : at + 16], md5(secret + previous).digest())
        previous = hidden[at : at + 16]
    return plain[1 : 1 + plain[0]]


def _md4(data: bytes) -> bytes:
    return MD4.new(data).digest()  # noqa: S303  what the protocol prescribes


def _hide(key: bytes, authenticator: bytes, secret: bytes, salt: bytes) -> bytes:
    plain = bytes((len(key),)) + key
    plain = plain.ljust((len(plain) + 15) // 16 * 16, b"\0")
    hidden, previous = salt, authenticator + salt
    for at in range(0, len(plain), 16):
        previous = _xor(plain[at : at + 16], md5(secret + previous).digest())
        hidden += previous
    return hidden


def _xor(one: bytes, other: bytes) -> bytes:
    return (int.from_bytes(one, "big") ^ int.from_bytes(other, "big")).to_bytes(len(one), "big")


def _des(key: bytes, block: bytes) -> bytes:
    """One DES block under 56 key bits: triple DES with one key is DES, and half the cost of a pycryptodome cipher."""
    bits = int.from_bytes(key, "big")
    spread = bytes([(bits >> shift & 0x7F) << 1 for shift in (49, 42, 35, 28, 21, 14, 7, 0)])
    # ECB over a single block is what the protocol prescribes.
    encryptor = Cipher(TripleDES(spread * 3), modes.ECB()).encryptor()  # noqa: S305
    return encryptor.update(block)
