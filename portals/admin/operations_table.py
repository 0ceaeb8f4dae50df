"""Every operation on an account as its panel needs it: which right, which fields, which function, which words.

The panel, the preview and the booking of all of them are the three views in ``operations.py`` (OPS-1 … OPS-13).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portals.shared.i18n import lazy
from tenants.billing.add_pack import AddPack, add_pack
from tenants.billing.auto_renew import SetAutoRenew, set_auto_renew
from tenants.billing.buy import Buy, buy
from tenants.billing.cancel_arrears import CancelArrears, cancel_arrears
from tenants.billing.change_plan import ChangePlan, change_plan
from tenants.billing.close import Close, close
from tenants.billing.disable import Disable, disable
from tenants.billing.enable import Enable, enable
from tenants.billing.hold import Hold, hold
from tenants.billing.manual_change import ManualChange, manual_change
from tenants.billing.move import Move, move
from tenants.billing.never_expires import SetNeverExpires, set_never_expires
from tenants.billing.pay_arrears import PayArrears, pay_arrears
from tenants.billing.refund import Refund, refund
from tenants.billing.resume import Resume, resume
from tenants.billing.reverse import Reverse, reverse
from tenants.billing.top_up import TopUp, top_up

RUNNING = ("normal", "expiring", "expired", "arrears", "not_activated")
ALIVE = (*RUNNING, "held", "disabled")


@dataclass(frozen=True, slots=True)
class Operation:
    """One panel. ``deed`` is the button without money, ``deed_sum`` with it (``%(sum)s``: the amount with its sign).

    ``deed_out`` and ``done_out`` are said instead where the money goes to the subscriber, unless it always does.
    """

    name: str
    title: Any
    icon: str
    right: str
    fields: tuple[str, ...]
    command: Callable[..., Any]
    run: Any
    deed: Any
    deed_sum: Any
    done: Any
    states: tuple[str, ...] = ALIVE
    note: Any = ""
    deed_out: Any = None
    done_out: Any = None
    previewed: bool = True
    bad: bool = False

    def fits(self, state: str) -> bool:
        """Whether the operation makes sense in this shown state."""
        return state in self.states


_ALL = (
    Operation(
        "renew",
        lazy("Renew"),
        "calendar-plus",
        "op.buy",
        ("plan_id", "quantity", "method"),
        Buy,
        buy,
        lazy("Renew"),
        lazy("Renew for %(sum)s"),
        lazy("Renewed for %(sum)s."),
        RUNNING,
    ),
    Operation(
        "change-plan",
        lazy("Change plan"),
        "switch-horizontal",
        "op.change_plan",
        ("plan_id", "quantity", "method", "difference"),
        ChangePlan,
        change_plan,
        lazy("Change the plan"),
        lazy("Change the plan for %(sum)s"),
        lazy("Changed the plan for %(sum)s."),
        ("normal", "expiring", "arrears", "not_activated"),
        lazy("Takes effect at once; who is online gets the new speed within seconds."),
    ),
    Operation(
        "pay-arrears",
        lazy("Pay arrears"),
        "cash",
        "op.pay_arrears",
        ("other_plan_id", "part_amount", "method"),
        PayArrears,
        pay_arrears,
        lazy("Take the payment"),
        lazy("Take %(sum)s"),
        lazy("Took %(sum)s for the arrears."),
        ("arrears",),
    ),
    Operation(
        "cancel-arrears",
        lazy("Cancel arrears"),
        "receipt-off",
        "op.cancel_arrears",
        ("reason",),
        CancelArrears,
        cancel_arrears,
        lazy("Cancel the arrears"),
        lazy("Cancel arrears of %(sum)s"),
        lazy("The arrears are cancelled; plan and expiry are as before."),
        ("arrears",),
        lazy("Plan and expiry go back to what they were before the purchase on arrears."),
    ),
    Operation(
        "resume",
        lazy("Resume"),
        "player-play",
        "op.resume",
        ("fee",),
        Resume,
        resume,
        lazy("Resume"),
        lazy("Resume for %(sum)s"),
        lazy("Resumed; the time of the hold was added to the expiry."),
        ("held",),
        lazy("The time of the hold is added to the expiry, to the second."),
    ),
    Operation(
        "enable",
        lazy("Enable"),
        "check",
        "op.enable",
        ("reason",),
        Enable,
        enable,
        lazy("Enable the account"),
        lazy("Enable the account"),
        lazy("Enabled."),
        ("disabled",),
    ),
    Operation(
        "top-up",
        lazy("Top up the balance"),
        "wallet",
        "op.top_up",
        ("signed_amount", "reason"),
        TopUp,
        top_up,
        lazy("Book it"),
        lazy("Top up %(sum)s"),
        lazy("Booked %(sum)s to the balance."),
        ALIVE,
        lazy("Arrears are paid first, the rest goes to the balance."),
        lazy("Take %(sum)s off the balance"),
        lazy("Took %(sum)s off the balance."),
    ),
    Operation(
        "add-pack",
        lazy("Sell a pack"),
        "stack",
        "op.add_pack",
        ("pack_gb", "pack_hours", "price", "validity_days", "method"),
        AddPack,
        add_pack,
        lazy("Sell the pack"),
        lazy("Sell the pack for %(sum)s"),
        lazy("Sold a pack for %(sum)s."),
        RUNNING,
        lazy("Used after the plan's own quota."),
    ),
    Operation(
        "hold",
        lazy("Put on hold"),
        "player-pause",
        "op.hold",
        ("fee",),
        Hold,
        hold,
        lazy("Put on hold"),
        lazy("Put on hold for %(sum)s"),
        lazy("On hold. Nobody can log in until it is resumed."),
        ("normal", "expiring"),
        lazy("The account cannot connect until it is resumed; the time is given back then."),
    ),
    Operation(
        "move",
        lazy("Move"),
        "map-pin",
        "op.move",
        ("region_id", "new_username", "fee", "method"),
        Move,
        move,
        lazy("Move"),
        lazy("Move for %(sum)s"),
        lazy("Moved."),
        RUNNING,
    ),
    Operation(
        "manual",
        lazy("Change by hand"),
        "adjustments",
        "op.manual",
        ("any_plan_id", "expires_at", "amount_or_none", "method", "reason_needed"),
        ManualChange,
        manual_change,
        lazy("Change it"),
        lazy("Change it and take %(sum)s"),
        lazy("Changed."),
        RUNNING,
        lazy("Plan and expiry exactly as entered; the reason stands in the operation log."),
        lazy("Change it and pay out %(sum)s"),
    ),
    Operation(
        "never-expires",
        lazy("Never expires"),
        "calendar",
        "op.never_expires",
        ("on",),
        SetNeverExpires,
        set_never_expires,
        lazy("Save"),
        lazy("Save"),
        lazy("Saved."),
        RUNNING,
    ),
    Operation(
        "auto-renew",
        lazy("Automatic renewal"),
        "repeat",
        "op.buy",
        ("auto_on",),
        SetAutoRenew,
        set_auto_renew,
        lazy("Save"),
        lazy("Save"),
        lazy("Saved."),
        RUNNING,
        lazy("At its expiry the account is renewed from the balance, as long as the balance covers the price."),
        previewed=False,
    ),
    Operation(
        "reverse",
        lazy("Undo the latest order"),
        "arrow-back-up",
        "op.reverse",
        ("reason",),
        Reverse,
        reverse,
        lazy("Undo the order"),
        lazy("Undo the order of %(sum)s"),
        lazy("The order is undone; plan, expiry and money are as before."),
        (*ALIVE, "closed"),
        lazy("Plan, expiry and money go back to what they were; counter-entries are booked, nothing is deleted."),
        bad=True,
    ),
    Operation(
        "disable",
        lazy("Disable"),
        "ban",
        "op.disable",
        ("reason",),
        Disable,
        disable,
        lazy("Disable the account"),
        lazy("Disable the account"),
        lazy("Disabled; open sessions are being ended."),
        RUNNING,
        lazy("Nobody can log in until it is enabled again; the expiry goes on running."),
        bad=True,
    ),
    Operation(
        "refund",
        lazy("Refund"),
        "receipt-refund",
        "op.refund",
        ("amount", "reason"),
        Refund,
        refund,
        lazy("Refund"),
        lazy("Pay back %(sum)s"),
        lazy("Paid back %(sum)s; the account has expired."),
        (*RUNNING, "held", "disabled"),
        lazy("The balance becomes 0 and the account expires now. Leave the amount empty for what is proposed."),
        bad=True,
    ),
    Operation(
        "close",
        lazy("Close the account"),
        "user-off",
        "op.close",
        ("amount", "reason"),
        Close,
        close,
        lazy("Close the account"),
        lazy("Close the account and pay back %(sum)s"),
        lazy("Closed."),
        ALIVE,
        lazy("As a refund, and the account is closed; its name is free again after 30 days."),
        bad=True,
    ),
)
OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _ALL}
