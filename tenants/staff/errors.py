"""Failures of staff: logging in, passwords, roles."""

from tenants.kernel.errors import BusinessError, InvalidInput, NotFound


class WrongCredentials(BusinessError):
    """User name or password is wrong; deliberately not told which."""

    code = "wrong_credentials"
    message = "The user name or the password is wrong."


class LoginLocked(BusinessError):
    """Too many wrong passwords; trying again helps after ``seconds``."""

    code = "login_locked"
    message = "Too many wrong passwords; try again in {seconds} seconds."
    retryable = True


class OperatorDisabled(BusinessError):
    """The operator may not log in."""

    code = "operator_disabled"
    message = "This login is disabled; ask your administrator."


class OperatorNotFound(NotFound):
    """No such operator in this tenant."""

    code = "operator_not_found"
    message = "There is no operator {ref}."


class RoleNotFound(NotFound):
    """No such role in this tenant."""

    code = "role_not_found"
    message = "There is no role {ref}."


class UsernameTaken(InvalidInput):
    """Another operator of the tenant has it."""

    code = "operator_username_taken"
    message = "The user name {username} is taken by another operator."


class BadUsername(InvalidInput):
    """Blanks, control characters, or too long."""

    code = "bad_operator_username"
    message = "A user name has 2 to 60 letters, digits and the signs . _ - @ without blanks."


class PasswordIsSame(InvalidInput):
    """The new password is the old one."""

    code = "password_unchanged"
    message = "The new password is the old one; choose another."


class WrongOldPassword(InvalidInput):
    """The old password does not match."""

    code = "wrong_old_password"
    message = "The old password is wrong."


class UnknownPermission(InvalidInput):
    """A role names a right that does not exist."""

    code = "unknown_permission"
    message = "There is no right {permission}."


class RoleNameTaken(InvalidInput):
    """Another role has this name."""

    code = "role_name_taken"
    message = "There is a role {name} already."


class OwnerIsFixed(BusinessError):
    """The owner keeps all rights, so that nobody can lock the ISP out of its own cloud."""

    code = "owner_is_fixed"
    message = "The owner's role, rights and login cannot be taken away."


class CannotGiveMore(BusinessError):
    """Nobody hands out rights that he does not have."""

    code = "cannot_give_more"
    message = "You cannot give the right {permission}, because you do not have it yourself."
