"""Languages: English sentences in the code, Chinese ones in ``portals/translations/zh/LC_MESSAGES/*.po``.

The catalogues are read when the process starts (no compiled files to keep in step). Each portal has its own file, so
that several people can work at once; all files of a language are one catalogue. Sentences of :class:`BusinessError`
stand in ``errors.po`` with the context ``error`` and the code as message id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask import Flask, Response, g, has_request_context, request
from flask_babel import Babel, get_locale
from flask_babel.speaklater import LazyString

TRANSLATIONS = Path(__file__).parents[1] / "translations"
LANGUAGES = ("zh", "en")
DEFAULT_LANGUAGE = "zh"
COOKIE = "lang"
_YEAR_SECONDS = 365 * 24 * 3600
_spoken: ContextVar[str] = ContextVar("language", default="en")


def _(sentence: str, **values: Any) -> str:
    """The sentence in the reader's language, ``%(name)s`` filled in."""
    return _fill(_catalogue_now().gettext(sentence), values)


def ngettext(singular: str, plural: str, num: int, **values: Any) -> str:
    """The sentence for ``num`` things; ``%(num)s`` is the number."""
    return _fill(_catalogue_now().ngettext(singular, plural, num), {"num": num, **values})


def pgettext(context: str, sentence: str, **values: Any) -> str:
    """A sentence whose translation depends on where it stands."""
    return _fill(_catalogue_now().pgettext(context, sentence), values)


def lazy(sentence: str) -> Any:
    """A sentence named once at import and translated when it is shown (menu entries, labels of columns)."""
    return LazyString(_, sentence)


def language() -> str:
    """``zh`` or ``en``: choice of the reader, else the tenant's, else the browser's, else Chinese."""
    if not has_request_context():
        return "en"
    chosen = request.args.get("lang") or request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return str(chosen)
    tenant_language = getattr(g, "tenant_language", None)
    if tenant_language in LANGUAGES:
        return str(tenant_language)
    return request.accept_languages.best_match(LANGUAGES) or DEFAULT_LANGUAGE


def current_language() -> str:
    """The language of this answer; outside the website that of :func:`speaking`."""
    locale = get_locale()
    return str(locale.language) if locale is not None else _spoken.get()


@contextmanager
def speaking(name: str) -> Iterator[None]:
    """The language of sentences outside the website (command line)."""
    token = _spoken.set(name)
    try:
        yield
    finally:
        _spoken.reset(token)


@cache
def read_catalogue(name: str) -> Catalog:
    """All ``.po`` files of one language as one catalogue."""
    merged: Catalog | None = None
    for path in sorted((TRANSLATIONS / name / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            part = read_po(file, locale=name)
        if merged is None:
            merged = part
            continue
        for message in part:
            if message.id and any(message.string or ()):
                merged.add(message.id, message.string, context=message.context, flags=message.flags)
    return merged if merged is not None else Catalog(locale=name)


@cache
def _translations(name: str) -> GNUTranslations:
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(name))
    compiled.seek(0)
    return GNUTranslations(compiled)


class _SourceText(GNUTranslations):
    """No translation: every sentence as written."""

    def __init__(self) -> None:
        super().__init__()
        self._catalog: dict[Any, str] = {}
        self.plural = lambda n: int(n != 1)


_ENGLISH = _SourceText()


def _catalogue_now() -> GNUTranslations:
    name = current_language()
    return _ENGLISH if name == "en" else _translations(name)


def _fill(sentence: str, values: dict[str, Any]) -> str:
    return sentence % values if values else sentence


def init_languages(app: Flask) -> None:
    """Install Flask-Babel and the memory of ``?lang=``."""
    Babel().init_app(app, default_locale="en", locale_selector=language)
    environment: Any = app.jinja_env
    environment.install_gettext_callables(
        gettext=lambda s: _catalogue_now().gettext(s),
        ngettext=lambda s, p, n: _catalogue_now().ngettext(s, p, n),
        newstyle=True,
        pgettext=lambda c, s: _catalogue_now().pgettext(c, s),
        npgettext=lambda c, s, p, n: _catalogue_now().npgettext(c, s, p, n),
    )
    environment.globals["language"] = current_language
    app.after_request(_remember_choice)


def _remember_choice(response: Response) -> Response:
    chosen = request.args.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie(COOKIE, chosen, max_age=_YEAR_SECONDS, samesite="Lax", secure=bool(request.is_secure))
    return response
