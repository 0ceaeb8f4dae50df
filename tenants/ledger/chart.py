"""The chart of accounts (billing-rules.md, "Ledger"): what money can be in, for whom (``subject_id``), and its side.

=================  ========  ===========================  =====================================================
kind               side      subject                      grows when
=================  ========  ===========================  =====================================================
customer           credit    account                      he has more money with us
receivable         debit     account                      he owes us more
wallet             credit    agent                        the agent has more money with us
drawer             debit     operator (0: command line)   cash comes in
gateway            debit     payment provider             a provider collected money for us
card               credit    card batch                   cards were sold and not yet used
revenue.plan       credit    plan                         a plan was sold (list price)
revenue.…          credit    0                            difference, install fee, other fees, packs, other income
promotion          debit     plan                         a promotion took something off
discount           debit     agent                        a discount rule took something off
refund             debit     plan                         unused value was given back
expense            debit     0                            staff paid out by a manual change or a top-up
=================  ========  ===========================  =====================================================
"""

from dataclasses import dataclass
from decimal import Decimal

from tenants.kernel.money import ZERO

CUSTOMER, RECEIVABLE, WALLET, DRAWER, GATEWAY, CARD = "customer", "receivable", "wallet", "drawer", "gateway", "card"
REVENUE_PLAN, REVENUE_DIFFERENCE, REVENUE_INSTALL = "revenue.plan", "revenue.difference", "revenue.install"
REVENUE_FEE, REVENUE_PACK, REVENUE_OTHER = "revenue.fee", "revenue.pack", "revenue.other"
PROMOTION, DISCOUNT, REFUND, EXPENSE = "promotion", "discount", "refund", "expense"

KINDS = (
    CUSTOMER, RECEIVABLE, WALLET, DRAWER, GATEWAY, CARD, REVENUE_PLAN, REVENUE_DIFFERENCE, REVENUE_INSTALL, REVENUE_FEE,
    REVENUE_PACK, REVENUE_OTHER, PROMOTION, DISCOUNT, REFUND, EXPENSE,
)  # fmt: skip
COMMAND_LINE_DRAWER = 0


@dataclass(frozen=True, slots=True)
class Line:
    """One side of an entry: a positive ``debit`` or a positive ``credit`` of a ledger account."""

    kind: str
    subject_id: int
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    def mirrored(self) -> "Line":
        """The line of the counter-entry."""
        return Line(self.kind, self.subject_id, debit=self.credit, credit=self.debit)


def debit(kind: str, subject_id: int, value: Decimal) -> Line:
    """``value`` on the debit side; a negative one stands on the credit side."""
    return Line(kind, subject_id, debit=value) if value >= 0 else Line(kind, subject_id, credit=-value)


def credit(kind: str, subject_id: int, value: Decimal) -> Line:
    """``value`` on the credit side; a negative one stands on the debit side."""
    return debit(kind, subject_id, -value)
