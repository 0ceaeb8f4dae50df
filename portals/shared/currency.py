"""How an amount's currency is written."""

from decimal import Decimal

from portals.shared.formats import money
from portals.shared.tenancy import tenant_settings

_SIGNS = {
    "CNY": "¥",
    "USD": "$",
    "EUR": "€",
    "GBP": "£",
    "HKD": "HK$",
    "TWD": "NT$",
    "JPY": "¥",
    "INR": "₹",
    "PHP": "₱",
}


def with_sign(amount: Decimal) -> str:
    """``¥130.00``, ``−¥20.00``."""
    minus = "−" if amount < 0 else ""
    return f"{minus}{currency_sign()}{money(abs(amount))}"


def currency_sign() -> str:
    """``¥`` for yuan; a currency without a usual sign by its code."""
    code = tenant_settings().currency
    return _SIGNS.get(code, f"{code} ")
