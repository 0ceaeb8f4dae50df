"""Refusals of the business in the reader's language: by code, from ``translations/zh/LC_MESSAGES/errors.po``."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from portals.shared.formats import local, money
from portals.shared.i18n import _, current_language, pgettext
from tenants.kernel.errors import BusinessError, InvalidInputs, Phrase


def error_text(error: BusinessError) -> str:
    """The sentence for a refusal.

    English is the error's own; another language takes the entry with context ``error`` and the code as message id,
    whose ``{name}`` places are filled with the error's parameters. Without an entry the English sentence stands in.
    Instants are written in the tenant's zone, amounts with two decimals.
    """
    if isinstance(error, InvalidInputs):
        return " ".join(error_text(single) for single in error.errors)
    return kept_error_text(error.code, error.message, error.params) or error.sentence()


def kept_error_text(code: str, message: str, params: dict[str, Any]) -> str:
    """The same for a refusal that was written down; "" when its parameters do not fit its sentence."""
    template = message if current_language() == "en" else pgettext("error", code)
    if template == code:
        template = message
    try:
        return template.format(**{name: _shown(value) for name, value in params.items()})
    except (KeyError, IndexError, ValueError):
        return ""


def _shown(value: Any) -> Any:
    if isinstance(value, Phrase):
        return _(value.template).format(**value.params)
    if isinstance(value, str) and value:
        return _words(value)
    if isinstance(value, datetime):
        return local(value)
    return money(value) if isinstance(value, Decimal) else value


def _words(value: str) -> str:
    """Names of things inside a sentence (plan, account), also several of them, are words of the catalogue too."""
    found = _(value)
    parts = value.split(", ")
    known = [_(part) for part in parts]
    return found if found != value or known == parts else _(", ").join(known)
