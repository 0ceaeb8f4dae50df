"""Ready configuration to paste into a router (TEN-3, TEN-4); pure, each make has a golden test.

Most makes name themselves by their host name in NAS-Identifier, so their snippets set it; Cisco takes any text.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tenants.network.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class SnippetFacts:
    """What a configuration is made of; ``coa_sources`` are the addresses that Disconnect and CoA come from."""

    identifier: str
    secret: str
    server: str
    auth_port: int
    acct_port: int
    coa_port: int
    interim_seconds: int
    coa_sources: tuple[str, ...]
    message_authenticator: str = "required"


@dataclass(frozen=True, slots=True)
class Block:
    """A few lines under one comment; comments are translated by their English text."""

    comment: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Snippet:
    """``hint`` is what the make needs besides, "" for nothing; ``mark`` begins a comment line."""

    title: str
    hint: str
    mark: str
    blocks: tuple[Block, ...]

    @property
    def text(self) -> str:
        """All blocks, to be copied in one go."""
        parts = []
        for number, block in enumerate(self.blocks, 1):
            parts += [f"{self.mark} {number} {block.comment}", *block.lines]
        return "\n".join(parts) + "\n"


_NO_MESSAGE_AUTHENTICATOR = (
    "Older software sends no Message-Authenticator; its packets are dropped then. Update it, or set this router to "
    '"optional", which is less safe.'
)
_HOTSPOT_AND_DHCP = (
    "For a hotspot or DHCP instead of PPPoE, or beside it, write service=ppp,hotspot,dhcp and set use-radius=yes in "
    "the hotspot's server profile or the DHCP server. DHCP sends the MAC without a password: tick that the calling "
    "device's MAC is its password, among this router's answers."
)


def snippet(vendor: str, facts: SnippetFacts) -> Snippet:
    """The configuration for a make of ``vendors.VENDORS``; makes without a text of their own get the plain values."""
    make = _MAKERS.get(vendor, _plain_values)
    return make(VENDORS[vendor].label if vendor in VENDORS else vendor, facts)


def _mikrotik(_label: str, f: SnippetFacts) -> Snippet:
    return Snippet(
        "RouterOS 7.15 and newer",
        _HOTSPOT_AND_DHCP,
        "#",
        (
            Block("Identity: the cloud knows the router by it", (f'/system identity set name="{f.identifier}"',)),
            Block("Remove what was pasted before", ('/radius remove [find comment="broadloom"]',)),
            Block(
                "Authentication and accounting",
                (_radius_add(f),),
            ),
            Block(
                "Let the cloud disconnect and change rates",
                (f"/radius incoming set accept=yes port={f.coa_port}",),
            ),
            Block(
                "PPPoE asks RADIUS",
                (f"/ppp aaa set use-radius=yes accounting=yes interim-update={f.interim_seconds}s",),
            ),
        ),
    )


def _radius_add(f: SnippetFacts) -> str:
    strict = "yes-for-request-resp" if f.message_authenticator == "required" else "no"
    return (
        f'/radius add service=ppp address={f.server} secret="{f.secret}" authentication-port={f.auth_port} '
        f'accounting-port={f.acct_port} timeout=3s require-message-auth={strict} comment="broadloom"'
    )


def _huawei(_label: str, f: SnippetFacts) -> Snippet:
    return Snippet(
        "Huawei ME60, NE40E",
        _NO_MESSAGE_AUTHENTICATOR,
        "#",
        (
            Block("Identity: the cloud knows the router by it", ("system-view", f"sysname {f.identifier}")),
            Block(
                "Authentication and accounting",
                (
                    "radius-server group broadloom",
                    f" radius-server authentication {f.server} {f.auth_port} weight 0",
                    f" radius-server accounting {f.server} {f.acct_port} weight 0",
                    f" radius-server shared-key-cipher {f.secret}",
                    " radius-server user-name original",
                    " radius-server timeout 3 retransmit 3",
                    " quit",
                ),
            ),
            Block(
                "Let the cloud disconnect and change rates",
                tuple(
                    f"radius-server authorization {source} shared-key-cipher {f.secret} server-group broadloom"
                    for source in f.coa_sources
                ),
            ),
            Block(
                "Subscribers ask RADIUS",
                (
                    "aaa",
                    " authentication-scheme broadloom",
                    "  authentication-mode radius",
                    "  quit",
                    " accounting-scheme broadloom",
                    "  accounting-mode radius",
                    f"  accounting interim interval {_minutes(f.interim_seconds)}",
                    "  quit",
                    " domain broadloom",
                    "  authentication-scheme broadloom",
                    "  accounting-scheme broadloom",
                    "  radius-server group broadloom",
                    "  quit",
                    " quit",
                    "commit",
                ),
            ),
        ),
    )


def _cisco(_label: str, f: SnippetFacts) -> Snippet:
    return Snippet(
        "Cisco IOS and IOS XE",
        _NO_MESSAGE_AUTHENTICATOR,
        "!",
        (
            Block(
                "Identity: the cloud knows the router by it",
                (
                    "configure terminal",
                    f"radius-server attribute 32 include-in-access-req format {f.identifier}",
                    f"radius-server attribute 32 include-in-accounting-req format {f.identifier}",
                ),
            ),
            Block(
                "Authentication and accounting",
                (
                    "aaa new-model",
                    "radius server broadloom",
                    f" address ipv4 {f.server} auth-port {f.auth_port} acct-port {f.acct_port}",
                    " timeout 3",
                    " retransmit 3",
                    f" key {f.secret}",
                    " exit",
                    "aaa group server radius BROADLOOM",
                    " server name broadloom",
                    " exit",
                    "radius-server attribute 44 include-in-access-req all",
                ),
            ),
            Block(
                "Let the cloud disconnect and change rates",
                (
                    "aaa server radius dynamic-author",
                    *(f" client {source} server-key {f.secret}" for source in f.coa_sources),
                    f" port {f.coa_port}",
                    " auth-type any",
                    " exit",
                ),
            ),
            Block(
                "PPPoE asks RADIUS",
                (
                    "aaa authentication ppp default group BROADLOOM",
                    "aaa authorization network default group BROADLOOM",
                    "aaa accounting network default start-stop group BROADLOOM",
                    f"aaa accounting update periodic {_minutes(f.interim_seconds)}",
                    "end",
                ),
            ),
        ),
    )


def _h3c(_label: str, f: SnippetFacts) -> Snippet:
    return Snippet(
        "H3C Comware 7",
        _NO_MESSAGE_AUTHENTICATOR,
        "#",
        (
            Block("Identity: the cloud knows the router by it", ("system-view", f"sysname {f.identifier}")),
            Block(
                "Authentication and accounting",
                (
                    "radius scheme broadloom",
                    f" primary authentication {f.server} {f.auth_port}",
                    f" primary accounting {f.server} {f.acct_port}",
                    f" key authentication simple {f.secret}",
                    f" key accounting simple {f.secret}",
                    " user-name-format keep-original",
                    f" timer realtime-accounting {_minutes(f.interim_seconds)}",
                    " quit",
                ),
            ),
            Block(
                "Let the cloud disconnect and change rates",
                (
                    "radius dynamic-author server",
                    *(f" client ip {source} key simple {f.secret}" for source in f.coa_sources),
                    f" port {f.coa_port}",
                    " quit",
                ),
            ),
            Block(
                "PPPoE asks RADIUS",
                (
                    "domain broadloom",
                    " authentication ppp radius-scheme broadloom",
                    " authorization ppp radius-scheme broadloom",
                    " accounting ppp radius-scheme broadloom",
                    " quit",
                    "domain default enable broadloom",
                    "save force",
                ),
            ),
        ),
    )


def _plain_values(label: str, f: SnippetFacts) -> Snippet:
    return Snippet(
        label,
        _NO_MESSAGE_AUTHENTICATOR,
        "#",
        (
            Block("Identity: the cloud knows the router by it", (f"NAS-Identifier = {f.identifier}",)),
            Block(
                "Authentication and accounting",
                (
                    f"server = {f.server}",
                    f"authentication port = {f.auth_port}/udp",
                    f"accounting port = {f.acct_port}/udp",
                    f"shared secret = {f.secret}",
                    f"interim update = {f.interim_seconds} s",
                    f"Message-Authenticator = {f.message_authenticator}",
                ),
            ),
            Block(
                "Let the cloud disconnect and change rates",
                (
                    f"CoA port = {f.coa_port}/udp",
                    f"CoA sources = {', '.join(f.coa_sources)}",
                    f"CoA secret = {f.secret}",
                ),
            ),
        ),
    )


_MAKERS: Final[dict[str, Callable[[str, SnippetFacts], Snippet]]] = {
    "mikrotik": _mikrotik,
    "huawei": _huawei,
    "cisco": _cisco,
    "cisco-ios": _cisco,
    "h3c": _h3c,
}


def _minutes(seconds: int) -> int:
    """Makes that count the interval in minutes: rounded down, so that reports never come later than promised."""
    return max(1, seconds // 60)
