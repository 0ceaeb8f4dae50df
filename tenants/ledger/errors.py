"""Why the ledger refuses."""

from tenants.kernel.errors import BusinessError


class KeyReused(BusinessError):
    """The same idempotency key with other content."""

    code = "key_reused"
    message = "The key {key} was used for a different operation; use a new key."


class BadKey(BusinessError):
    """An idempotency key that cannot be stored."""

    code = "bad_key"
    message = "An idempotency key has 1 to 200 printable characters."


class Unbalanced(AssertionError):
    """A programming error: the lines do not add up. Nothing was posted."""
