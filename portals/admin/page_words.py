"""Words for codes as the staff's templates ask for them (``words.cause(row.cause)``)."""

from typing import Any

from portals.admin.task_words import task_failure, task_state, task_title
from portals.shared.formats import duration, octets
from portals.shared.i18n import _
from portals.shared.words import (
    CAUSES,
    COMMAND_STATES,
    CUT_REASONS,
    METHODS,
    ORDER_KINDS,
    PLAN_KINDS,
    Refusal,
    signed_count,
    vendor,
    word,
)
from portals.shared.words import refusal as _refusal
from tenants.billing.queries_fees import FeeRow
from tenants.billing.queries_orders import OrderRow
from tenants.billing.result import OrderView
from tenants.registry.settings import Setting
from tenants.subscribers.queries_plans import PlanRow, PromotionRow

__all__ = ["task_failure", "task_state", "task_title", "vendor"]


def cause(code: int) -> str:
    """Why a session ended."""
    return word(CAUSES, code)


def refusal(code: str) -> Refusal:
    """Why a login was refused, with its remedy."""
    return _refusal(code)


def method(code: str) -> str:
    """From which pocket something was paid."""
    return word(METHODS, code)


def plan_kind(code: str) -> str:
    """What kind of period or quota a plan sells."""
    return word(PLAN_KINDS, code)


def cut_reason(code: str) -> str:
    """Why a session was to be ended."""
    return word(CUT_REASONS, code)


def command_kind(topic: str, reason: str) -> str:
    """What a router was asked for."""
    if topic == "radius.disconnect":
        return _("Disconnect")
    return _("New time-out") if reason == "end_moved" else _("New speed")


def command(state: str) -> tuple[str, str]:
    """(dot, word) for what became of a disconnect."""
    tone, said = COMMAND_STATES.get(state, ("expiring", state))
    return tone, str(said)


def usage(code: str) -> str:
    """For whom a plan is sold."""
    return {"new": _("new accounts"), "renew": _("renewals"), "both": _("both")}.get(code, code)


def quota(plan: PlanRow) -> str:
    """``100 GB, valid for 30 days`` or a dash."""
    parts = []
    if plan.quota_octets is not None:
        parts.append(octets(plan.quota_octets))
    if plan.quota_seconds is not None:
        parts.append(duration(plan.quota_seconds))
    if not parts:
        return "—"
    if plan.validity_days:
        parts.append(_("valid for %(days)s days", days=plan.validity_days))
    return ", ".join(parts)


def order_kind(code: str) -> str:
    """What an order did."""
    return word(ORDER_KINDS, code)


def order_title(order: OrderRow | FeeRow) -> str:
    """``Renewed 100M monthly × 2`` in one line."""
    deed = order_kind(order.kind)
    if order.kind == "top-up" and _paid_out(order):
        deed = _("Deduction from the balance")
    if order.plan_before and order.plan_before != order.plan_name and order.plan_name:
        deed = f"{deed} {order.plan_before} → {order.plan_name}"
    elif order.plan_name and order.kind in ("open", "buy", "renew", "change-plan", "pay-by-change"):
        deed = f"{deed} {order.plan_name}"
    return f"{deed} × {order.quantity}" if order.quantity > 1 else deed


def _paid_out(order: OrderRow | FeeRow) -> bool:
    return order.total < 0 if isinstance(order, OrderRow) else order.direction == "expense"


def total_word(order: OrderRow | OrderView) -> str:
    """What the last line of an order is called; arrears that end without money give nobody anything."""
    if order.total >= 0:
        return _("Total")
    return _("No longer owed") if order.method == "arrears" else _("Paid back")


def what_it_undoes(order: OrderRow) -> str:
    """What an order that ends another one says of itself, "" for the others."""
    if order.undoes_id is None:
        return ""
    return {
        "cancel-arrears": _("This order cancels one that was bought on arrears."),
        "pay-by-change": _("This order takes the place of one that was bought on arrears."),
    }.get(order.kind, _("This order takes another one back."))


def field(name: str) -> str:
    """A field of an account, for the setting that makes fields required."""
    names = {
        "name": _("Name"),
        "phone": _("Phone"),
        "address": _("Address"),
        "id_number": _("Identity number"),
        "building": _("Building"),
        "room": _("Room"),
        "email": _("E-mail"),
    }
    return names.get(name, name)


def setting_choices(setting: Setting) -> list[tuple[str, str]]:
    """(value, label) of a setting's choices."""
    return [(choice, setting_value(setting, choice)) for choice in setting.choices]


def setting_value(setting: Setting, value: Any) -> str:
    """A value of a setting as a person reads it."""
    names = {
        "zh": "中文",
        "en": "English",
        "whole": _("whole currency units"),
        "cents": _("two decimals"),
        "1000000": _("1,000,000 bit/s"),
        "1048576": _("1,048,576 bit/s"),
        "1073741824": _("1024³ octets"),
        "1000000000": _("10⁹ octets"),
    }
    if value is None or value == "":
        return _("none")
    return names.get(str(value), str(value))


def signed(number: int) -> str:
    """``126 more`` or ``12 fewer``."""
    return signed_count(number)


def login_method(code: str) -> str:
    """``PAP``, ``MS-CHAPv2``, ``EAP-PEAP`` as people write them."""
    return code.upper().replace("MSCHAP", "MS-CHAP").replace("V1", "v1").replace("V2", "v2") if code else "—"


def gift(row: PromotionRow) -> str:
    """What an offer gives: ``10.00 off from 3 on``."""
    value = f"{row.gift_value:.2f}" if row.gift_kind == "amount" else f"{int(row.gift_value):,}"
    given = {
        "amount": _("%(sum)s off", sum=value),
        "years": _("%(num)s years on top", num=value),
        "months": _("%(num)s months on top", num=value),
        "days": _("%(num)s days on top", num=value),
        "hours": _("%(num)s hours on top", num=value),
        "octets": _("%(sum)s on top", sum=octets(int(row.gift_value))),
    }[row.gift_kind]
    if row.minimum_quantity > 1:
        given = _("%(gift)s from a quantity of %(num)s on", gift=given, num=row.minimum_quantity)
    return _("%(gift)s, first purchase only", gift=given) if row.first_purchase_only else given
