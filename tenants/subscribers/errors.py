"""Why something about a customer or an account is refused (issue 2, "Bad input, named")."""

from tenants.kernel.errors import BusinessError, InvalidInput, NotFound


class BadUsername(InvalidInput):
    """A user name that routers or people cannot type."""

    code = "bad_username"
    message = "A user name has 1 to 63 characters, no spaces and no control characters."


class BadPassword(InvalidInput):
    """A password that a router cannot send."""

    code = "bad_password"
    message = "A password has 1 to 64 characters, none of them a control character."


class OwnPasswordWeak(InvalidInput):
    """A password that a subscriber chose and that is guessed at once."""

    code = "own_password_weak"
    message = "Use at least {least} characters, not all the same, and not the user name."


class BadMac(InvalidInput):
    """Not a MAC address."""

    code = "bad_mac"
    message = '"{value}" is not a MAC address; write it like aa:bb:cc:dd:ee:ff.'


class BadAddress(InvalidInput):
    """Not an IP address."""

    code = "bad_address"
    message = '"{value}" is not an IP address.'


class BadPhone(InvalidInput):
    """Not a telephone number."""

    code = "bad_phone"
    message = '"{value}" is not a phone number; use 3 to 20 digits, with + in front, spaces and hyphens as you like.'


class BadEmail(InvalidInput):
    """Not an e-mail address."""

    code = "bad_email"
    message = '"{value}" is not an e-mail address.'


class TextTooLong(InvalidInput):
    """A text that does not fit, or holds characters that cannot be shown."""

    code = "bad_text"
    message = "This field takes at most {longest} characters without control characters."


class BadValue(InvalidInput):
    """A value that is none of those there are."""

    code = "bad_choice"
    message = '"{value}" is not possible here; choose one of: {choices}.'


class FieldUnknown(InvalidInput):
    """A field that cannot be edited this way."""

    code = "field_unknown"
    message = "The field {name} cannot be edited here."


class FieldRequired(InvalidInput):
    """A field that the tenant's settings ask for (required fields)."""

    code = "field_required"
    message = "This field must be filled in; the settings of this provider ask for it."


class UsernameTaken(BusinessError):
    """Another account, or one that was closed or deleted less than 30 days ago, has this name."""

    code = "username_taken"
    message = "The user name {username} is taken."


class AccountNotFound(NotFound):
    """No such account in this tenant, or the actor may not see it."""

    code = "account_not_found"
    message = "The account {ref} does not exist."


class CustomerNotFound(NotFound):
    """No such customer in this tenant."""

    code = "customer_not_found"
    message = "The customer {ref} does not exist."


class RegionNotFound(NotFound):
    """No such region in this tenant, or the actor is not bound to it."""

    code = "region_not_found"
    message = "The region {ref} does not exist."


class AddressTaken(BusinessError):
    """Another account has this fixed address."""

    code = "static_ip_taken"
    message = "The address {address} belongs to the account {username}."


class AccountIsOpen(BusinessError):
    """Money is left on it."""

    code = "account_has_money"
    message = "The account {username} still has a balance or arrears; refund or settle them first."


class RestoreTooLate(BusinessError):
    """Deleted more than 30 days ago."""

    code = "restore_too_late"
    message = "The account {username} was deleted more than {days} days ago and cannot be restored."


class NotDeleted(BusinessError):
    """Nothing to restore."""

    code = "not_deleted"
    message = "The account {username} is not deleted."


class PasswordHidden(BusinessError):
    """The tenant's settings forbid showing passwords."""

    code = "password_hidden"
    message = "Showing passwords is switched off in the settings; set a new one instead."


class LoginNotTried(BusinessError):
    """The cluster gave no answer to a login that staff tried; trying again may help."""

    code = "login_not_tried"
    message = "The login could not be tried: {reason}"


class NothingToWatch(InvalidInput):
    """Neither a router nor a login name: the packets of all would be too many to read."""

    code = "nothing_to_watch"
    message = "Say whose packets: choose a router, or type a login name, or both."


class WatchNeedsName(InvalidInput):
    """Somebody who may see some of the subscribers only wants to watch all packets of a router."""

    code = "watch_needs_name"
    message = "You see some of the subscribers only, so type the login name of one of them."


class NobodyToUnlock(InvalidInput):
    """Everybody who is locked out at once: half of them may be guessing."""

    code = "nobody_to_unlock"
    message = "Say whom: name an account, a router or a device."


class NobodyLockedOut(BusinessError):
    """It was over before, or somebody else was faster."""

    code = "nobody_locked_out"
    message = "Nobody is locked out there any more."


class WatchNotPossible(BusinessError):
    """What carries packets to whoever watches does not answer; trying again may help."""

    code = "watch_not_possible"
    message = "Packets cannot be watched just now, because the cloud's memory (Redis) does not answer."


class WatchNotFound(NotFound):
    """Over for long, somebody else's, or never there."""

    code = "watch_not_found"
    message = "This watch is over, and what it saw is forgotten. Begin a new one."
