"""Which certificates an ISP and the cloud have, and when they are renewed. Pure: the RADIUS cluster uses it, too."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from infra.certificates import Certificate, expires_at, make_authority, make_client_certificate, make_server_certificate

RENEW_BEFORE: Final = timedelta(days=60)
WARN_BEFORE: Final = timedelta(days=60)  # what only people can replace
RENEWAL_MISSED: Final = timedelta(days=45)  # the daily job should have renewed it two weeks ago
AUTHORITY_WARN_BEFORE: Final = timedelta(days=365)  # each device has to be given the next one
CLIENT_DAYS: Final = 3650  # somebody has to go to the router to change it
PSK_OCTETS: Final = 32
MOST_CREDENTIALS: Final = 10  # valid ones of one router
RADSEC: Final = "radsec"  # name of the cluster's certificate
_LAST_PACKETS: Final = timedelta(minutes=2)  # a connection is ended some seconds after its certificate's end

# check_server_upload's codes in words; portals translate the sentence
UPLOAD_PROBLEMS: Final = {
    "unreadable_certificate": "the chain is not PEM",
    "unreadable_key": "the private key cannot be read, or it is protected by a password",
    "key_mismatch": "the private key belongs to another certificate",
    "expired": "it has expired",
    "not_yet_valid": "it is not valid yet",
    "not_for_servers": "it is not made for servers (extended key usage serverAuth is missing)",
    "weak_key": "a key in it is too weak: RSA has 2048 bits or more, elliptic curves are P-256, P-384 or P-521",
    "weak_signature": "it is signed with SHA-1 or MD5, which devices refuse",
    "issuer_missing": "the certificate that signed it is missing; add it after the server's",
    "chain_not_authority": "a certificate after the first is none of an authority",
    "chain_expired": "a certificate after the first has expired, or is not valid yet",
    "chain_order": "the chain is not in order: the server's certificate first, then the one that signed it, and so on",
}


@dataclass(frozen=True, slots=True)
class Pki:
    """An authority and the server certificate that it signed; keys in plain PEM: seal them before they are stored."""

    authority: Certificate
    chain_pem: bytes  # server certificate, then authority
    key_pem: bytes
    expires_at: datetime


def eap_server_name(slug: str, base_domain: str) -> str:
    """The name in a tenant's EAP server certificate, which subscribers' devices may be told to insist on."""
    return f"radius.{slug}.{base_domain}"


def radsec_server_names(address: str, base_domain: str) -> list[str]:
    """The names in the RadSec server's certificate: what routers are told to connect to."""
    anywhere = address in ("", "0.0.0.0", "::")  # noqa: S104  bound to all addresses: it is none to connect to
    return [f"radsec.{base_domain}", *([] if anywhere or address == base_domain else [address]), base_domain]


def make_pki(authority_name: str, server_names: list[str], now: datetime) -> Pki:
    """A new authority with a first server certificate."""
    return renew_pki(make_authority(authority_name, now), server_names, now)


def renew_pki(authority: Certificate, server_names: list[str], now: datetime) -> Pki:
    """The same authority with a new server certificate: devices that trust it notice nothing."""
    server = make_server_certificate(authority, server_names, now)
    chain = server.certificate_pem + authority.certificate_pem
    return Pki(authority, chain, server.key_pem, expires_at(chain))


def make_router_certificate(authority: Certificate, identifier: str, now: datetime) -> Certificate:
    """The client certificate of a router; its common name is the router's identifier."""
    return make_client_certificate(authority, identifier, now, CLIENT_DAYS)


@dataclass(frozen=True, slots=True)
class Shown:
    """A certificate (or key: without an end) that a router may show, and when it did so last."""

    id: int
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ending:
    """The certificate that a router comes in with ends soon, or has ended; ``next_at``: when one that lasts longer was
    issued, which the router has not shown yet."""

    expires_at: datetime
    next_at: datetime | None

    def is_over(self, now: datetime) -> bool:
        """Whether the router is refused with it."""
        return self.expires_at <= now


def ending_of(valid: Iterable[Shown], last_packet_at: datetime | None, now: datetime) -> Ending | None:
    """What a router is to be warned of; ``valid``: what was not withdrawn. What it showed last counts: others may lie
    about as long as they like. None, too, when it has sent packets since its end: it comes in another way now."""
    known = list(valid)
    shown = max((one for one in known if one.last_used_at), key=lambda one: one.last_used_at or now, default=None)
    if shown is None or shown.expires_at is None or shown.expires_at - now > WARN_BEFORE:
        return None
    if last_packet_at is not None and last_packet_at > shown.expires_at + _LAST_PACKETS:
        return None
    longer = [one.created_at for one in known if one.expires_at is None or one.expires_at - now > WARN_BEFORE]
    return Ending(shown.expires_at, max(longer, default=None))


def needs_renewal(ends_at: datetime, now: datetime) -> bool:
    """Whether a certificate ends so soon that it is to be replaced."""
    return ends_at - now < RENEW_BEFORE
