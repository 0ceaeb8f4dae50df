"""The search of an account list: one box over everything staff know an account by (SUB-6, the search of W §(四)).

One trigram index over ``accounts.search_text`` carries it (see ``search.py``); the addresses of those online are
looked up beside it.
"""

import re
from ipaddress import ip_address

from sqlalchemy import ColumnElement, Select, and_, false, func, literal, or_, select, union

from tenants.subscribers.errors import BadMac
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.rules import normalise_mac as checked_mac
from tenants.subscribers.search import pattern, words_of
from tenants.usage.addresses import address6, uses_address6
from tenants.usage.models import Session as OnlineSession

# 1/2, slot=1;…, 0/1:100, not what is typed of a MAC, an address, a telephone number or a date
_LINE = re.compile(r"(?![0-9a-fA-F:.]+$).*([0-9][/:|][0-9]|=[0-9])")


def normalise_mac(text: str) -> str:
    """``aa:bb:cc:dd:ee:ff`` of a MAC in any common notation, or ""; an IPv6 address of twelve digits is none."""
    if "::" in text or text.count(":") > 5:
        return ""
    try:
        return checked_mac(text)
    except BadMac:
        return ""


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def search_condition(text: str) -> ColumnElement[bool]:
    """The accounts whose words contain every word of ``text``: user name, name, phone, address, remark, box, port,
    VLAN, fixed IP or bound MAC.
    """
    words = words_of(text)
    return and_(*(Account.search_text.like(pattern(word), escape="\\") for word in words)) if words else false()


def exact_condition(text: str) -> ColumnElement[bool]:
    """The accounts of which one value is exactly ``text``."""
    text = text.strip()
    person = select(Customer.id).where(
        or_(Customer.name == text, Customer.phone == text, Customer.address == text, Customer.room == text)
    )
    values = [Account.username, Account.remark, Account.box, Account.port, Account.vlan, Account.bind_port]
    found = [column == text for column in values]
    found.append(Account.customer_id.in_(person))
    if mac := normalise_mac(text):
        found.append(Account.bind_mac == mac)
    if _is_address(text):
        found.append(Account.static_ip == literal(text, Account.static_ip.type))
    # The index first narrows to the rows that contain the text at all.
    return and_(search_condition(text), or_(*found))


def is_of_device(text: str) -> bool:
    """Whether it is a MAC, an address, a prefix of IPv6, or may name a line: those online have to be asked, too."""
    return bool(normalise_mac(text)) or _is_address(text.strip()) or address6(text) is not None or may_be_line(text)


def may_be_line(text: str) -> bool:
    """Whether it is written as access nodes and routers write ports and circuits: ``xpon 0/1/0:100``, ``slot=1;…``."""
    return _LINE.match(text.strip()) is not None


def is_on_line(text: str) -> ColumnElement[bool]:
    """Sessions whose port or circuit contains it."""
    return OnlineSession.nas_port_id.icontains(text.strip(), autoescape=True)


def named_by(text: str, tenant_id: int, *, exact: bool = False) -> ColumnElement[bool]:
    """The condition on ``accounts`` of a list; a sub-select only where those online have to be asked too."""
    if is_of_device(text):
        return Account.id.in_(matching_account_ids(text, tenant_id, exact=exact))
    return exact_condition(text) if exact else search_condition(text)


def matching_account_ids(text: str, tenant_id: int, *, exact: bool = False) -> Select[int]:
    """Ids of the accounts that ``text`` names, also by the MAC or address they are online with."""
    text = text.strip()
    if not text:
        return select(Account.id).where(false())
    parts = [select(Account.id).where(exact_condition(text) if exact else search_condition(text))]
    online = select(OnlineSession.account_id).where(OnlineSession.tenant_id == tenant_id)
    if mac := normalise_mac(text):
        parts.append(online.where(func.lower(OnlineSession.mac) == mac))
    elif prefix := address6(text):
        # Whoever asks has one address out of the prefix that the subscriber was given.
        parts = [online.where(uses_address6(OnlineSession, prefix))]
    elif may_be_line(text) and not _is_address(text):
        parts.append(online.where(is_on_line(text)))
    elif _is_address(text):
        # An address is looked up as one: its dots leave a trigram index nothing to hold on to.
        parts = [select(Account.id).where(Account.static_ip == literal(text, Account.static_ip.type))]
        parts.append(online.where(OnlineSession.framed_ip == literal(text, OnlineSession.framed_ip.type)))
    if len(parts) == 1:
        return parts[0]
    return select(union(*parts).subquery().c[0])
