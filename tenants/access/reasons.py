"""The reasons against a login in plain words: what it means, and what to do about it (RAD-3, SUB-10).

The keys are the codes that stand in ``aaa.refused_packet.reason``; portals translate by code.
"""

from dataclasses import dataclass

from tenants.access import rules


@dataclass(frozen=True, slots=True)
class Reason:
    """``message`` for staff, ``remedy`` the next step, ``reply`` what the subscriber's router shows (Reply-Message)."""

    code: str
    message: str
    remedy: str
    reply: str


_BY_NUMBER: dict[int, Reason] = {
    rules.UNKNOWN_USER: Reason(
        "unknown_user",
        "There is no account with this user name.",
        "Compare the user name in the subscriber's router with the account, letter by letter.",
        "Unknown user name",
    ),
    rules.WRONG_PASSWORD: Reason(
        "wrong_password",
        "The password is wrong.",
        "Show the password to the subscriber or set a new one.",
        "Wrong password",
    ),
    rules.DISABLED: Reason(
        "disabled",
        "The account is disabled.",
        "Enable it when the reason for disabling it is settled.",
        "Account disabled, please contact your provider",
    ),
    rules.HELD: Reason(
        "held",
        "The account is on hold.",
        "Resume it; the time of the hold is added to the expiry.",
        "Account on hold, please contact your provider",
    ),
    rules.WRONG_NAS: Reason(
        "wrong_nas",
        "The account is not allowed on this router or in its region.",
        "Move the account to the router's region, or remove the binding to a router.",
        "Not allowed here",
    ),
    rules.BINDING: Reason(
        "binding",
        "The device or port is not the one the account is bound to.",
        "Unbind the account; it binds itself again at the next login.",
        "Device not registered",
    ),
    rules.ARREARS: Reason(
        "arrears",
        "The days allowed on arrears are over.",
        "Take the payment of the arrears; the account can connect at once.",
        "Payment is overdue",
    ),
    rules.EXPIRED: Reason(
        "expired",
        "The account has expired.",
        "Renew it; the account can connect at once.",
        "Account expired, please renew",
    ),
    rules.QUOTA: Reason(
        "quota",
        "The quota of the plan is used up.",
        "Sell a supplementary pack, renew, or wait for the next period.",
        "Quota used up",
    ),
    rules.OUTSIDE_WINDOW: Reason(
        "outside_window",
        "The plan does not allow connecting at this time.",
        "Wait for the plan's hours, or change to a plan without them.",
        "Not allowed at this time",
    ),
    rules.TOO_MANY_SESSIONS: Reason(
        "too_many_sessions",
        "As many sessions as the plan allows are open already.",
        "Disconnect the session that is no longer needed; a stale one ends by itself.",
        "Already online",
    ),
}
CODES: tuple[str, ...] = ("", *(_BY_NUMBER[number].code for number in range(1, len(_BY_NUMBER) + 1)))
"""The code of each number that ``rules.decide`` returns; "" for OK."""

REASONS: dict[str, Reason] = {reason.code: reason for reason in _BY_NUMBER.values()} | {
    reason.code: reason
    for reason in (
        Reason(
            "eap_no_common_method",
            "The device wants an EAP method that is not served.",
            "Set it to PEAP/MSCHAPv2, TTLS, EAP-MSCHAPv2 or EAP-MD5.",
            "No common EAP method",
        ),
        Reason(
            "eap_tls_failed",
            "The device broke the encrypted tunnel off; most often it does not trust the server's certificate.",
            "Install your CA certificate on the device, and let it expect the name in the server certificate.",
            "Certificate refused",
        ),
        Reason(
            "tenant_suspended",
            "The provider itself is suspended.",
            "The owner finds the reason on the home page of the administration.",
            "Service suspended",
        ),
        Reason(
            "locked_out",
            "There were too many wrong passwords from this router in a short time.",
            "It ends by itself within a minute, or when staff unlock it; correct the password in the router.",
            "Too many attempts, try again later",
        ),
    )
}
"""All reasons by code."""
