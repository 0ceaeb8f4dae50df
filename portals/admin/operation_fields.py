"""What each field of an operation panel offers and how what was typed becomes a value of the command."""

import hashlib
from datetime import datetime
from decimal import Decimal
from typing import Any

from portals.admin.blueprint import actor, present, scope
from portals.shared.formats import local, money, rate
from portals.shared.forms import Form
from portals.shared.i18n import _
from portals.shared.words import PLAN_KINDS, word
from tenants.billing.queries_buyable import BuyablePlan, Deed, buyable_plans
from tenants.subscribers.queries_detail import AccountDetail
from tenants.subscribers.queries_list import list_choices
from tenants.subscribers.queries_plans import PromotionRow, running_promotions

GIGABYTE = 1024**3
BY_CHANGING = "op.pay_by_changing_plan"
METHOD_RIGHTS = {"cash": "pay.cash", "balance": "pay.balance", "arrears": "pay.arrears"}


def labels() -> dict[str, str]:
    """The fields' names in the reader's language, for error summaries. Business errors name the same fields."""
    return {
        "plan": _("Plan"),
        "quantity": _("Quantity"),
        "method": _("Paid by"),
        "difference": _("Difference"),
        "fee": _("Fee"),
        "amount": _("Amount"),
        "reason": _("Reason"),
        "region": _("Region"),
        "new_username": _("New user name"),
        "expires_at": _("New expiry"),
        "octets": _("Traffic in GB"),
        "seconds": _("Hours"),
        "price": _("Price"),
        "validity_days": _("Valid for days"),
    }


def methods(operation: str = "") -> list[tuple[str, str, bool]]:
    """(value, label, closed to this person) of the ways to pay; arrears are not paid by arrears."""
    words = {"cash": _("Cash"), "balance": _("Balance"), "arrears": _("Arrears")}
    if operation not in ("renew", "change-plan"):
        del words["arrears"]
    return [(name, label, not actor().may(METHOD_RIGHTS[name])) for name, label in words.items()]


def seen_of(account: AccountDetail, found: dict[str, Any]) -> str:
    """What a preview rests on, as a short sum: an account or a price that changed since must be looked at again."""
    facts = (
        *(account.state, account.plan_id, account.expires_at, account.held_at, account.balance, account.receivable),
        *(account.region_id, account.username, found.get("plan_names"), found.get("other_plans")),
    )
    return hashlib.sha256(repr(facts).encode()).hexdigest()[:16]


def offers(account: AccountDetail, fields: tuple[str, ...], *, operation: str) -> dict[str, Any]:
    """What the panel's lists hold: plans to buy or to change to, regions, ways to pay."""
    found: dict[str, Any] = {"methods": methods(operation)}
    if "plan_id" in fields:
        deed: Deed = "change" if operation == "change-plan" else "buy"
        buyable = buyable_plans(scope(), account.id, deed, present())
        groups = {plan.same_group for plan in buyable.plans}
        found["other_groups"] = buyable.other_groups and len(groups) == 2
        promotions = running_promotions(scope(), [plan.plan_id for plan in buyable.plans], present())
        found["plans"] = [
            (plan.plan_id, plan.name, _note(plan, account, promotions.get(plan.plan_id)), money(plan.price), False)
            for plan in buyable.plans
        ]
        found["plan_names"] = [(plan.plan_id, f"{plan.name} · {money(plan.price)}") for plan in buyable.plans]
        found["speeds"] = {plan.plan_id: (plan.down_bps, plan.up_bps) for plan in buyable.plans}
    if "other_plan_id" in fields:
        others = buyable_plans(scope(), account.id, "pay", present()).plans if actor().may(BY_CHANGING) else ()
        found["other_plans"] = [(plan.plan_id, f"{plan.name} · {money(plan.price)}") for plan in others]
    if "any_plan_id" in fields:
        found["all_plans"] = list_choices(scope(), actor())["plans"]
    if "region_id" in fields:
        found["regions"] = list_choices(scope(), actor())["regions"]
    return found


def _note(plan: BuyablePlan, account: AccountDetail, promotion: PromotionRow | None) -> str:
    """What stands beneath a plan's name: that it is the present one, or its kind and speed; what it gives just now."""
    if plan.plan_id == account.plan_id:
        said = _("current plan")
    else:
        said = f"{word(PLAN_KINDS, plan.kind)} · {rate(plan.down_bps)} ↓ {rate(plan.up_bps)} ↑"
    if promotion is None:
        return said
    return f"{said} · " + _("%(name)s, until %(day)s", name=promotion.name, day=local(promotion.ends_at)[5:10])


def initial(account: AccountDetail, fields: tuple[str, ...], found: dict[str, Any]) -> dict[str, Any]:
    """What stands in the panel when it is opened."""
    values: dict[str, Any] = {"quantity": 1, "fee": "0.00", "on": not account.never_expires}
    open_methods = [name for name, _label, closed in found["methods"] if not closed]
    values["method"] = open_methods[0] if open_methods else ""
    plans = found.get("plans") or []
    own = [plan for plan in plans if plan[0] == account.plan_id]
    if "other_plan_id" not in fields:
        values["plan"] = (own or plans)[0][0] if plans else account.plan_id or ""
    if "auto_on" in fields:
        values["on"] = account.auto_renew
    values["region"] = account.region_id
    values["expires_at"] = account.expires_at.astimezone(scope().zone).strftime("%Y-%m-%dT%H:%M")
    return values


def read_fields(form: Form, account: AccountDetail, fields: tuple[str, ...], found: dict[str, Any]) -> dict[str, Any]:
    """The command's values; what is wrong is noted on the form."""
    values: dict[str, Any] = {}
    for name in fields:
        _READERS[name](form, account, found, values)
    return values


def _plan(form: Form, _account: AccountDetail, found: dict[str, Any], values: dict[str, Any]) -> None:
    chosen = form.choice("plan", [str(plan[0]) for plan in found["plans"]])
    if chosen:
        values["plan_id"] = int(chosen)


def _any_plan(form: Form, account: AccountDetail, found: dict[str, Any], values: dict[str, Any]) -> None:
    chosen = form.choice("plan", [str(plan[0]) for plan in found["all_plans"]], required=False)
    values["plan_id"] = int(chosen) if chosen and int(chosen) != account.plan_id else None


def _other_plan(form: Form, _account: AccountDetail, found: dict[str, Any], values: dict[str, Any]) -> None:
    chosen = form.choice("plan", [str(plan[0]) for plan in found["other_plans"]], required=False)
    values["plan_id"] = int(chosen) if chosen else None


def _quantity(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
    values["quantity"] = form.integer("quantity", lowest=1, highest=999) or 1


def _method(form: Form, _account: AccountDetail, found: dict[str, Any], values: dict[str, Any]) -> None:
    values["method"] = form.choice("method", [name for name, _label, closed in found["methods"] if not closed])


def _amount(name: str, into: str, *, required: bool, negative: bool = False, empty: Decimal | None = None) -> Any:
    def read(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
        found = form.amount(name, required=required, negative=negative)
        values[into] = empty if found is None else found

    return read


def _number(name: str, into: str, factor: int, highest: int) -> Any:
    def read(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
        found = form.integer(name, lowest=1, highest=highest, required=False)
        values[into] = None if found is None else found * factor

    return read


def _reason(*, required: bool) -> Any:
    def read(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
        values["reason"] = form.text("reason", required=required, longest=200)

    return read


def _region(form: Form, account: AccountDetail, found: dict[str, Any], values: dict[str, Any]) -> None:
    chosen = form.choice("region", [str(region[0]) for region in found["regions"]])
    values["region_id"] = int(chosen) if chosen and int(chosen) != account.region_id else None


def _new_username(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
    values["new_username"] = form.text("new_username", longest=63) or None


def _expires_at(form: Form, account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
    raw = form.text("expires_at", longest=20)
    shown = account.expires_at.astimezone(scope().zone)
    if not raw or raw == shown.strftime("%Y-%m-%dT%H:%M"):
        values["expires_at"] = None
        return
    try:
        values["expires_at"] = datetime.fromisoformat(raw).replace(tzinfo=scope().zone)
    except ValueError:
        form.fail("expires_at", _("Enter a date and time such as 2026-11-30 16:00."))


def _on(form: Form, _account: AccountDetail, _found: dict[str, Any], values: dict[str, Any]) -> None:
    values["on"] = form.checked("on")


_READERS: dict[str, Any] = {
    "plan_id": _plan,
    "any_plan_id": _any_plan,
    "other_plan_id": _other_plan,
    "part_amount": _amount("amount", "amount", required=False),
    "quantity": _quantity,
    "method": _method,
    "difference": _amount("difference", "difference", required=False),
    "fee": _amount("fee", "fee", required=False, empty=Decimal(0)),
    "amount": _amount("amount", "amount", required=False),
    "signed_amount": _amount("amount", "amount", required=True, negative=True),
    "amount_or_none": _amount("amount", "amount", required=False, negative=True, empty=Decimal(0)),
    "price": _amount("price", "price", required=True),
    "reason": _reason(required=False),
    "reason_needed": _reason(required=True),
    "region_id": _region,
    "new_username": _new_username,
    "expires_at": _expires_at,
    "pack_gb": _number("octets", "octets", GIGABYTE, 1_000_000),
    "pack_hours": _number("seconds", "seconds", 3600, 100_000),
    "validity_days": _number("validity_days", "validity_days", 1, 3660),
    "on": _on,
    "auto_on": _on,
}
