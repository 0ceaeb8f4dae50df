"""A refusal is one sentence in the reader's language: no English words in the middle of a Chinese one."""

import ast
import importlib
import pkgutil
import re
import string
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask

import tenants
from portals.shared.errors import error_text
from portals.shared.i18n import init_languages, read_catalogue
from tenants.billing import errors
from tenants.catalog.errors import StillUsed
from tenants.catalog.models import PLAN_KINDS
from tenants.kernel.errors import BusinessError, Phrase
from tenants.kernel.money import BadAmount, amount
from tenants.network.import_nas import read_table
from tenants.network.rules import check_auth_mode
from tenants.network.rules_replies import check_extra, check_place, check_rate_unit
from tenants.registry.settings import CATALOGUE, parse
from tenants.subscribers.fields import checked_fields

ROOT = Path(__file__).parents[3]


def refused(settings: dict[str, str], amounts: tuple[str, ...]) -> Iterator[BusinessError]:
    for key, value in settings.items():
        with pytest.raises(BusinessError) as found:
            parse(CATALOGUE[key], value)
        yield found.value
    for text in amounts:
        with pytest.raises(BadAmount) as wrong:
            amount(text, zero=False)
        yield wrong.value


def refused_of_the_network() -> Iterator[BusinessError]:
    """Tables of routers, what they answer, sessions at once."""
    wrong: list[Callable[[], object]] = [
        *(partial(read_table, text) for text in TABLES),
        *(partial(check_place, values, "expired_") for values in PLACES),
        partial(check_rate_unit, "7"),
        partial(check_extra, "7" * 4_001),
        partial(check_auth_mode, "7", None, ""),
        partial(checked_fields, {"max_sessions": "-7"}),
    ]
    for deed in wrong:
        with pytest.raises(BusinessError) as found:
            deed()
        yield found.value


TABLES = ("7\n7", "名称", "备注\n7", "名称\n" + "7\n" * 2_001)
PLACES: tuple[dict[str, object], ...] = ({"pool": "7" * 64}, {"down_bps": -7}, {"dns1": "7.7"}, {"redirect_url": "7"})
SETTINGS = {
    "arrears_days": "1.5",
    "install_fee": "7000000",
    "difference_rounding": "7",
    "bind_original_group": "7",
    "timezone": "7",
    "required_fields": "7",
    "system_name": "7" * 61,
}
# Words of the settings themselves: what is typed, and their keys.
_TYPED = re.compile("|".join([*SETTINGS, "Asia/Shanghai", r"\bon\b", r"\boff\b", "whole", "cents", "id_number"]))


def test_no_english_words_in_a_chinese_refusal() -> None:
    app = Flask("test", template_folder=None)
    init_languages(app)
    refusals = [
        *refused(SETTINGS, ("7.777", "77777777777777777", "-7", "0", "7e7")),
        errors.BadMethod(method="online", choices="cash, balance, arrears"),
        errors.ChangedSince(number="7", fields="expires_at, plan_id, quota_octets"),
        *(errors.OrderAlreadyUndone(number="7", state=state) for state in ("reversed", "cancelled", "replaced")),
        errors.OrderAlreadyUndone(number="7", state="reversal"),
        errors.PlanNotForUse(plan="7", usage="existing"),
        errors.AlreadySettled(operator="the command line", until="7"),
        errors.BadExpiry(expiry="7", reason="nothing lies beyond 2100-01-01 00:00, which means never"),
        errors.BadExpiry(expiry="7", reason="it lies before the account was opened"),
        StillUsed(what="7", users=Phrase("{count} plans", count=7)),
        *refused_of_the_network(),
    ]
    with app.test_request_context("/", headers={"Accept-Language": "zh"}):
        texts = [error_text(refusal) for refusal in refusals]
    known = r"identifier|ddns|http://pay.example/|kbit/s|bit/s|kB/s|name|phone|address|building|room|email"
    left = [text for text in texts if re.search("[a-z]{2,}", re.sub(known, "", _TYPED.sub("", text)))]
    assert left == []


def named_things() -> set[str]:
    """What sentences of business and pages name as ``what``: literals, and those that the plan's rules pass on."""
    found = {"a traffic quota (GB)", "a time quota (hours)"}
    for path in (*(ROOT / "tenants").rglob("*.py"), *(ROOT / "portals").rglob("*.py")):
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            values = [keyword.value for keyword in call.keywords if keyword.arg == "what"]
            if isinstance(call.func, ast.Name) and call.func.id in ("needed", "forbidden"):
                values += call.args[1:2]
            found |= {
                value.value for value in values if isinstance(value, ast.Constant) and isinstance(value.value, str)
            }
    return found


def test_everything_that_refusals_name_has_a_chinese_word() -> None:
    chinese = read_catalogue("zh")
    named = named_things() | set(PLAN_KINDS)
    assert len(named) > 40
    assert [word for word in sorted(named) if not getattr(chinese.get(word), "string", "")] == []


def kinds_of_refusal() -> Iterator[type[BusinessError]]:
    """Every class of refusal that has a sentence of its own."""
    for module in pkgutil.walk_packages(tenants.__path__, "tenants."):
        if module.name.rpartition(".")[2] == "errors":
            importlib.import_module(module.name)
    below = list(BusinessError.__subclasses__())
    while below:
        kind = below.pop()
        below += kind.__subclasses__()
        if "message" in vars(kind):
            yield kind


def places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_every_refusal_has_a_chinese_sentence_that_its_parameters_fill() -> None:
    """A sentence with places that a refusal of the same code does not fill would come out in English."""
    chinese = read_catalogue("zh")
    kinds = [kind for kind in kinds_of_refusal() if kind is not BusinessError]
    assert len(kinds) > 100
    left = []
    for kind in kinds:
        found = chinese.get(kind.code, context="error")
        if found is None or not places(str(found.string)) <= places(kind.message):
            left.append((kind.__module__, kind.__name__))
    assert left == []


def test_figures_inside_a_phrase_read_the_same_in_english() -> None:
    error = StillUsed(what="Home", users=Phrase("{count} plans", count=3))
    assert str(error) == "Home is still used by 3 plans."
