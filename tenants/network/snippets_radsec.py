"""Ready configuration for RadSec (RFC 6614): RouterOS, and radsecproxy for routers that only speak UDP. Pure."""

from dataclasses import dataclass

from tenants.network.snippets import Block, Snippet


@dataclass(frozen=True, slots=True)
class RadsecFacts:
    """What a configuration is made of."""

    identifier: str
    server: str
    port: int
    interim_seconds: int


# Names of the files in the download, which the configurations refer to
AUTHORITY_FILE = "ca.pem"
CERTIFICATE_FILE = "router.pem"
KEY_FILE = "router.key"


def radsec_snippet(vendor: str, facts: RadsecFacts) -> Snippet:
    """For RouterOS its own commands; for all others radsecproxy."""
    return _routeros(facts) if vendor == "mikrotik" else _radsecproxy(facts)


def _routeros(facts: RadsecFacts) -> Snippet:
    ports = f"authentication-port={facts.port} accounting-port={facts.port}"
    tls = f"protocol=radsec secret=radsec {ports} certificate=broadloom-router timeout=3s"
    return Snippet(
        title="RouterOS 7",
        hint="Upload the three files of the download to the router first (Files).",
        mark="#",
        blocks=(
            Block("The router names itself", (f'/system identity set name="{facts.identifier}"',)),
            Block(
                "Its certificate, and the authority it trusts",
                (
                    f'/certificate import file-name={AUTHORITY_FILE} name=broadloom-ca passphrase=""',
                    f'/certificate import file-name={CERTIFICATE_FILE} name=broadloom-router passphrase=""',
                    f'/certificate import file-name={KEY_FILE} passphrase=""',
                ),
            ),
            Block(
                "Logins and accounting through TLS",
                (
                    f"/radius add service=ppp,hotspot,wireless address={facts.server} {tls}",
                    f"/ppp aaa set use-radius=yes accounting=yes interim-update={facts.interim_seconds}s",
                ),
            ),
        ),
    )


def _radsecproxy(facts: RadsecFacts) -> Snippet:
    return Snippet(
        title="radsecproxy.conf",
        hint="radsecproxy runs on a small machine beside the router, which sends it RADIUS by UDP as usual.",
        mark="#",
        blocks=(
            Block("Where the routers send to", ("ListenUDP *:1812", "ListenUDP *:1813")),
            Block(
                "Its certificate, and the authority it trusts",
                (
                    "tls default {",
                    f"    CACertificateFile {AUTHORITY_FILE}",
                    f"    CertificateFile {CERTIFICATE_FILE}",
                    f"    CertificateKeyFile {KEY_FILE}",
                    "}",
                ),
            ),
            Block(
                "The router beside it; choose a secret between the two",
                ("client 192.0.2.1 {", "    type udp", "    secret choose-one-here", "}"),
            ),
            Block(
                "The cloud",
                (
                    "server broadloom {",
                    f"    host {facts.server}",
                    f"    port {facts.port}",
                    "    type tls",
                    "    secret radsec",
                    "    StatusServer on",
                    "}",
                    "realm * {",
                    "    server broadloom",
                    "    accountingServer broadloom",
                    "}",
                ),
            ),
        ),
    )
