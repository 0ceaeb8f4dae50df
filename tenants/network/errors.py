"""Failures of regions and routers."""

from collections.abc import Sequence

from infra.radius_text.lines import Problem
from tenants.kernel.errors import BusinessError, InvalidInput, NotFound


class RegionNotFound(NotFound):
    """No such region in this tenant."""

    code = "region_not_found"
    message = "There is no region {ref}."


class RegionNameTaken(InvalidInput):
    """Another region has this name."""

    code = "region_name_taken"
    message = "There is a region {name} already."


class RegionInUse(BusinessError):
    """Accounts, routers or plans refer to it."""

    code = "region_in_use"
    message = "The region {name} is in use ({count} {what}); move them to another region first."


class LastRegion(BusinessError):
    """Accounts need a region, so one stays."""

    code = "last_region"
    message = "The last region cannot be deleted."


class PoolNotFound(NotFound):
    """No such address pool in this tenant."""

    code = "pool_not_found"
    message = "There is no address pool {ref}."


class PoolNameTaken(InvalidInput):
    """Another address pool has this name."""

    code = "pool_name_taken"
    message = "There is an address pool {name} already."


class BadPoolName(InvalidInput):
    """Not a name that routers take for a pool."""

    code = "bad_pool_name"
    message = "A pool's name has 1 to {longest} printable characters without blanks."


class PoolInUse(BusinessError):
    """Plan groups or routers lead subscribers to it."""

    code = "pool_in_use"
    message = "The pool {name} is in use by {users}; give those another pool first."


class NasNameTaken(InvalidInput):
    """Another router of this ISP has this name; lists show nothing else of them."""

    code = "nas_name_taken"
    message = "There is a router {name} already."


class NasNotFound(NotFound):
    """No such router in this tenant."""

    code = "nas_not_found"
    message = "There is no router {ref}."


class IdentifierTaken(InvalidInput):
    """Another router, of this or another ISP, has the identifier."""

    code = "nas_identifier_taken"
    message = "The identifier {identifier} is taken; choose another."


class IdentifierOutsidePrefix(InvalidInput):
    """Identifiers begin with the tenant's prefix, so that a stray packet names its owner."""

    code = "nas_identifier_outside_prefix"
    message = "The identifier must begin with {prefix}- , for example {example}."


class BadIdentifier(InvalidInput):
    """Control characters, blanks at the ends, or too long."""

    code = "bad_nas_identifier"
    message = "An identifier has 1 to {longest} characters without control characters and without blanks at the ends."


class BadSecret(InvalidInput):
    """Too short, too long, or not printable."""

    code = "bad_nas_secret"
    message = "A shared secret has {shortest} to {longest} printable ASCII characters without blanks."


class BadAddress(InvalidInput):
    """Not one IP address of a host."""

    code = "bad_nas_address"
    message = "{address} is not an IP address of a router; give one like 203.0.113.5."


class AddressTaken(InvalidInput):
    """Another router is already recognised by this address."""

    code = "nas_address_taken"
    message = "Another router is already recognised by the address {address}; recognise this one by its identifier."


class AddressNeeded(InvalidInput):
    """Recognition by address or name needs one."""

    code = "nas_address_needed"
    message = "To recognise a router by its {what}, the {what} is needed."


class BadDdnsName(InvalidInput):
    """Not a host name."""

    code = "bad_ddns_name"
    message = "{name} is not a host name."


class BadCoaPort(InvalidInput):
    """Not a port."""

    code = "bad_coa_port"
    message = "{port} is not a port; a port lies between 1 and 65535."


class BadStaleTime(InvalidInput):
    """Sessions would end between two reports, or hardly ever."""

    code = "bad_stale_time"
    message = (
        "Give {least} to {most} minutes: the router reports every {interval} seconds, and one report may get lost."
    )


class InterimTooLong(InvalidInput):
    """Sessions would count as ended between two reports."""

    code = "interim_too_long"
    message = (
        "With a report every {interval} seconds, sessions would count as ended after {minutes} minutes without one; "
        'first give the router {least} minutes or more ("Silent sessions end after", in its settings).'
    )


class InterimTooLongFor(InvalidInput):
    """The same for one of the routers that are told so by something else than their own attributes."""

    code = "interim_too_long_for"
    message = (
        "With a report every {interval} seconds, sessions of the router {name} would count as ended after {minutes} "
        'minutes without one; first give it {least} minutes or more ("Silent sessions end after", in its settings).'
    )


class UnknownVendor(InvalidInput):
    """The make is not one of the list."""

    code = "unknown_vendor"
    message = "There is no vendor {vendor}; possible are {possible}."


class BadChoice(InvalidInput):
    """A value is not one of those possible."""

    code = "bad_choice"
    message = '"{value}" is not possible here; choose one of: {choices}.'


class BadTimezone(InvalidInput):
    """Not a time zone."""

    code = "bad_timezone"
    message = "{zone} is not a time zone; give one like Asia/Shanghai."


class CertificateRefused(InvalidInput):
    """An uploaded chain or key is none that supplicants would accept; ``problem`` says why, as words."""

    code = "certificate_refused"
    message = "The certificate cannot be used: {problem}."


class CredentialNotFound(NotFound):
    """No such certificate or key of this router, or it was withdrawn already."""

    code = "radsec_credential_not_found"
    message = "There is no valid certificate or key {ref}."


class TooManyCredentials(BusinessError):
    """A router needs two at a change, not dozens."""

    code = "too_many_radsec_credentials"
    message = "The router has {most} valid certificates and keys already; withdraw one first."


class BadAttributeText(InvalidInput):
    """A dialect or extra attributes that a router could not be sent; ``problems`` has every line."""

    code = "bad_attribute_text"
    message = "Line {line}: {problem}."

    def __init__(self, problems: Sequence[Problem], *, field: str) -> None:
        self.problems = tuple(problems)
        super().__init__(field=field, line=problems[0].line, problem=problems[0].message)


class DialectNotFound(NotFound):
    """No such dialect of this tenant."""

    code = "dialect_not_found"
    message = "There is no dialect {ref}."


class DialectNameTaken(InvalidInput):
    """Another dialect has this name."""

    code = "dialect_name_taken"
    message = "There is a dialect {name} already."


class BadDialectName(InvalidInput):
    """Its name is used in command lines and forms."""

    code = "bad_dialect_name"
    message = "A dialect's name has 1 to {longest} small letters, digits and hyphens."


class DialectInUse(BusinessError):
    """Routers speak it."""

    code = "dialect_in_use"
    message = "{count} routers use the dialect {name}; choose another make for them first."


class BadReplyOption(InvalidInput):
    """A value of what a router is sent that cannot be."""

    code = "bad_reply_option"
    message = '"{value}" is not possible here: {hint}.'


class ExpiringIncomplete(InvalidInput):
    """Days without a place, or a place without days: it would never come to pass."""

    code = "expiring_incomplete"
    message = "For accounts that expire soon it is not said {what}."


class ClientNotTakenOver(InvalidInput):
    """A client of FreeRADIUS that is no router as we know them."""

    code = "client_not_taken_over"
    message = "This client cannot be taken over: {why}."


class BadImport(InvalidInput):
    """A table of routers that cannot be read."""

    code = "bad_import"
    message = "The table cannot be read: {why}."
