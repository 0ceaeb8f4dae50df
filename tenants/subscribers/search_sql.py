"""The search of an account list: one box over everything staff know an account by (SUB-6, the search of W §(四)).

Two trigram indexes carry it, one over the customer's words and one over the account's; addresses are looked up exactly.
"""

import re
from ipaddress import ip_address
from typing import Any

from sqlalchemy import ColumnElement, Select, false, func, literal, select, union

from tenants.subscribers.models import Account, Customer
from tenants.usage.models import Session as OnlineSession

_MAC = re.compile(r"^[0-9a-f]{12}$")
_TRIGRAM = 3  # a trigram index finds nothing shorter inside a word, but it does find beginnings of words

CUSTOMER_TEXT = Customer.name + " " + Customer.phone + " " + Customer.address + " " + Customer.remark
ACCOUNT_TEXT = Account.username + " " + Account.remark + " " + Account.box + " " + Account.port + " " + Account.vlan


def normalise_mac(text: str) -> str:
    """``aa:bb:cc:dd:ee:ff`` of a MAC in any common notation, or ""."""
    digits = re.sub(r"[^0-9a-fA-F]", "", text).lower()
    if not _MAC.match(digits) or re.search(r"[^0-9a-fA-F:.\- ]", text):
        return ""
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _like(column: ColumnElement[str], text: str) -> ColumnElement[bool]:
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    if len(text) >= _TRIGRAM:
        return column.ilike(f"%{escaped}%", escape="\\")
    return column.ilike(f"{escaped}%", escape="\\") | column.ilike(f"% {escaped}%", escape="\\")


def matching_account_ids(text: str, tenant_id: int) -> Select[Any]:
    """Ids of the accounts that ``text`` names: user name, name, phone, address, remark, box, port, VLAN, IP or MAC."""
    text = text.strip()
    if not text:
        return select(Account.id).where(false())
    mac = normalise_mac(text)
    if mac:
        found = union(
            select(Account.id).where(Account.bind_mac == mac),
            select(OnlineSession.account_id).where(
                OnlineSession.tenant_id == tenant_id, func.lower(OnlineSession.mac) == mac
            ),
            select(Account.id).where(_like(ACCOUNT_TEXT, text)),
        )
    elif _is_address(text):
        found = union(
            select(Account.id).where(Account.static_ip == literal(text, Account.static_ip.type)),
            select(OnlineSession.account_id).where(
                OnlineSession.tenant_id == tenant_id,
                OnlineSession.framed_ip == literal(text, OnlineSession.framed_ip.type),
            ),
        )
    else:
        found = union(
            select(Account.id).where(_like(ACCOUNT_TEXT, text)),
            select(Account.id).join(Customer, Customer.id == Account.customer_id).where(_like(CUSTOMER_TEXT, text)),
        )
    return select(found.subquery().c[0])
