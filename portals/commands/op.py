"""Operations on an account: buy, change plan, hold, refund, reverse and the others."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

import click

from infra.tenant_scope import TenantScope
from portals.commands._op_document import acting, order_document
from portals.commands._output import emit
from portals.commands._tenant import Instant, instant_in, now_option, open_tenant, tenant_option
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.enable import Enable, enable
from tenants.billing.errors import BadMethod
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.result import as_preview
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.find import find_plan, find_regions
from tenants.kernel.money import amount
from tenants.kernel.units import gigabytes, hours
from tenants.registry.settings import read
from tenants.subscribers.find import find_account
from tenants.subscribers.show_account import show_account

Values = dict[str, Any]
_METHODS = ("cash", "balance", "arrears")  # the others belong to gateways, cards and agents
_OPTIONS: dict[str, Callable[[Any], Any]] = {
    "plan": click.option("--plan", help="Name or id of the plan."),
    "quantity": click.option("--quantity", type=int, default=1, show_default=True, help="How many periods."),
    "method": click.option("--method", default="cash", show_default=True, help="cash, balance or arrears."),
    "amount": click.option("--amount", help="An amount, such as 50 or 50.00."),
    "difference": click.option("--difference", help="Charge this instead of the computed price difference."),
    "fee": click.option("--fee", default="0", show_default=True, help="A fee."),
    "region": click.option("--region", help="Name or id of the new region."),
    "new_username": click.option("--new-username", help="The new user name."),
    "expires_at": click.option("--expires-at", type=Instant(), help="The new expiry, ISO 8601."),
    "order": click.option("--order", help="Number of the order."),
    "quota_gb": click.option("--quota-gb", help="Traffic of the pack in GB."),
    "quota_hours": click.option("--quota-hours", help="Hours of the pack."),
    "validity_days": click.option("--validity-days", type=int, help="Days the pack is valid; else with the plan."),
    "off": click.option("--off", is_flag=True, help="Switch it off."),
}


@click.group()
def command() -> None:
    """Act on an account: what would be booked (--dry-run) is exactly what is booked."""


def _operation(name: str, *options: str, help_text: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register ``op <name>``: the decorated function builds (operation, command) from the scope and the options."""

    def register(build: Callable[..., Any]) -> Callable[..., Any]:
        def run(
            tenant: str, account: str, now: datetime | None, dry_run: bool, key: str | None, role: str, **values: Any
        ) -> None:
            _run(build, tenant, account, now, dry_run, key, role, values)

        run.__doc__ = help_text
        wrapped: Any = now_option(run)
        wrapped = click.option("--as", "role", type=click.Choice(["operator", "owner"]), default="operator")(wrapped)
        wrapped = click.option("--key", help="Idempotency key: the same key books once.")(wrapped)
        wrapped = click.option("--dry-run", is_flag=True, help="Show what would be booked, book nothing.")(wrapped)
        wrapped = click.option("--reason", default="", help="Why; kept with the order.")(wrapped)
        for option in reversed(options):
            wrapped = _OPTIONS[option](wrapped)
        wrapped = click.option("--account", required=True, metavar="USERNAME")(wrapped)
        command.command(name)(tenant_option(wrapped))
        return build

    return register


def _run(
    build: Callable[..., Any],
    tenant: str,
    username: str,
    named_now: datetime | None,
    dry_run: bool,
    key: str | None,
    role: str,
    values: Values,
) -> None:
    with open_tenant(tenant) as opened:
        scope = opened.scope
        now = instant_in(scope.zone, named_now)
        account = find_account(scope, username)
        if values.get("method", "cash") not in _METHODS:
            raise BadMethod(field="method", method=values["method"][:20], choices=", ".join(_METHODS))
        operation, asked = build(scope, account.id, values)
        result = operation(scope, asked, actor=acting(role), now=now, key=None if dry_run else key)
        document: Values = {
            "order": order_document((as_preview(result) if dry_run else result).order, scope.zone),
            "account": show_account(scope, account.id, now),
        }
        if dry_run:
            scope.rollback()
            document["would"] = True
    emit(document, _sentence(document))


def _sentence(document: Values) -> str:
    order, account = document["order"], document["account"]
    did = "Would book" if document.get("would") else "Booked"
    booked = f"{did} {order['kind']} {order['number'] or ''}".rstrip() + f" for {order['total']}." if order else "Done."
    return f"{booked} {account['username']}: {account['status']}, valid until {account['expires_at']}."


def _plan_id(scope: TenantScope, values: Values) -> int:
    if values["plan"] is None:
        raise click.UsageError("Missing option '--plan'.")
    return find_plan(scope, values["plan"]).id


def _money(values: Values, name: str = "amount") -> Decimal | None:
    text = values[name]
    return None if text is None else amount(text, field=name, negative=True)


def _cash_only(values: Values) -> None:
    """The fee of a pause and what is paid out are cash (billing-rules.md)."""
    if values["method"] != "cash":
        raise BadMethod(field="method", method=values["method"][:20], choices="cash")


def _needed(values: Values, name: str = "amount") -> Decimal:
    money = _money(values, name)
    if money is None:
        raise click.UsageError(f"Missing option '--{name}'.")
    return money


@_operation("buy", "plan", "quantity", "method", help_text="Buy or renew a plan.")
def _buy(scope: TenantScope, account_id: int, v: Values) -> Any:
    return buy, Buy(account_id, _plan_id(scope, v), v["quantity"], v["method"], reason=v["reason"])


@_operation("change-plan", "plan", "quantity", "method", "difference", help_text="Change the plan at once.")
def _change_plan(scope: TenantScope, account_id: int, v: Values) -> Any:
    difference = _money(v, "difference")
    return change_plan, ChangePlan(
        account_id, _plan_id(scope, v), v["quantity"], v["method"], difference, reason=v["reason"]
    )


@_operation("manual", "plan", "expires_at", "amount", "method", help_text="Set plan or expiry by hand.")
def _manual(scope: TenantScope, account_id: int, v: Values) -> Any:
    plan_id = None if v["plan"] is None else _plan_id(scope, v)
    expires_at = None if v["expires_at"] is None else instant_in(scope.zone, v["expires_at"])
    return manual_change, ManualChange(
        account_id, plan_id, expires_at, _money(v) or Decimal(0), v["method"], reason=v["reason"]
    )


@_operation("top-up", "amount", "method", help_text="Put money on the balance; a negative amount takes it off.")
def _top_up(scope: TenantScope, account_id: int, v: Values) -> Any:
    return top_up, TopUp(account_id, _needed(v), v["method"], reason=v["reason"])


@_operation(
    "move", "region", "plan", "fee", "new_username", "method", help_text="Move to another region, plan or user name."
)
def _move(scope: TenantScope, account_id: int, v: Values) -> Any:
    region_id = None if v["region"] is None else find_regions(scope, [v["region"]])[0].id
    plan_id = None if v["plan"] is None else _plan_id(scope, v)
    fee = _needed(v, "fee")
    return move, Move(account_id, region_id, plan_id, fee, v["new_username"], v["method"], reason=v["reason"])


@_operation("refund", "amount", "method", help_text="Pay out the rest; the account expires now.")
def _refund(scope: TenantScope, account_id: int, v: Values) -> Any:
    _cash_only(v)
    return refund, Refund(account_id, _money(v), reason=v["reason"])


@_operation("close", "amount", "method", help_text="Refund and close the account.")
def _close(scope: TenantScope, account_id: int, v: Values) -> Any:
    _cash_only(v)
    return close, Close(account_id, _money(v), reason=v["reason"])


@_operation("hold", "fee", "method", help_text="Hold the account; its time stands still.")
def _hold(scope: TenantScope, account_id: int, v: Values) -> Any:
    _cash_only(v)
    return hold, Hold(account_id, _needed(v, "fee"), reason=v["reason"])


@_operation("resume", "fee", "method", help_text="Resume a held account; the pause is added to its expiry.")
def _resume(scope: TenantScope, account_id: int, v: Values) -> Any:
    _cash_only(v)
    return resume, Resume(account_id, _needed(v, "fee"), reason=v["reason"])


@_operation(
    "pay-arrears", "order", "amount", "plan", "quantity", "method", help_text="Pay arrears, or pay by changing plan."
)
def _pay_arrears(scope: TenantScope, account_id: int, v: Values) -> Any:
    plan_id = None if v["plan"] is None else _plan_id(scope, v)
    return pay_arrears, PayArrears(
        account_id, v["order"], _money(v), plan_id, v["quantity"], v["method"], reason=v["reason"]
    )


@_operation("cancel-arrears", "order", help_text="Cancel arrears; plan and expiry become what they were.")
def _cancel_arrears(scope: TenantScope, account_id: int, v: Values) -> Any:
    return cancel_arrears, CancelArrears(account_id, v["order"], reason=v["reason"])


@_operation("disable", help_text="Disable the account.")
def _disable(scope: TenantScope, account_id: int, v: Values) -> Any:
    return disable, Disable(account_id, reason=v["reason"])


@_operation("enable", help_text="Enable a disabled account.")
def _enable(scope: TenantScope, account_id: int, v: Values) -> Any:
    return enable, Enable(account_id, reason=v["reason"])


@_operation("reverse", "order", help_text="Reverse the latest order wholly.")
def _reverse(scope: TenantScope, account_id: int, v: Values) -> Any:
    return reverse, Reverse(account_id, v["order"], reason=v["reason"])


@_operation(
    "add-pack",
    "plan",
    "quantity",
    "method",
    "amount",
    "quota_gb",
    "quota_hours",
    "validity_days",
    help_text="Sell a supplementary pack: a quota plan's content, or traffic and hours of your choice.",
)
def _add_pack(scope: TenantScope, account_id: int, v: Values) -> Any:
    gigabyte = int(read(scope).gigabyte)
    return add_pack, AddPack(
        account_id,
        plan_id=None if v["plan"] is None else _plan_id(scope, v),
        quantity=v["quantity"],
        octets=None if v["quota_gb"] is None else gigabytes(v["quota_gb"], gigabyte=gigabyte),
        seconds=None if v["quota_hours"] is None else hours(v["quota_hours"]),
        price=_money(v),
        validity_days=v["validity_days"],
        method=v["method"],
        reason=v["reason"],
    )


@_operation("never-expires", "expires_at", "off", help_text="Let the account never expire, or end that (--off).")
def _never_expires(scope: TenantScope, account_id: int, v: Values) -> Any:
    expires_at = None if v["expires_at"] is None else instant_in(scope.zone, v["expires_at"])
    return set_never_expires, SetNeverExpires(account_id, not v["off"], expires_at)


@_operation("auto-renew", "off", help_text="Renew from the balance when the period ends, or stop that (--off).")
def _auto_renew(scope: TenantScope, account_id: int, v: Values) -> Any:
    return set_auto_renew, SetAutoRenew(account_id, not v["off"])
