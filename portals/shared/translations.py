"""Collects the sentences of the portals into the catalogues (``make translations``).

``python -m portals.shared.translations [messages admin …]`` writes the files named, or all. Each portal's sentences go
to its own file (``portals/admin`` → ``admin.po``), the rest to ``messages.po``, which comes first: a sentence stands in
one file. Translations stay; sentences no longer used are dropped. ``errors.po`` (see
:mod:`portals.shared.errors`) and ``catalogues.po`` (settings, rights: words that come from the business) are written by
hand and left alone. Prints what still lacks a translation; exit code 1 then.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from portals.shared.i18n import TRANSLATIONS

PORTALS = Path(__file__).parents[1]
LANGUAGE = "zh"
OWN_FILES = ("admin", "agency", "selfcare", "platform", "captive", "api")
BY_HAND = ("errors", "catalogues")
_KEYWORDS = {"_": None, "lazy": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
# Without dates and names, so that a file changes only when a sentence does.
_HEADER = rb"""# Chinese sentences of the portals; see portals/shared/translations.py.
msgid ""
msgstr ""
"Language: zh\n"
"Plural-Forms: nplurals=1; plural=0;\n"
"Content-Type: text/plain; charset=utf-8\n"
"Content-Transfer-Encoding: 8bit\n"

"""
_Found = tuple[str | tuple[str, ...], str | None]


def sentences(folder: Path = PORTALS) -> Iterator[tuple[Path, _Found]]:
    """Every sentence used in Python files and templates, with the file it stands in."""
    for path in sorted([*folder.rglob("*.py"), *folder.rglob("*.html")]):
        method = "python" if path.suffix == ".py" else "jinja2.ext:babel_extract"
        options = {"trimmed": "true", "silent": "false"} if path.suffix == ".html" else {}
        for found in extract_from_file(method, str(path), keywords=_KEYWORDS, options=options):
            message, context = found[1], found[3]
            if message and message != "":
                yield path, (tuple(message) if isinstance(message, tuple | list) else message, context)


def file_of(path: Path) -> str:
    """The catalogue a file's sentences belong to."""
    part = path.relative_to(PORTALS).parts[0]
    return part if part in OWN_FILES else "messages"


def catalogues() -> dict[str, Catalog]:
    """The catalogues as they are on disk, by name."""
    found = {}
    for path in sorted((TRANSLATIONS / LANGUAGE / "LC_MESSAGES").glob("*.po")):
        with path.open("rb") as file:
            found[path.stem] = read_po(file, locale=LANGUAGE)
    return found


def updated() -> dict[str, Catalog]:
    """The catalogues as they should be: every sentence once, known translations kept."""
    old = catalogues()
    known = {_key(message): message for catalogue in old.values() for message in catalogue if message.id}
    new: dict[str, Catalog] = {}
    seen: set[object] = set()
    order = sorted(sentences(), key=lambda item: (file_of(item[0]) != "messages", str(item[0])))
    by_hand = {_key(message) for name in BY_HAND if name in old for message in old[name] if message.id}
    for path, (identity, context) in order:
        key = (identity if isinstance(identity, str) else identity[0], context)
        if key in seen or key in by_hand:
            continue
        seen.add(key)
        before = known.get(key)
        catalogue = new.setdefault(file_of(path), _empty())
        string = before.string if before is not None else (("",) if isinstance(identity, tuple) else "")
        if isinstance(identity, tuple) and isinstance(string, str):
            string = (string,)
        catalogue.add(identity, string, context=context)
    return new


def untranslated() -> list[str]:
    """Sentences in use without a Chinese text, for the test and the command."""
    known = {_key(message) for catalogue in catalogues().values() for message in catalogue if _is_done(message)}
    missing = {
        identity if isinstance(identity, str) else identity[0]
        for _path, (identity, context) in sentences()
        if ((identity if isinstance(identity, str) else identity[0]), context) not in known
    }
    return sorted(missing)


def main() -> int:
    """Write the files; exit code 1 while something lacks a translation."""
    folder = TRANSLATIONS / LANGUAGE / "LC_MESSAGES"
    wanted = sys.argv[1:]
    for name, catalogue in updated().items():
        if wanted and name not in wanted:
            continue
        with (folder / f"{name}.po").open("wb") as file:
            file.write(_HEADER)
            write_po(file, catalogue, width=0, omit_header=True, no_location=True, sort_output=False)
    missing = untranslated()
    for sentence in missing:
        sys.stdout.write(f"no Chinese text: {sentence}\n")
    return 1 if missing else 0


def _empty() -> Catalog:
    return Catalog(locale=LANGUAGE, charset="utf-8", fuzzy=False)


def _key(message: Message) -> tuple[str, str | None]:
    return (message.id if isinstance(message.id, str) else message.id[0], message.context)


def _is_done(message: Message) -> bool:
    string = message.string
    return bool(message.id) and bool(string if isinstance(string, str) else string and all(string))


if __name__ == "__main__":
    raise SystemExit(main())
