"""How long a login is locked after wrong passwords; pure."""

import re

from tenants.staff.errors import BadUsername

FREE_TRIES = 5
LONGEST_LOCK_SECONDS = 3600
_USERNAME = re.compile(r"^[\w.@-]{2,60}$")


def lock_seconds(failed_logins: int) -> int:
    """Nothing for the first tries, then 30 s, doubled with every further failure up to an hour."""
    over = failed_logins - FREE_TRIES
    return 0 if over < 0 else min(LONGEST_LOCK_SECONDS, 30 * 2 ** min(over, 10))


def check_username(username: str, *, field: str = "username") -> str:
    """The user name as stored. Raises :class:`BadUsername`."""
    username = username.strip()
    if not _USERNAME.fullmatch(username):
        raise BadUsername(field=field)
    return username
