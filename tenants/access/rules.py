"""May this login enter? The order of radius.md, as a plain function that the packet path can afford. Pure."""

(
    OK,
    UNKNOWN_USER,
    WRONG_PASSWORD,
    DISABLED,
    HELD,
    WRONG_NAS,
    BINDING,
    ARREARS,
    EXPIRED,
    QUOTA,
    OUTSIDE_WINDOW,
    TOO_MANY_SESSIONS,
) = range(12)

STATE_ACTIVE, STATE_DISABLED, STATE_HELD = 1, 2, 3
LEARN = "learn"  # a binding that the next login fills in
# The renewal of an account whose balance covers it is booked within seconds of the expiry. Should it be late, who has
# the money may still log in for so long.
RENEWAL_GRACE_SECONDS = 900


def decide(
    state: int,
    activated: bool,
    valid_until: float,
    in_arrears: bool,
    now: float,
    place_allowed: bool,
    bind_mac: str,
    mac: str,
    bind_port: str,
    port: str,
    quota_used_up: bool,
    in_window: bool,
    open_sessions: int,
    max_sessions: int,
    drop_oldest: bool,
) -> int:
    """The first reason against a login whose user and password are right, or OK.

    ``valid_until`` and ``now`` are seconds since 1970: at ``valid_until`` itself the account is over, a microsecond
    before it is not. ``activated`` False: the period begins with this login, so no expiry counts yet.
    ``place_allowed``: NAS and region fit. ``max_sessions`` 0 = any number. ``bind_mac`` is aa:bb:cc:dd:ee:ff.
    Positional arguments and early returns: this runs tens of thousands of times a second.
    """
    if state != STATE_ACTIVE:
        return HELD if state == STATE_HELD else DISABLED
    if not place_allowed:
        return WRONG_NAS
    if bind_mac and bind_mac != LEARN and bind_mac != mac:
        return BINDING
    if bind_port and bind_port != LEARN and bind_port != port:
        return BINDING
    if activated and now >= valid_until:
        return ARREARS if in_arrears else EXPIRED
    if quota_used_up:
        return QUOTA
    if not in_window:
        return OUTSIDE_WINDOW
    if 0 < max_sessions <= open_sessions and not drop_oldest:
        return TOO_MANY_SESSIONS
    return OK


def may_connect_until(valid_until: float, renews: bool) -> float:
    """The instant from which a login is refused as expired; ``renews``: the balance covers the next period."""
    return valid_until + RENEWAL_GRACE_SECONDS if renews else valid_until


def is_over(valid_until: float, renews: bool, now: float) -> bool:
    """What is left to ask of an activated, active account out of arrears that has a session left and nothing special:
    :func:`decide` would say OK or EXPIRED."""
    return now >= (valid_until + RENEWAL_GRACE_SECONDS if renews else valid_until)


def in_windows(windows: list[dict[str, int]], weekday: int, minute: int) -> bool:
    """Whether the account may connect at this minute (0–1439) of this weekday (0 = Monday) of the tenant's zone.

    Without a window whose action is *allow* it always may. A window across midnight belongs to the day it starts on.
    """
    limited = False
    for window in windows:
        if "profile_id" in window:
            continue  # this one changes the rate, not the right to connect
        limited = True
        if covers(window, weekday, minute):
            return True
    return not limited


def window_profile(windows: list[dict[str, int]], weekday: int, minute: int) -> int | None:
    """The rate profile (negative id in ``aaa.profile``) of the first rate window that covers this minute."""
    for window in windows:
        if "profile_id" in window and covers(window, weekday, minute):
            return window["profile_id"]
    return None


def covers(window: dict[str, int], weekday: int, minute: int) -> bool:
    """Whether one window ``{days, starts, ends}`` (minutes; end exclusive) covers this minute."""
    days, starts, ends = window["days"], window["starts"], window["ends"]
    if starts < ends:
        return bool(days >> weekday & 1) and starts <= minute < ends
    if minute >= starts:
        return bool(days >> weekday & 1)
    return minute < ends and bool(days >> (weekday - 1) % 7 & 1)


def session_seconds(valid_until: float, now: float, longest: float, renews: bool) -> float:
    """How long an accepted session may last: until the expiry, but no longer than the tenant allows.

    Few routers can be told a new Session-Timeout when the renewal is booked, so who ``renews`` is not timed out at his
    expiry: should the money be gone by then, the Disconnect of that instant ends the session.
    """
    return longest if renews else min(longest, valid_until - now)
