"""Failures of the registry: sign-up, directory, provisioning, settings."""

from tenants.kernel.errors import BusinessError, InvalidInput, NotFound


class TenantNotFound(NotFound):
    """No tenant has this slug, id or address."""

    code = "tenant_not_found"
    message = "There is no tenant {ref}."


class TenantSuspended(BusinessError):
    """The platform has suspended the tenant."""

    code = "tenant_suspended"
    message = "The tenant {slug} is suspended: {reason}"


class UnknownTier(InvalidInput):
    """The service tier does not exist."""

    code = "unknown_tier"
    message = "There is no service tier {tier}."


class TierLimitReached(BusinessError):
    """The service tier does not include more."""

    code = "tier_limit_reached"
    message = "The service tier {tier} includes {limit} {what}, and {present} exist already; order a larger tier."


class BadSlug(InvalidInput):
    """Wrong characters or length."""

    code = "bad_slug"
    message = (
        "The address needs 3 to 30 small letters, digits or single hyphens; it begins with a letter and ends with a "
        "letter or digit."
    )


class SlugReserved(InvalidInput):
    """The slug is kept for the installation itself."""

    code = "slug_reserved"
    message = "The address {slug} is reserved; choose another."


class SlugTaken(InvalidInput):
    """Another ISP has it, or has asked for it and not yet verified."""

    code = "slug_taken"
    message = "The address {slug} is taken; choose another."


class EmailTaken(InvalidInput):
    """The e-mail address owns a tenant already."""

    code = "email_taken"
    message = "The e-mail address {email} has an account already; log in instead."


class BadEmail(InvalidInput):
    """Not an e-mail address."""

    code = "bad_email"
    message = "{value} is not an e-mail address."


class BadPhone(InvalidInput):
    """Not a telephone number."""

    code = "bad_phone"
    message = "{value} is not a telephone number; use digits, with + and the country code for foreign ones."


class BadName(InvalidInput):
    """A name is missing or too long."""

    code = "bad_name"
    message = "A name of 1 to {longest} characters is needed."


class WeakPassword(InvalidInput):
    """Too short, too common, or made of the login itself."""

    code = "weak_password"
    message = "The password is too weak: {why}."


class TokenUnknown(BusinessError):
    """The verification link is not one of ours."""

    code = "verification_unknown"
    message = "This verification link is not known; copy the whole link from the e-mail, or sign up again."


class TokenExpired(BusinessError):
    """The verification link is too old."""

    code = "verification_expired"
    message = "This verification link has expired; sign up again."


class TokenUsed(BusinessError):
    """The verification link has been used."""

    code = "verification_used"
    message = "This verification link was used already; log in."


class NoCellAccepts(BusinessError):
    """No cell takes new tenants."""

    code = "no_cell_accepts"
    message = "No database cell accepts new tenants at the moment."
    retryable = True


class UnknownSetting(InvalidInput):
    """There is no such setting."""

    code = "unknown_setting"
    message = "There is no setting {key}; `broadloom settings list` shows all."


class BadSetting(InvalidInput):
    """The value does not fit the setting."""

    code = "bad_setting"
    message = 'The setting {key} cannot be "{value}": {why}.'


class BadHostname(InvalidInput):
    """Not a domain name, or one of the installation's own."""

    code = "bad_hostname"
    message = "{hostname} is not a domain name that can be used; give one like portal.example.com."


class HostnameTaken(InvalidInput):
    """The domain is in use."""

    code = "hostname_taken"
    message = "The domain {hostname} is in use already."


class HostnameNotPointing(BusinessError):
    """The domain's DNS record does not show that the tenant owns it."""

    code = "hostname_not_verified"
    message = "The DNS record {record} was not found yet; add it and try again in a few minutes."
    retryable = True


class PlatformLoginRefused(BusinessError):
    """Address or password is wrong; deliberately not told which."""

    code = "platform_login_refused"
    message = "The e-mail address or the password is wrong."


class AlreadySuspended(BusinessError):
    """Suspending a suspended tenant, or resuming one that runs."""

    code = "tenant_state_unchanged"
    message = "The tenant {slug} is {state} already."


class ReasonNeeded(InvalidInput):
    """Suspending asks for a reason that the ISP is shown."""

    code = "reason_needed"
    message = "A reason is needed; the ISP is shown it."


class PlatformPasswordWrong(BusinessError):
    """The present password of a platform operator is wrong."""

    code = "platform_password_wrong"
    message = "The present password is wrong."


class SupportTooLong(InvalidInput):
    """A support login is short."""

    code = "support_too_long"
    message = "A support login lasts 1 to {most} minutes."
