"""X.509: a tenant's own authority, certificates for its EAP and RadSec servers and its routers, and a check of uploads.

Pure: instants are passed in, PEM comes out. Keys are P-256: a handshake costs a tenth of RSA-2048's.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address
from itertools import pairwise

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import MD5, SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

AUTHORITY_YEARS = 20  # subscribers' devices pin it; nobody wants to touch them all again
SERVER_DAYS = 825  # Apple's devices refuse more
_SHORTEST_RSA = 2048
_CLOCK_SLACK = timedelta(days=1)  # devices whose clocks are a little behind


@dataclass(frozen=True, slots=True)
class Certificate:
    """A certificate and its private key, both PEM (the key PKCS #8, not encrypted: seal it before it is stored)."""

    certificate_pem: bytes
    key_pem: bytes


def make_authority(name: str, now: datetime, years: int = AUTHORITY_YEARS) -> Certificate:
    """A self-signed certificate authority; ``name`` is what a subscriber's device shows."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = _subject(name)
    builder = _builder(subject, subject, key.public_key(), now, timedelta(days=365 * years))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_key_usage(authority=True), critical=True)
    identifier = x509.SubjectKeyIdentifier.from_public_key(key.public_key())
    return _finish(builder.add_extension(identifier, critical=False), key, key)


def make_server_certificate(
    authority: Certificate, names: list[str], now: datetime, days: int = SERVER_DAYS
) -> Certificate:
    """A server certificate for the DNS names or addresses ``names``; the first is its common name."""
    return _issue(authority, names[0], names, ExtendedKeyUsageOID.SERVER_AUTH, now, days)


def make_client_certificate(
    authority: Certificate, name: str, now: datetime, days: int = 365 * AUTHORITY_YEARS
) -> Certificate:
    """A client certificate (RadSec: ``name`` is the NAS identifier)."""
    return _issue(authority, name, [], ExtendedKeyUsageOID.CLIENT_AUTH, now, days)


def check_server_upload(chain_pem: bytes, key_pem: bytes, now: datetime) -> str:
    """ "" when supplicants would accept this as a server's, else a stable code.

    ``unreadable_certificate``, ``unreadable_key``, ``key_mismatch``, ``expired``, ``not_yet_valid``,
    ``not_for_servers``, ``weak_key``, ``weak_signature``, ``issuer_missing``, ``chain_order``, ``chain_not_authority``,
    ``chain_expired``.
    """
    try:
        chain = x509.load_pem_x509_certificates(chain_pem)
    except ValueError:
        return "unreadable_certificate"
    try:
        key = load_pem_private_key(key_pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # TypeError: it is encrypted
        return "unreadable_key"
    leaf = chain[0]
    form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
    if key.public_key().public_bytes(*form) != leaf.public_key().public_bytes(*form):
        return "key_mismatch"
    if leaf.not_valid_after_utc <= now:
        return "expired"
    if leaf.not_valid_before_utc > now:
        return "not_yet_valid"
    try:
        usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    except x509.ExtensionNotFound:
        return "not_for_servers"  # Windows insists
    if ExtendedKeyUsageOID.SERVER_AUTH not in usage:
        return "not_for_servers"
    return _problem_of_chain(chain, now)


def certificates_of(chain_pem: bytes) -> bytes:
    """The certificates of a PEM and nothing else: its file may hold the private key as well."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in x509.load_pem_x509_certificates(chain_pem))


def _problem_of_chain(chain: list[x509.Certificate], now: datetime) -> str:
    if any(_is_weak(one.public_key()) for one in chain):
        return "weak_key"
    signed = [one for one in chain if one.issuer != one.subject]  # nobody looks at a root's own signature
    if any(isinstance(one.signature_hash_algorithm, SHA1 | MD5) for one in signed):
        return "weak_signature"
    if len(chain) == 1 and signed:
        return "issuer_missing"
    for below, above in pairwise(chain):
        try:
            below.verify_directly_issued_by(above)
        except (ValueError, TypeError, InvalidSignature):
            return "chain_order"
    for above in chain[1:]:
        try:
            if not above.extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
                return "chain_not_authority"
        except x509.ExtensionNotFound:
            return "chain_not_authority"
        if not above.not_valid_before_utc <= now < above.not_valid_after_utc:
            return "chain_expired"
    return ""


def _is_weak(key: object) -> bool:
    """Whether OpenSSL, or what subscribers have, does no TLS with it."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.key_size < _SHORTEST_RSA
    if isinstance(key, ec.EllipticCurvePublicKey):
        return not isinstance(key.curve, ec.SECP256R1 | ec.SECP384R1 | ec.SECP521R1)
    return not isinstance(key, ed25519.Ed25519PublicKey)


def expires_at(chain_pem: bytes) -> datetime:
    """When the first certificate of a PEM ends (aware UTC)."""
    return x509.load_pem_x509_certificate(chain_pem).not_valid_after_utc


def first_to_expire(chain_pem: bytes) -> datetime:
    """When the first of a chain's certificates to end does so: from then on devices refuse the whole of it."""
    return min(one.not_valid_after_utc for one in x509.load_pem_x509_certificates(chain_pem))


def _issue(
    authority: Certificate, common_name: str, names: list[str], usage: x509.ObjectIdentifier, now: datetime, days: int
) -> Certificate:
    issuer = x509.load_pem_x509_certificate(authority.certificate_pem)
    issuer_key = load_pem_private_key(authority.key_pem, None)
    if not isinstance(issuer_key, ec.EllipticCurvePrivateKey):
        raise ValueError("the authority's key is none that make_authority made")
    key = ec.generate_private_key(ec.SECP256R1())
    ends = min(timedelta(days=days), issuer.not_valid_after_utc - now)
    builder = _builder(_subject(common_name), issuer.subject, key.public_key(), now, ends)
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_key_usage(authority=False), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
    if names:
        alternatives = x509.SubjectAlternativeName([_general_name(name) for name in names])
        builder = builder.add_extension(alternatives, critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return _finish(builder.add_extension(identifier, critical=False), key, issuer_key)


def _builder(
    subject: x509.Name, issuer: x509.Name, public_key: ec.EllipticCurvePublicKey, now: datetime, valid: timedelta
) -> x509.CertificateBuilder:
    return x509.CertificateBuilder(
        subject_name=subject,
        issuer_name=issuer,
        public_key=public_key,
        serial_number=x509.random_serial_number(),
        not_valid_before=now - _CLOCK_SLACK,
        not_valid_after=now + valid,
    )


def _finish(
    builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> Certificate:
    certificate = builder.sign(signer, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Certificate(certificate.public_bytes(Encoding.PEM), pem)


def _subject(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name[:64])])  # X.520 allows 64 characters


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )
