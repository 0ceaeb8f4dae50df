"""The fields that staff type in, checked one by one and set together (SUB-4). Used on opening and on editing."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from infra.crypto import PERSONAL_DATA, SecretBox
from tenants.kernel.errors import BusinessError, InvalidInputs, Phrase
from tenants.subscribers.address_wish import wants_address, wants_router, with_address, with_router
from tenants.subscribers.errors import BadValue, FieldUnknown
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.rules import (
    ACCESS_TYPES,
    ATTRIBUTES,
    LEARN,
    check_address,
    check_choice,
    check_email,
    check_phone,
    check_text,
    normalise_mac,
)
from tenants.subscribers.search import searchable

Check = Callable[[Any], Any]
MOST_SESSIONS = 1_000


def _text(field: str, longest: int = 200) -> Check:
    return lambda value: check_text(str(value or ""), field=field, longest=longest)


def _mac(value: Any) -> str:
    return LEARN if value == LEARN else normalise_mac(str(value or ""))


def _sessions(value: Any) -> int | None:
    if value is None or value == "":
        return None
    if not str(value).isdigit() or not 0 <= int(value) <= MOST_SESSIONS:
        raise BadValue(
            field="max_sessions", value=value, choices=Phrase("0 (any number) to {most}", most=MOST_SESSIONS)
        )
    return int(value)


def _address(value: Any) -> str | None:
    """An address, "learn" for that of the next session."""
    return LEARN if value == LEARN else check_address(str(value or ""))


def _router(value: Any) -> int | str | None:
    """The row of a router, "learn" for that of the next login."""
    if value == LEARN:
        return LEARN
    return None if value in (None, "", 0) else int(value)


CUSTOMER_FIELDS: dict[str, Check] = {
    "name": _text("name", 100),
    "phone": lambda value: check_phone(str(value or "")),
    "email": lambda value: check_email(str(value or "")),
    "address": _text("address"),
    "building": _text("building", 60),
    "room": _text("room", 60),
    "customer_remark": _text("customer_remark", 2000),
    "attribute": lambda value: check_choice(str(value or "ordinary"), ATTRIBUTES, field="attribute"),
}
ACCOUNT_FIELDS: dict[str, Check] = {
    "remark": _text("remark", 2000),
    "access_type": lambda value: check_choice(str(value or ""), ACCESS_TYPES, field="access_type"),
    "box": _text("box", 60),
    "port": _text("port", 60),
    "vlan": _text("vlan", 60),
    "max_sessions": _sessions,
    "static_ip": _address,
    "bind_mac": _mac,
    "bind_port": _text("bind_port", 120),
    "bind_nas_id": _router,
}
_COLUMN_OF = {"customer_remark": "remark"}  # a customer and an account both have a remark


def checked_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in the form they are stored in. Raises FieldUnknown, or all that is wrong (InvalidInputs)."""
    found: dict[str, Any] = {}
    errors: list[BusinessError] = []
    for name, value in values.items():
        check = CUSTOMER_FIELDS.get(name) or ACCOUNT_FIELDS.get(name)
        if check is None:
            if name == "id_number":
                found[name] = check_text(str(value or ""), field=name, longest=40)
                continue
            raise FieldUnknown(field=name, name=name)
        try:
            found[name] = check(value)
        except BusinessError as error:
            errors.append(error)
    if errors:
        raise errors[0] if len(errors) == 1 else InvalidInputs(errors)
    return found


def set_fields(
    account: Account | None, customer: Customer, values: Mapping[str, Any], box: SecretBox, *, now: datetime
) -> None:
    """Write checked values to where they belong; the ID number is sealed."""
    for name, value in values.items():
        if name == "id_number":
            customer.id_number_sealed = box.seal(value.encode(), PERSONAL_DATA) if value else None
        elif name in CUSTOMER_FIELDS:
            setattr(customer, _COLUMN_OF.get(name, name), value)
        elif account is not None and name == "bind_nas_id":
            _bind_router(account, value)
        elif account is not None and name == "static_ip":
            _bind_address(account, value, now)
        elif account is not None:
            setattr(account, name, value)


def _bind_router(account: Account, value: int | str | None) -> None:
    """A number cannot say "learn", so that stands beside it."""
    account.bind_options = with_router(account.bind_options, value == LEARN)
    account.bind_nas_id = None if value == LEARN else value  # type: ignore[assignment]  # what _router lets through


def _bind_address(account: Account, value: str | None, now: datetime) -> None:
    """Nor can an address. One that stays as it is stays what it was, typed or learned."""
    if account.static_ip is not None and value == str(account.static_ip):
        return
    account.bind_options = with_address(account.bind_options, now if value == LEARN else None)
    account.static_ip = None if value == LEARN else value


def facts_of(account: Account | None, customer: Customer) -> dict[str, Any]:
    """The fields as the operation log shows them; an ID number is only said to be there or not."""
    facts = {name: getattr(customer, _COLUMN_OF.get(name, name)) for name in CUSTOMER_FIELDS}
    facts["id_number"] = "stored" if customer.id_number_sealed else ""
    if account is not None:
        facts |= {name: getattr(account, name) for name in ACCOUNT_FIELDS}
        if account.bind_nas_id is None and wants_router(account.bind_options):
            facts["bind_nas_id"] = LEARN
        facts["static_ip"] = "" if account.static_ip is None else str(account.static_ip)
        if wants_address(account.bind_options):
            facts["static_ip"] = LEARN
    return facts


def refresh_search(account: Account | None, customer: Customer) -> None:
    """Recompute the searchable texts after any change of these fields or of the user name."""
    person = (customer.name, customer.phone, customer.address, customer.building, customer.room, customer.remark)
    customer.search_text = searchable(*person, customer.email)
    if account is not None:
        device = (account.bind_mac if account.bind_mac != LEARN else "", account.bind_port, account.static_ip)
        account.search_text = searchable(
            account.username, *person, account.remark, account.box, account.port, account.vlan, *device
        )
