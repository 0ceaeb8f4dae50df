"""How an amount's currency is written."""

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


def currency_sign() -> str:
    """``¥`` for yuan; a currency without a usual sign by its code."""
    code = tenant_settings().currency
    return _SIGNS.get(code, f"{code} ")
