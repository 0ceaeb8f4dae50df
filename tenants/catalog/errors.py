"""Why the catalogue refuses (issue 2 and 3, "Bad input, named")."""

from tenants.kernel.errors import BusinessError, InvalidInput, NotFound


class BadPrice(InvalidInput):
    """Not an amount of money that a plan can cost."""

    code = "bad_price"
    message = '"{value}" is not a price; it is 0 or more, below 1,000,000,000, with at most two decimals.'


class BadName(InvalidInput):
    """A name that cannot be shown or typed."""

    code = "bad_name"
    message = "A name has 1 to {longest} characters, none of them a control character."


class BadPlanKind(InvalidInput):
    """A kind that does not exist."""

    code = "bad_plan_kind"
    message = 'The plan kind "{value}" does not exist; the kinds are: {kinds}.'


class PlanFieldNeeded(InvalidInput):
    """A field without which a plan of this kind means nothing."""

    code = "plan_field_needed"
    message = "A plan of the kind {kind} needs {what}."


class PlanFieldForbidden(InvalidInput):
    """A field that a plan of this kind does not have."""

    code = "plan_field_forbidden"
    message = "A plan of the kind {kind} does not take {what}; leave it out or choose another kind."


class OutOfRange(InvalidInput):
    """A number outside what makes sense."""

    code = "out_of_range"
    message = "{what} is a whole number from {lowest} to {highest}."


class BadChoice(InvalidInput):
    """A value that is none of those offered."""

    code = "bad_choice"
    message = '{what} "{value}" does not exist; choose one of: {choices}.'


class BadPeriodOfTime(InvalidInput):
    """A promotion or window that ends before it begins."""

    code = "ends_before_start"
    message = "The end lies before the start."


class NameTaken(BusinessError):
    """Another plan, group or rate profile has this name."""

    code = "name_taken"
    message = "The name {name} is taken."


class GroupHasOtherRates(BusinessError):
    """Plans of one group share one rate."""

    code = "group_has_other_rates"
    message = (
        "The plan group {group} exists with {up} up and {down} down; "
        "use these rates, another group, or change the group."
    )


class GroupHasOtherPool(BusinessError):
    """Plans of one group share one pool."""

    code = "group_has_other_pool"
    message = 'The plan group {group} exists with the pool "{pool}"; use that, another group, or change the group.'


class StillUsed(BusinessError):
    """Something else refers to it, so it cannot be deleted."""

    code = "still_used"
    message = "{what} is still used by {users}."


class PlanNotFound(NotFound):
    """No such plan in this tenant."""

    code = "plan_not_found"
    message = "The plan {ref} does not exist."


class PlanGroupNotFound(NotFound):
    """No such plan group in this tenant."""

    code = "plan_group_not_found"
    message = "The plan group {ref} does not exist."


class RateProfileNotFound(NotFound):
    """No such rate profile in this tenant."""

    code = "rate_profile_not_found"
    message = "The rate profile {ref} does not exist."


class PromotionNotFound(NotFound):
    """No such promotion in this tenant."""

    code = "promotion_not_found"
    message = "The promotion {ref} does not exist."


class PlanNeedsOneRegion(BusinessError):
    """The tenant's plans belong to regions, and this one names none or several (PLN-4)."""

    code = "plan_needs_one_region"
    message = "Each plan belongs to exactly one region, as the settings say. Choose one for {plan}."


class PlanStaysInRegion(BusinessError):
    """A plan that belongs to a region cannot go to another: its subscribers live there (PLN-4)."""

    code = "plan_stays_in_region"
    message = "{plan} belongs to {region} and stays there; add another plan for the other region."


class RegionUnknown(NotFound):
    """A plan names a region that the tenant does not have."""

    code = "region_not_found"
    message = "The region {ref} does not exist."


class BadDays(BusinessError):
    """Days of the week that cannot be read."""

    code = "bad_days"
    message = "{value} are no days; write mon-fri, sat,sun or all."


class BadTimeOfDay(BusinessError):
    """A time of day that cannot be read."""

    code = "bad_time_of_day"
    message = "{value} is no time of day; write 08:00 or 23:30."


class WindowNotFound(NotFound):
    """The group has no window of this number, or it is another one by now."""

    code = "window_not_found"
    message = "The group has no such window (any more). Look at its hours again."
