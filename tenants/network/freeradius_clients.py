"""Reads the routers of a FreeRADIUS ``clients.conf`` (NET-2), as rows of a table of routers.

Taken over are name, address, secret, make (``nas_type``), ``require_message_authenticator`` and the port of the
``coa_server``. Clients of this machine itself (127.0.0.1, ::1), which every such file has for tests, are left out.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import ip_interface
from typing import Final

from tenants.kernel.errors import Phrase
from tenants.network.errors import BadImport, ClientNotTakenOver

_BEGIN: Final = re.compile(r"\s*(?:#.*\n\s*)*(client|clients|server|home_server|\$INCLUDE)\b[^\n,;]*(\{|\n|$)")
_TOKEN: Final = re.compile(
    r"""(?P<blank>[ \t\r]+|\\\r?\n|\#[^\n]*)|(?P<line>\n)|(?P<sign>[{}]|[:+!=<>-]?=[~*]?)"""
    r"""|"(?P<double>(?:[^"\\\n]|\\.)*)"|'(?P<single>(?:[^'\\\n]|\\.)*)'|(?P<word>(?:\$\{[^}\s]*\}|\\\r?\n|[^\s{}="'\#])+)"""
)
_ESCAPED: Final = re.compile(r"\\(.)")
_CONTINUED: Final = re.compile(r"\\\r?\n")
_MAKES: Final = {
    "cisco": "cisco", "mikrotik": "mikrotik", "huawei": "huawei", "h3c": "h3c", "zte": "zte", "juniper": "juniper",
    "erx": "unisphere-erx", "ruijie": "ruijie",
}  # fmt: skip
_ADDRESSES: Final = ("ipaddr", "ipv4addr", "ipv6addr")
_ANYWHERE: Final = ("*", "0.0.0.0/0", "::/0")
_LARGEST_MASK: Final = {4: 32, 6: 128}
_DEEPEST: Final = 20


@dataclass(slots=True)
class _Section:
    kind: str
    name: str
    line: int
    values: dict[str, str] = field(default_factory=dict)
    inside: "list[_Section]" = field(default_factory=list)


Row = tuple[int, dict[str, str] | ClientNotTakenOver]


def is_clients_conf(text: str) -> bool:
    """Whether a text is such a file, and no table."""
    return _BEGIN.match(text.lstrip("\ufeff")) is not None


def read_clients(text: str) -> list[Row]:
    """(line, values by column, or why not) of each client. Raises :class:`BadImport`."""
    root = _parse(text.lstrip("\ufeff"))
    servers = {section.name: section for section in _all(root) if section.kind == "home_server"}
    rows: list[Row] = []
    for section in _all(root):
        if section.kind == "$include":
            why = Phrase("{file} is another file; import that one, too, and take this line out", file=section.name)
            rows.append((section.line, ClientNotTakenOver(field="table", why=why)))
        elif section.kind == "client":
            try:
                values = _values(section, servers)
            except ClientNotTakenOver as error:
                rows.append((section.line, error))
            else:
                if values:
                    rows.append((section.line, values))
    if not rows:
        raise BadImport(field="table", why="it has no rows")
    return rows


def _values(client: _Section, servers: dict[str, _Section]) -> dict[str, str]:
    """As a row of the table; empty for one that is to be left out."""
    given = client.values
    for name in ("secret", "shortname", *_ADDRESSES):
        if "${" in given.get(name, ""):
            raise _refused("{value} is a variable; write its value instead", value=given[name])
    if not given.get("secret"):
        raise _refused("it has no secret")
    values = {"name": given.get("shortname") or client.name, "secret": given["secret"]}
    values["vendor"] = _MAKES.get(given.get("nas_type", given.get("nastype", "")).lower(), "standard")
    signed = given.get("require_message_authenticator", "").lower() not in ("no", "false", "0", "off")
    values["message_authenticator"] = "required" if signed else "optional"
    coa = servers.get(given.get("coa_server", ""))
    if coa is not None and coa.values.get("port"):
        values["coa_port"] = coa.values["port"]
    address = next((given[name] for name in _ADDRESSES if given.get(name)), client.name)
    if "netmask" in given and "/" not in address:
        address += f"/{given['netmask']}"
    return _placed(values, address)


def _placed(values: dict[str, str], address: str) -> dict[str, str]:
    """With how the router is recognised: by its address, as there; by its name; or, coming from anywhere, by what it
    calls itself."""
    if address in _ANYWHERE:
        return values | {"auth_mode": "identifier"}
    try:
        found = ip_interface(address)
    except ValueError:
        if re.fullmatch(r"[0-9.:/]+", address):
            raise _refused("{address} is no address", address=address) from None
        return values | {"auth_mode": "ddns", "ddns_name": address}
    if found.network.prefixlen != _LARGEST_MASK[found.version]:
        raise _refused(
            "{network} is a network; register each router of it, it is known by its identifier from any address",
            network=address,
        )
    if found.is_loopback:
        return {}
    return values | {"auth_mode": "address", "address": str(found.ip)}


def _refused(template: str, **params: str) -> ClientNotTakenOver:
    return ClientNotTakenOver(field="table", why=Phrase(template, **params) if params else template)


def _all(section: _Section) -> Iterator[_Section]:
    """Every section but those within a client, in their order."""
    for one in section.inside:
        yield one
        if one.kind != "client":
            yield from _all(one)


def _parse(text: str) -> _Section:
    """The sections of the file. Raises :class:`BadImport` for one that is not closed, or is closed twice."""
    root = _Section("", "", 1)
    open_sections, words, line = [root], list[str](), 1
    for sign, value, line in _tokens(text):
        if sign in ("{", "}", "\n"):
            if sign == "{":
                _open(open_sections, words, line)
            else:
                _keep(open_sections[-1], words, line)
                if sign == "}":
                    if len(open_sections) == 1:
                        raise BadImport(field="table", why=Phrase("line {line} closes a brace too many", line=line))
                    open_sections.pop()
            words = []
        else:
            words.append(sign or value)
    _keep(root, words, line)
    if len(open_sections) > 1:
        begun = open_sections[-1].line
        raise BadImport(field="table", why=Phrase("the brace of line {line} is not closed", line=begun))
    return root


def _open(open_sections: list[_Section], words: list[str], line: int) -> None:
    if len(open_sections) > _DEEPEST:
        raise BadImport(field="table", why=Phrase("too many braces are open in line {line}", line=line))
    section = _Section(words[0].lower() if words else "", words[1] if len(words) > 1 else "", line)
    open_sections[-1].inside.append(section)
    open_sections.append(section)


def _keep(section: _Section, words: list[str], line: int) -> None:
    """A line inside a section: pairs, or the name of another file."""
    if len(words) >= 2 and words[0].upper() == "$INCLUDE":
        section.inside.append(_Section("$include", words[1], line))
        return
    if words[1:2] != ["="]:
        return  # nothing of a client's
    pairs = [words[at : at + 3] for at in range(0, len(words), 3)]
    if len(words) > 2 and not all(len(pair) == 3 and pair[1] == "=" for pair in pairs):
        why = Phrase("line {line} cannot be read; put its value into quotation marks", line=line)
        raise BadImport(field="table", why=why)
    section.values |= {pair[0].lower(): pair[2] for pair in pairs if len(pair) == 3}


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    """(sign, value, line) of each; a sign is a brace, the end of a line, or an operator that ends in ``=``."""
    at, line = 0, 1
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise BadImport(field="table", why=Phrase("the quotation marks of line {line} do not close", line=line))
        at = found.end()
        if found["line"]:
            yield "\n", "", line
        elif found["sign"]:
            yield found["sign"] if found["sign"] in "{}" else "=", "", line
        elif found["blank"] is None:
            quoted = found["double"] if found["double"] is not None else found["single"]
            yield "", _CONTINUED.sub("", found["word"]) if quoted is None else _ESCAPED.sub(r"\1", quoted), line
        line += found[0].count("\n")
