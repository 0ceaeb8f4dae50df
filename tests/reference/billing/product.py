"""The product's side of a step: the same functions that ``broadloom op`` calls, and what ``account show`` prints."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text

from infra.tenant_scope import TenantScope
from portals.commands._op_document import ORDINARY_OPERATOR, order_document
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.due import run_due
from tenants.billing.enable import Enable, enable
from tenants.billing.first_login import activate
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.open_account import OpenAccount, open_account
from tenants.billing.operation import preview
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.result import OperationResult
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up
from tenants.catalog.models import Plan
from tenants.catalog.rules import KINDS, QUOTA_NONE
from tenants.kernel.actor import Actor
from tenants.kernel.errors import BusinessError
from tenants.subscribers.create_account import CreateAccount
from tenants.subscribers.models import Account
from tenants.subscribers.show_account import show_account
from tenants.usage.models import QuotaUse
from tenants.usage.rules_quota import Counter, count, window_of
from tests.reference.billing.steps import Step

OWNER = Actor("cli", None, "owner", everything=True)
Command = Callable[[int, Mapping[str, Any], "Names"], tuple[Any, Any]]


@dataclass(frozen=True)
class Names:
    """Ids of what the stories name."""

    plans: Mapping[str, int]
    regions: Mapping[str, int]

    def plan(self, words: Mapping[str, Any]) -> int | None:
        return self.plans[words["plan"]] if words.get("plan") else None


def _moved(account: int, w: Mapping[str, Any], names: Names) -> tuple[Any, Any]:
    region = names.regions[w["region"]] if w["region"] else None
    return move, Move(account, region, names.plan(w), w["fee"], w["username"], w["method"])


COMMANDS: dict[str, Command] = {
    "buy": lambda a, w, n: (buy, Buy(a, n.plans[w["plan"]], w["quantity"], w["method"])),
    "change-plan": lambda a, w, n: (
        change_plan,
        ChangePlan(a, n.plans[w["plan"]], w["quantity"], w["method"], w["difference"]),
    ),
    "top-up": lambda a, w, n: (top_up, TopUp(a, w["amount"])),
    "deduct": lambda a, w, n: (top_up, TopUp(a, w["amount"])),
    "hold": lambda a, w, n: (hold, Hold(a, w["fee"])),
    "resume": lambda a, w, n: (resume, Resume(a, w["fee"])),
    "refund": lambda a, w, n: (refund, Refund(a, w["amount"])),
    "close": lambda a, w, n: (close, Close(a, w["amount"])),
    "pay-arrears": lambda a, w, n: (pay_arrears, PayArrears(a, amount=w["amount"], method=w["method"])),
    "pay-by-plan": lambda a, w, n: (
        pay_arrears,
        PayArrears(a, plan_id=n.plans[w["plan"]], quantity=w["quantity"], method=w["method"]),
    ),
    "cancel-arrears": lambda a, w, n: (cancel_arrears, CancelArrears(a)),
    "manual": lambda a, w, n: (manual_change, ManualChange(a, n.plan(w), w["expires"], w["amount"])),
    "move": _moved,
    "add-pack": lambda a, w, n: (
        add_pack,
        AddPack(
            a,
            octets=w["octets"] or None,
            seconds=w["seconds"] or None,
            price=w["price"],
            validity_days=w["days"],
            method=w["method"],
        ),
    ),
    "disable": lambda a, w, n: (disable, Disable(a)),
    "enable": lambda a, w, n: (enable, Enable(a)),
    "reverse": lambda a, w, n: (reverse, Reverse(a)),
    "auto-renew": lambda a, w, n: (set_auto_renew, SetAutoRenew(a, True)),
    "never-expires": lambda a, w, n: (set_never_expires, SetNeverExpires(a, True)),
}


class Product:
    """One account in a unit of work."""

    def __init__(self, scope: TenantScope, names: Names) -> None:
        self.scope, self.names, self.account_id = scope, names, 0

    def open(self, step: Step, username: str) -> OperationResult:
        w = step.words
        command = OpenAccount(
            CreateAccount(username, "secret-1"), self.names.plans[w["plan"]], w["quantity"], w["method"], w["start"]
        )
        with self.scope.session.begin_nested():
            result = open_account(self.scope, command, actor=OWNER, now=step.at)
        self.account_id = result.account_id
        return result

    def perform(self, step: Step, used: tuple[int, int]) -> OperationResult | None:
        """Do it; first the preview, which must say the same. Raises BusinessError."""
        if step.what == "use":
            self._use(used, step.at)
            return None
        if step.what == "first-login":
            activate(self.scope, self.account_id, accepted_at=step.at, now=step.at)
            return None
        if step.what == "due":
            self.run_due(step.at)
            return None
        operation, command = COMMANDS[step.what](self.account_id, step.words, self.names)
        actor = OWNER if step.owner else ORDINARY_OPERATOR
        shown = preview(self.scope, operation, command, actor=actor, now=step.at)
        with self.scope.session.begin_nested():
            result: OperationResult = operation(self.scope, command, actor=actor, now=step.at)
            self.scope.session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
            self.scope.session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
        assert shown.after == result.after, ("preview", shown.after, result.after)
        if result.order is not None:
            assert shown.order is not None
            assert self._order(shown) == self._order(result), ("preview", self._order(shown), self._order(result))
        return result

    def worth(self, now: datetime) -> Decimal | None:
        """What a refund would propose now; None where it is refused."""
        try:
            shown = preview(self.scope, refund, Refund(self.account_id), actor=OWNER, now=now)
        except BusinessError:
            return None
        return None if shown.order is None else -shown.order.total

    def _order(self, result: OperationResult) -> dict[str, Any] | None:
        document = order_document(result.order, self.scope.zone)
        return None if document is None else document | {"number": None}

    def run_due(self, now: datetime) -> None:
        while run_due(self.scope, now=now).more:
            pass

    def shown(self, now: datetime) -> dict[str, Any]:
        self.scope.session.expire_all()
        return show_account(self.scope, self.account_id, now)

    def _use(self, used: tuple[int, int], now: datetime) -> None:
        """What accounting does in ``aaa.account_packet``; its rule in Python is proved equal to it elsewhere."""
        session = self.scope.session
        account = session.get_one(Account, self.account_id, populate_existing=True)
        plan = show_account(self.scope, self.account_id, now)["plan_id"]
        kind = QUOTA_NONE if plan is None else KINDS[self._kind(plan)].quota_scope
        if account.quota_octets is None and account.quota_seconds is None:
            return
        window = window_of(kind, now, self.scope.zone)
        row = session.get(QuotaUse, (self.scope.tenant_id, self.account_id), populate_existing=True)
        counters = []
        for i, (name, granted) in enumerate((("octets", account.quota_octets), ("seconds", account.quota_seconds))):
            old = None
            if row is not None:
                old = Counter(row.epoch, row.window_on, getattr(row, name), getattr(row, f"over_{name}"))
            counters.append(count(old, account.quota_epoch, window, granted or 0, used[i]))
        values = {
            "epoch": counters[0].epoch,
            "window_on": counters[0].window_on,
            "octets": counters[0].used,
            "seconds": counters[1].used,
            "over_octets": counters[0].over,
            "over_seconds": counters[1].over,
        }
        if row is None:
            session.add(QuotaUse(tenant_id=self.scope.tenant_id, account_id=self.account_id, **values))
        else:
            for key, value in values.items():
                setattr(row, key, value)
        session.flush()

    def _kind(self, plan_id: int) -> str:
        return self.scope.session.get_one(Plan, plan_id).kind


def lines_of(result: OperationResult | None) -> tuple[str, Decimal, tuple[tuple[str, Decimal], ...]] | None:
    """Kind, total and lines of what was booked."""
    if result is None or result.order is None:
        return None
    order = result.order
    return order.kind, order.total, tuple((line.kind, line.amount) for line in order.lines)
