"""Everything on screens is there in Chinese too, and the places for values are the same."""

import importlib
import pkgutil
import re
from dataclasses import replace
from string import Formatter

import tenants
from portals.shared.i18n import read_catalogue
from portals.shared.translations import sentences, untranslated
from tenants.kernel.errors import BusinessError
from tenants.network.snippets import SnippetFacts, snippet
from tenants.network.vendors import VENDORS
from tenants.registry.settings import CATALOGUE, GROUPS
from tenants.staff import permissions

_PLACE = re.compile(r"%\((\w+)\)s")
_LONE = re.compile(r"%(?!\(\w+\)[sd])")


def test_every_sentence_has_a_chinese_text():
    assert untranslated() == []


def test_translations_fill_in_the_same_values():
    catalogue = read_catalogue("zh")
    wrong = []
    for _path, (identity, context) in sentences():
        source = identity if isinstance(identity, str) else identity[-1]
        first = identity if isinstance(identity, str) else identity[0]
        message = catalogue.get(first, context)
        text = "" if message is None else message.string
        text = text if isinstance(text, str) else text[0]
        if text and not set(_PLACE.findall(text)) <= set(_PLACE.findall(source)):
            wrong.append(first)
    assert wrong == []


def test_no_sentence_has_a_lone_per_cent():
    """Templates fill every sentence by ``%``: a lone one breaks the page that shows it, in that language only."""
    texts = [identity if isinstance(identity, str) else identity[0] for _path, (identity, _) in sentences()]
    texts += [text for one in CATALOGUE.values() for text in (one.label, one.help)]
    catalogue = read_catalogue("zh")
    texts += [str(message.string) for message in map(catalogue.get, texts) if message is not None]
    assert [text for text in texts if _LONE.search(text.replace("%%", ""))] == []


def _errors() -> dict[str, type[BusinessError]]:
    for module in pkgutil.walk_packages(tenants.__path__, "tenants."):
        importlib.import_module(module.name)
    found: dict[str, type[BusinessError]] = {}
    waiting = [BusinessError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        if error.__module__.startswith("tenants."):
            found[error.code] = error
    return found


def test_every_refusal_of_the_business_has_a_chinese_sentence():
    catalogue = read_catalogue("zh")
    missing, wrong = [], []
    for code, error in sorted(_errors().items()):
        message = catalogue.get(code, "error")
        if message is None or not message.string:
            missing.append(f"{code}: {error.message}")
            continue
        places = {name for _text, name, _spec, _conversion in Formatter().parse(str(message.string)) if name}
        given = {name for _text, name, _spec, _conversion in Formatter().parse(error.message) if name}
        if not places <= given:
            wrong.append(code)
    assert missing == []
    assert wrong == []


def test_settings_rights_and_router_scripts_are_there_in_chinese():
    facts = SnippetFacts("x-1", "secret-8", "203.0.113.1", 1812, 1813, 3799, 300, ("203.0.113.1",))
    loose = replace(facts, message_authenticator="optional")
    texts = {*GROUPS.values()}
    for setting in CATALOGUE.values():
        texts |= {setting.label, setting.help, setting.unit}
    for group in permissions.CATALOGUE:
        texts |= {group.label, *(permission.label for permission in group.permissions)}
    for vendor in VENDORS:
        for made in (snippet(vendor, facts), snippet(vendor, loose)):
            texts |= {made.hint, *(block.comment for block in made.blocks)}
    catalogue = read_catalogue("zh")
    assert sorted(text for text in texts - {""} if not (catalogue.get(text) and catalogue.get(text).string)) == []
