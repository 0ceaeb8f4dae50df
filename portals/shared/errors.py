"""Refusals of the business in the reader's language: by code, from ``translations/zh/LC_MESSAGES/errors.po``."""

from typing import Any

from portals.shared.i18n import _, current_language, pgettext
from tenants.kernel.errors import BusinessError, InvalidInputs


def error_text(error: BusinessError) -> str:
    """The sentence for a refusal.

    English is the error's own; another language takes the entry with context ``error`` and the code as message id,
    whose ``{name}`` places are filled with the error's parameters. Without an entry the English sentence stands in.
    """
    if isinstance(error, InvalidInputs):
        return " ".join(error_text(single) for single in error.errors)
    if current_language() == "en":
        return error.sentence()
    template = pgettext("error", error.code)
    if template == error.code:
        return error.sentence()
    try:
        return template.format(**{name: _word(value) for name, value in error.params.items()})
    except (KeyError, IndexError, ValueError):
        return error.sentence()


def _word(value: Any) -> Any:
    """Names of things inside a sentence (``plan``, ``account``) are words of the catalogue too."""
    return _(value) if isinstance(value, str) and value else value
