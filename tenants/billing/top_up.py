"""Put money on the balance, or take it off (用户直充, OPS-4). Money that arrives pays arrears first."""

from dataclasses import dataclass
from decimal import Decimal

from tenants.billing.booking import Booking, BookLine, revenue
from tenants.billing.context import Context, need_balance, refuse_state
from tenants.billing.operation import operation
from tenants.billing.purchase import check_method
from tenants.billing.receivables import pay
from tenants.kernel.money import amount
from tenants.ledger.chart import CUSTOMER


@dataclass(frozen=True, slots=True)
class TopUp:
    """A positive amount arrives, a negative one is paid out of the balance."""

    account_id: int
    amount: Decimal
    method: str = "cash"
    reason: str = ""


@operation("top-up", permission="op.top_up")
def top_up(context: Context, command: TopUp) -> Booking:
    """The oldest receivable first, fully or partly; the rest goes to the balance.

    Raises BadAmount (0, three decimals …), BalanceTooShort on a deduction, AccountClosed.
    """
    refuse_state(context, held=False, disabled=False)
    check_method(context, command.method, ("cash", "online", "card"))
    money = amount(command.amount, negative=True, zero=False)
    if money < 0:
        need_balance(context, -money)
        return _booking(context, command, [], money, {})
    lines, rest, undo = pay(context, context.beside.owed, money)
    return _booking(context, command, lines, rest, undo)


def _booking(
    context: Context, command: TopUp, lines: list[BookLine], rest: Decimal, undo: dict[str, object]
) -> Booking:
    if rest:
        kind = "top-up" if rest > 0 else "deduction"
        lines = [*lines, revenue(kind, rest, CUSTOMER, context.account.id, reason=command.reason)]
    return Booking(kind="top-up", method=command.method, lines=lines, undo=undo, reason=command.reason)
