"""A refusal is one sentence in the reader's language: no English words in the middle of a Chinese one."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from portals.shared.errors import error_text
from portals.shared.i18n import init_languages
from tenants.billing import errors
from tenants.catalog.errors import StillUsed
from tenants.kernel.errors import BusinessError, Phrase
from tenants.kernel.money import BadAmount, amount
from tenants.registry.settings import CATALOGUE, parse


def refused(settings: dict[str, str], amounts: tuple[str, ...]) -> Iterator[BusinessError]:
    for key, value in settings.items():
        with pytest.raises(BusinessError) as found:
            parse(CATALOGUE[key], value)
        yield found.value
    for text in amounts:
        with pytest.raises(BadAmount) as wrong:
            amount(text, zero=False)
        yield wrong.value


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
    ]
    with app.test_request_context("/", headers={"Accept-Language": "zh"}):
        texts = [error_text(refusal) for refusal in refusals]
    known = r"name|phone|address|building|room|email"
    left = [text for text in texts if re.search("[a-z]{2,}", re.sub(known, "", _TYPED.sub("", text)))]
    assert left == []


def test_figures_inside_a_phrase_read_the_same_in_english() -> None:
    error = StillUsed(what="Home", users=Phrase("{count} plans", count=3))
    assert str(error) == "Home is still used by 3 plans."
