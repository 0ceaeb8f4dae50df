"""How an order's line came about, in words and figures, so that a plain reader can check the amount (OPS-13, issue 3).

The facts are those that the operation kept with the line; whatever is missing (older orders) is left out.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from portals.shared.formats import local, money, octets
from portals.shared.i18n import _, ngettext

Facts = dict[str, Any]


def explain_line(kind: str, facts: Facts, amount: Decimal) -> str:
    """The arithmetic of one line; "" where there is nothing to compute and no reason was given."""
    explained = _BY_KIND.get(kind, _given)(facts, amount)
    return explained or _given(facts, amount)


def _sum(facts: Facts, name: str) -> str:
    return money(Decimal(str(facts[name])))


def _plan(facts: Facts, amount: Decimal) -> str:
    if facts.get("price") is None or facts.get("quantity") is None or amount < 0:
        return ""
    return _(
        "%(plan)s: %(price)s × %(quantity)s = %(sum)s",
        plan=facts.get("plan", ""),
        price=_sum(facts, "price"),
        quantity=facts["quantity"],
        sum=money(amount),
    )


def _difference(facts: Facts, amount: Decimal) -> str:
    if facts.get("new_daily") is None or facts.get("old_daily") is None:
        return ""
    steps = []
    for side in ("old", "new"):
        if facts.get(f"{side}_days") is not None:
            steps.append(
                _(
                    "%(plan)s %(price)s ÷ %(days)s days = %(daily)s a day",
                    plan=facts[f"{side}_plan"],
                    price=_sum(facts, f"{side}_price"),
                    days=facts[f"{side}_days"],
                    daily=facts[f"{side}_daily"],
                )
            )
    raw = (Decimal(facts["new_daily"]) - Decimal(facts["old_daily"])) * facts["days_left"]
    figures = {"new": facts["new_daily"], "old": facts["old_daily"], "days": facts["days_left"], "raw": money(raw)}
    if facts.get("by_quota"):
        steps.append(_("(%(new)s − %(old)s) × %(days)s days that the unused quota stands for = %(raw)s", **figures))
    else:
        steps.append(_("(%(new)s − %(old)s) × %(days)s whole days left = %(raw)s", **figures))
    computed, credited = Decimal(facts["computed"]), Decimal(facts.get("credited", "0"))
    if facts.get("automatic") is False:
        steps.append(_("not computed, as the settings say"))
    elif raw < 0 and computed == 0:
        steps.append(_("a negative difference counts as 0"))
    elif computed != raw:
        steps.append(_("rounded to %(sum)s", sum=money(computed)))
    if credited > 0:
        steps.append(_("%(sum)s is credited to the balance", sum=money(credited)))
    elif amount != max(computed, Decimal(0)):
        steps.append(_("charged by hand: %(sum)s", sum=money(amount)))
    return "; ".join(steps)


def _promotion(facts: Facts, amount: Decimal) -> str:
    if not facts.get("promotion") or facts.get("gift") is None:
        return ""
    value = Decimal(str(facts["value"]))
    whole = f"{int(value):,}"
    given = {
        "amount": lambda: _("%(sum)s off", sum=money(value)),
        "years": lambda: _("%(num)s years on top", num=whole),
        "months": lambda: _("%(num)s months on top", num=whole),
        "days": lambda: _("%(num)s days on top", num=whole),
        "hours": lambda: _("%(num)s hours on top", num=whole),
        "octets": lambda: _("%(sum)s on top", sum=octets(int(value))),
    }.get(str(facts["gift"]), lambda: "")()
    explained = f"{facts['promotion']}: {given}"
    if facts["gift"] == "amount" and -amount < value:
        explained += "; " + _("not more than what is left to pay")
    return explained


def _discount(facts: Facts, amount: Decimal) -> str:
    if facts.get("list_price") is None:
        return ""
    price = _sum(facts, "list_price")
    if facts.get("percent") is not None:
        percent = f"{Decimal(str(facts['percent'])).normalize():f}"
        return _("%(percent)s %% off %(price)s = %(sum)s", percent=percent, price=price, sum=money(-amount))
    return _("%(fixed)s off each, of %(price)s", fixed=_sum(facts, "fixed"), price=price)


def _install(facts: Facts, amount: Decimal) -> str:
    proposed = Decimal(str(facts.get("proposed", amount)))
    if amount < 0:
        return ""
    if proposed == amount:
        return _("as the settings propose")
    return _("the settings propose %(proposed)s; entered by hand: %(sum)s", proposed=money(proposed), sum=money(amount))


def _inherited(facts: Facts, amount: Decimal) -> str:
    if not facts.get("order") or amount < 0:
        return ""
    return _("what was not the plan's own price in order %(number)s", number=facts["order"])


def _arrears(facts: Facts, amount: Decimal) -> str:
    if facts.get("owed") is None:
        return ""
    figures = {"number": facts["order"], "owed": _sum(facts, "owed"), "rest": _sum(facts, "still_owed")}
    if facts.get("paid_before") is None:
        return _("order %(number)s: owed %(owed)s, still owed after this %(rest)s", **figures)
    paid = _sum(facts, "paid_before")
    return _(
        "order %(number)s: owed %(owed)s, of it paid before %(paid)s, still owed after this %(rest)s",
        paid=paid,
        **figures,
    )


def _refund(facts: Facts, amount: Decimal) -> str:
    if facts.get("price_paid") is None:
        return ""
    proposed = Decimal(str(facts["proposed"]))
    explained = _(
        "balance %(balance)s + paid %(paid)s × %(percent)s %% unused (%(unused)s) = %(sum)s",
        balance=_sum(facts, "balance"),
        paid=_sum(facts, "price_paid"),
        percent=facts["unused_percent"],
        unused=_sum(facts, "unused_value"),
        sum=money(proposed),
    )
    if -amount != proposed:
        explained += "; " + _("paid out by hand: %(sum)s", sum=money(-amount))
    return explained


def _fee(facts: Facts, _amount: Decimal) -> str:
    if facts.get("held_at") and facts.get("resumed_at"):
        held_at, resumed_at = (datetime.fromisoformat(facts[name]) for name in ("held_at", "resumed_at"))
        return _("on hold from %(begin)s to %(end)s", begin=local(held_at, True), end=local(resumed_at, True))
    if facts.get("old_username"):
        return _("the user name was %(name)s", name=facts["old_username"])
    return ""


def _pack(facts: Facts, amount: Decimal) -> str:
    if facts.get("octets") is None or amount < 0:
        return ""
    parts = [str(facts["plan"])] if facts.get("plan") else []
    if facts["octets"]:
        parts.append(octets(int(facts["octets"])))
    if facts.get("seconds"):
        parts.append(_("%(hours)s h", hours=f"{Decimal(facts['seconds']) / 3600:.6g}"))
    if facts.get("validity_days"):
        parts.append(ngettext("valid %(num)s day", "valid %(num)s days", int(facts["validity_days"])))
    return " · ".join(parts)


def _given(facts: Facts, amount: Decimal) -> str:
    """Nothing was computed: a line that is taken back names its order, a sum that was typed its reason."""
    if facts.get("order"):
        if amount < 0:
            return _("takes back this line of order %(number)s", number=facts["order"])
        return _("order %(number)s", number=facts["order"])
    for name in ("promotion", "plan", "name", "reason", "note"):
        if facts.get(name):
            return str(facts[name])
    return ""


_BY_KIND: dict[str, Callable[[Facts, Decimal], str]] = {
    "plan": _plan,
    "difference": _difference,
    "promotion": _promotion,
    "discount": _discount,
    "install": _install,
    "inherited": _inherited,
    "arrears": _arrears,
    "refund": _refund,
    "fee": _fee,
    "pack": _pack,
}
