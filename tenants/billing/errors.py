"""Why a money operation is refused: one class per reason, one sentence each; portals translate by ``code``."""

from tenants.kernel.errors import BusinessError


class BadQuantity(BusinessError):
    """Quantity is not 1 … 999."""

    code = "bad_quantity"
    message = "The quantity {quantity} is not possible: it must be a whole number from 1 to 999."


class PeriodTooFar(BusinessError):
    """The new expiry would be in the year 2100 or later."""

    code = "period_too_far"
    message = "This would extend the account past the year 2100; choose a smaller quantity."


class PlanNotForSale(BusinessError):
    """Deleted or hidden."""

    code = "plan_not_for_sale"
    message = "The plan {plan} is not for sale ({reason})."


class PlanNotForRegion(BusinessError):
    """The plan is sold in other regions."""

    code = "plan_not_in_region"
    message = "The plan {plan} is not sold in the region of this account."


class PlanNotForUse(BusinessError):
    """A plan for renewals at opening, or for new accounts at a renewal."""

    code = "plan_not_for_use"
    message = "The plan {plan} is only for {usage} accounts."


class PlanNotForOperator(BusinessError):
    """The operator may not sell this plan."""

    code = "plan_not_for_operator"
    message = "You may not sell the plan {plan}."


class OtherGroup(BusinessError):
    """A plan of another group outside the not-a-change window."""

    code = "other_group"
    message = (
        "The plan {plan} belongs to another group: change the plan instead, or wait until shortly before the expiry."
    )


class BoundToGroup(BusinessError):
    """The tenant binds accounts to their plan group."""

    code = "bound_to_group"
    message = "The plan {plan} belongs to another group, and accounts are bound to their original group."


class SamePlan(BusinessError):
    """A change to the plan that the account has."""

    code = "same_plan"
    message = "The account already has the plan {plan}: renew it instead."


class NoPlan(BusinessError):
    """The account has no plan yet."""

    code = "no_plan"
    message = "The account has no plan: buy one first."


class BalanceTooShort(BusinessError):
    """The balance does not cover the price."""

    code = "balance_too_short"
    message = "The balance of {balance} does not cover {needed}: {missing} are missing."


class BadMethod(BusinessError):
    """The payment method does not exist or is not possible here."""

    code = "bad_method"
    message = "{method} is not possible here; choose {choices}."


class AccountClosed(BusinessError):
    """Operation on a closed account."""

    code = "account_closed"
    message = "The account {account} is closed."


class AccountHeld(BusinessError):
    """Operation on a held account."""

    code = "account_held"
    message = "The account {account} is on hold: resume it first."


class AccountDisabled(BusinessError):
    """Operation on a disabled account."""

    code = "account_disabled"
    message = "The account {account} is disabled: enable it first."


class AccountNeverExpires(BusinessError):
    """Operation on an expiry that does not exist."""

    code = "account_never_expires"
    message = "The account {account} never expires: set an expiry by a manual change first."


class AccountNotActivated(BusinessError):
    """Operation on a period that has not begun."""

    code = "account_not_activated"
    message = "The account {account} is not activated: its period begins with the first login."


class AccountExpired(BusinessError):
    """Hold or resume of an expired account."""

    code = "account_expired"
    message = "The account {account} has expired: renew it first."


class InArrears(BusinessError):
    """Something that needs a clean slate."""

    code = "in_arrears"
    message = "The account {account} owes {amount}: pay or cancel the arrears first."


class NotHeld(BusinessError):
    """Resume without hold."""

    code = "not_held"
    message = "The account {account} is not on hold."


class NotDisabled(BusinessError):
    """Enable without disable."""

    code = "not_disabled"
    message = "The account {account} is not disabled."


class NoArrears(BusinessError):
    """Pay or cancel arrears that are not there."""

    code = "no_arrears"
    message = "The account {account} has no arrears."


class ArrearsWindowOver(BusinessError):
    """Cancelling arrears later than the tenant allows an operator."""

    code = "arrears_window_over"
    message = "These arrears could be cancelled until {until}; ask somebody with the right to cancel them later."


class PaysTooMuch(BusinessError):
    """Paying more arrears than are owed."""

    code = "pays_too_much"
    message = "{amount} is more than the {owed} that are owed."


class OrderNotFound(BusinessError):
    """No such order of this account."""

    code = "order_not_found"
    message = "The order {number} does not exist for this account."


class NothingToReverse(BusinessError):
    """No order left that can be undone."""

    code = "nothing_to_reverse"
    message = "The account {account} has no order that could be reversed."


class NotLatestOrder(BusinessError):
    """Only the latest order can be undone."""

    code = "not_latest_order"
    message = "The order {number} is not the latest of this account; {latest} came after it."


class OrderSettled(BusinessError):
    """Settled orders are frozen."""

    code = "order_settled"
    message = "The order {number} is settled and can no longer be reversed."


class OrderAlreadyUndone(BusinessError):
    """Reversed, cancelled or replaced before."""

    code = "order_already_undone"
    message = "The order {number} was undone before ({state})."


class ReversalWindowOver(BusinessError):
    """Too late for this role."""

    code = "reversal_window_over"
    message = "The order {number} could be reversed until {until}; ask somebody who may reverse at any time."


class ChangedSince(BusinessError):
    """Something changed the account after the order, without an order of its own."""

    code = "changed_since_order"
    message = "The account was changed after the order {number} ({fields}); undo that change first."


class NowBeforeAccount(BusinessError):
    """The operation's instant lies before the account existed."""

    code = "now_before_account"
    message = "The instant {now} lies before the account was opened at {opened}."


class NowBeforeOrder(BusinessError):
    """The operation's instant lies before the account's latest order."""

    code = "now_before_order"
    message = "The instant {now} lies before the latest order of the account at {latest}."


class NothingToDo(BusinessError):
    """A change that changes nothing."""

    code = "nothing_to_do"
    message = "Nothing would change: {what}."


class DifferenceNotDue(BusinessError):
    """A difference was given where the change is a purchase."""

    code = "difference_not_due"
    message = "No price difference is due here: so close to the expiry a change is a purchase."


class BadExpiry(BusinessError):
    """An expiry that cannot be."""

    code = "bad_expiry"
    message = "The expiry {expiry} is not possible: {reason}."


class PackNeedsQuotaPlan(BusinessError):
    """A supplementary pack on a plan without such a quota."""

    code = "pack_needs_quota"
    message = "The plan {plan} has no quota that a pack of {what} could extend."


class AlreadySettled(BusinessError):
    """Settled twice."""

    code = "already_settled"
    message = "There is nothing left to settle for {operator} until {until}."


class OwnReview(BusinessError):
    """Review by the one who booked it."""

    code = "own_review"
    message = "Somebody else must review what you booked yourself."


class AlreadyReviewed(BusinessError):
    """Reviewed twice."""

    code = "already_reviewed"
    message = "The fee record was reviewed before."
