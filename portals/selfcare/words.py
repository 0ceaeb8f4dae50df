"""What codes are called in self-service: the reader is the subscriber, not staff."""

from decimal import Decimal
from typing import Any

from portals.shared.i18n import _, lazy
from portals.shared.words import METHODS, word

# Why the own device cannot connect: what happened, and what the subscriber can do about it.
REFUSED: dict[str, tuple[Any, Any]] = {
    "wrong_password": (
        lazy("Your router sent a wrong password."),
        lazy("Type the account and the password into the router again."),
    ),
    "disabled": (lazy("Your account is switched off."), lazy("Your provider can switch it on again.")),
    "held": (lazy("Your account is on hold."), lazy("Your provider ends the hold when you want to go online again.")),
    "wrong_nas": (
        lazy("You tried to connect from a place that your account is not meant for."),
        lazy("Ask your provider to move the account."),
    ),
    "binding": (
        lazy("Your account is bound to another device."),
        lazy("If you have a new router, unbind the old one, then connect again."),
    ),
    "arrears": (lazy("The days allowed on arrears are over."), lazy("Pay what is owed; you are online at once.")),
    "expired": (lazy("Your plan has ended."), lazy("Renew it; you are online again in a few seconds.")),
    "quota": (
        lazy("The quota of your plan is used up."),
        lazy("Renew the plan, or ask your provider for an extra pack."),
    ),
    "outside_window": (
        lazy("Your plan does not allow the Internet at this time of day."),
        lazy("Wait for the hours of the plan, or change the plan."),
    ),
    "too_many_sessions": (
        lazy("All connections that your plan allows are in use."),
        lazy("End the other connection below, then connect again."),
    ),
    "locked_out": (
        lazy("Too many wrong passwords came from your router; it has to wait some minutes."),
        lazy("Correct the password in the router, then wait a little."),
    ),
}
_ANYTHING_ELSE = (lazy("Your account cannot connect at the moment."), lazy("Get in touch with your provider."))

ORDERS: dict[str, Any] = {
    "open": lazy("Account opened"),
    "buy": lazy("Renewed"),
    "change-plan": lazy("Changed plan"),
    "manual": lazy("Changed by your provider"),
    "top-up": lazy("Top-up"),
    "move": lazy("Moved"),
    "refund": lazy("Refund"),
    "close": lazy("Account closed"),
    "hold": lazy("Put on hold"),
    "resume": lazy("Hold ended"),
    "pay-arrears": lazy("Paid what was owed"),
    "cancel-arrears": lazy("Arrears cancelled"),
    "reverse": lazy("Taken back"),
    "pack": lazy("Extra pack"),
    "add-pack": lazy("Extra pack"),
    "auto-renew": lazy("Renewed automatically"),
    "monthly": lazy("Monthly deduction"),
}

PERIODS: dict[str, Any] = {
    "day": lazy("1 day"),
    "week": lazy("1 week"),
    "month": lazy("1 month"),
    "quarter": lazy("3 months"),
    "half-year": lazy("6 months"),
    "year": lazy("1 year"),
    "prepaid-month": lazy("monthly, from the balance"),
    "natural-day": lazy("until midnight"),
    "natural-month": lazy("until the end of the month"),
}


def refused(code: str) -> tuple[str, str]:
    """(what happened, what to do) for a reason code."""
    happened, remedy = REFUSED.get(code, _ANYTHING_ELSE)
    return str(happened), str(remedy)


def order_title(kind: str, total: Decimal) -> str:
    """What an order was."""
    return _("Deduction from the balance") if kind == "top-up" and total < 0 else word(ORDERS, kind)


def method(code: str) -> str:
    """From which pocket it was paid, "" when nothing was."""
    return "" if code in ("", "none") else _("by %(method)s", method=word(METHODS, code).lower())
