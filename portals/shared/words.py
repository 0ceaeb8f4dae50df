"""What codes of the business are called on screens: reasons, kinds, methods, causes. Codes alone are never shown."""

from dataclasses import dataclass
from typing import Any

from portals.shared.i18n import _, lazy


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a login or packet was refused: the word for charts, what happened, and what to do now."""

    word: Any
    sentence: Any
    remedy: Any


REFUSALS: dict[str, Refusal] = {
    "unknown_user": Refusal(
        lazy("No such user"),
        lazy("There is no account with this user name."),
        lazy("Check the user name in the router or on the device; letters and case must match."),
    ),
    "wrong_password": Refusal(
        lazy("Wrong password"),
        lazy("The password was wrong."),
        lazy("Type the password again on the device, or set a new one here."),
    ),
    "disabled": Refusal(
        lazy("Disabled"), lazy("The account is disabled."), lazy("Enable it when it may be used again.")
    ),
    "held": Refusal(
        lazy("On hold"), lazy("The account is on hold."), lazy("Resume it; the time of the hold is given back.")
    ),
    "wrong_nas": Refusal(
        lazy("Other router"),
        lazy("The login came from a router or region that this account may not use."),
        lazy("Move the account to that region, or remove its binding to a router."),
    ),
    "binding": Refusal(
        lazy("Binding differs"),
        lazy("The device or port is not the one that the account is bound to."),
        lazy("Unbind it if the device was changed; the next login binds again."),
    ),
    "arrears": Refusal(
        lazy("Arrears"),
        lazy("The days allowed on arrears are over."),
        lazy("Pay the arrears; the account is online again at once."),
    ),
    "expired": Refusal(lazy("Expired"), lazy("The account has expired."), lazy("Renew it.")),
    "quota": Refusal(
        lazy("Quota used up"),
        lazy("The quota of this period is used up."),
        lazy("Sell a pack, change the plan, or wait for the next period."),
    ),
    "outside_window": Refusal(
        lazy("Outside the hours"),
        lazy("The plan does not allow access at this time of day."),
        lazy("Wait for the hours of the plan, or change the plan."),
    ),
    "too_many_sessions": Refusal(
        lazy("Too many sessions"),
        lazy("All sessions that the plan allows are in use."),
        lazy("Disconnect the other session, or sell a plan with more sessions."),
    ),
    "tenant_suspended": Refusal(
        lazy("Service suspended"),
        lazy("Your service is suspended."),
        lazy("Get in touch with the platform."),
    ),
    "locked_out": Refusal(
        lazy("Locked out"),
        lazy("Too many wrong passwords came from this device; it is locked out for a minute, other devices are not."),
        lazy("Correct the password on the device and wait or unlock it, or set a new password."),
    ),
    "unknown_nas": Refusal(
        lazy("Unknown router"),
        lazy("The packet came from a router that is not registered."),
        lazy("Register the router with exactly this identifier, or correct the identifier in the router."),
    ),
    "wrong_secret": Refusal(
        lazy("Wrong secret"),
        lazy("The shared secret in the router is not the one registered here, so it got no answer."),
        lazy("Most likely a character was lost: paste the part of the script with the secret again, then redial."),
    ),
    "no_message_authenticator": Refusal(
        lazy("No Message-Authenticator"),
        lazy("The router sent a login without Message-Authenticator, which protects against forged answers."),
        lazy("Update the router and switch it on (RouterOS: require-message-auth), or set this router to “optional”."),
    ),
    "wrong_port": Refusal(
        lazy("Wrong port"),
        lazy("The router sent a login to the port for accounting, or a report to the port for logins."),
        lazy("Compare both ports in the router with those of the cloud: they may be mixed up, or one stands twice."),
    ),
    "malformed": Refusal(
        lazy("Malformed packet"),
        lazy("The packet does not follow the RADIUS standard and was dropped."),
        lazy("Look for a device that sends something else to this port."),
    ),
    "eap_no_common_method": Refusal(
        lazy("No common EAP method"),
        lazy("The device wants an EAP method that is not served."),
        lazy("Set it to PEAP/MSCHAPv2, TTLS, EAP-MSCHAPv2 or EAP-MD5."),
    ),
    "eap_tls_failed": Refusal(
        lazy("Certificate refused"),
        lazy("The device broke the encrypted tunnel off; most often it does not trust the server's certificate."),
        lazy("Install your CA certificate on the device, and let it expect the name in the server certificate."),
    ),
    "eap_timed_out": Refusal(
        lazy("EAP too slow"),
        lazy("The device answered later than a minute after the question."),
        lazy("It tries again by itself; if that happens often, look at the way between router and cloud."),
    ),
    "eap_conversation_lost": Refusal(
        lazy("EAP began again"),
        lazy("The process that held the conversation has ended, so the device had to begin again."),
        lazy("Nothing; the next try succeeds."),
    ),
    "eap_protocol_error": Refusal(
        lazy("EAP error"),
        lazy("The device sent something that is not in order at this point of its EAP method."),
        lazy("Update the device's software, or choose another EAP method on it."),
    ),
    "eap_dropped": Refusal(
        lazy("EAP packet dropped"),
        lazy("An EAP packet belonged to no conversation: too late, repeated, or altered on its way."),
        lazy("Single ones are normal; the device repeats its question."),
    ),
    "radsec_withdrawn": Refusal(
        lazy("Withdrawn certificate"),
        lazy("The router showed a RadSec certificate or key that was withdrawn or has expired."),
        lazy("Issue another on the router's RadSec page and put it into the router."),
    ),
    "bad_proxy_header": Refusal(
        lazy("No header of the load balancer"),
        lazy("A packet came from a load balancer without the PROXY header that says who sent it."),
        lazy("Switch PROXY protocol version 2 on at the balancer, or take its address out of the settings."),
    ),
    "radsec_unknown": Refusal(
        lazy("Unknown certificate"),
        lazy("A connection showed a certificate that belongs to no router."),
        lazy("Put the certificate into the router that was issued on its RadSec page."),
    ),
    "radsec_handshake": Refusal(
        lazy("No TLS connection"),
        lazy("A connection to the RadSec port did not speak TLS 1.2 or 1.3, or showed no certificate and no key."),
        lazy("Compare the router's TLS settings with its RadSec page."),
    ),
    "radsec_limit": Refusal(
        lazy("RadSec connection ended"),
        lazy("A router had too many connections, was silent during the handshake, or did not read its answers."),
        lazy("One connection is enough; look at the line and the load of the router."),
    ),
}
_RADSEC_LIMITS = ("too_many", "handshake_timeout", "unread")
_EAP_DROPPED = ("eap_malformed", "eap_without_state", "eap_foreign_state", "eap_wrong_identifier", "eap_busy")
_MALFORMED = ("truncated", "bad_length", "unknown_code", "bad_attribute", "malformed")


def refusal(code: str) -> Refusal:
    """The words for a reason code; an unknown one is called by its code, so that nothing is hidden."""
    if code in REFUSALS:
        return REFUSALS[code]
    if code in _MALFORMED:
        return REFUSALS["malformed"]
    if code in _EAP_DROPPED:
        return REFUSALS["eap_dropped"]
    if code in _RADSEC_LIMITS:
        return REFUSALS["radsec_limit"]
    return Refusal(code.replace("_", " "), code.replace("_", " "), "")


PLAN_KINDS: dict[str, Any] = {
    "day": lazy("day"),
    "week": lazy("week"),
    "month": lazy("month"),
    "quarter": lazy("quarter"),
    "half-year": lazy("half-year"),
    "year": lazy("year"),
    "prepaid-month": lazy("prepaid, monthly from the balance"),
    "traffic": lazy("traffic, used up once"),
    "hours": lazy("hours, used up once"),
    "hours-per-day": lazy("hours a day"),
    "hours-per-month": lazy("hours a month"),
    "traffic-per-day": lazy("traffic a day"),
    "traffic-per-month": lazy("traffic a month"),
    "natural-day": lazy("calendar day"),
    "natural-month": lazy("calendar month"),
}

# Of a login that was let in, but to a place (NET-4)
ENDS_SOON = Refusal(
    lazy("Ends soon"), lazy("The account ends soon and does not renew by itself."), lazy("Renew it, and it dials anew.")
)

LOGIN_METHODS: dict[str, Any] = {"pap": "PAP", "chap": "CHAP", "mschapv2": "MS-CHAPv2"}

# What a login that was only tried would have had done besides (tenants/access/login_trial.py)
TRIAL_EFFECTS: dict[str, Any] = {
    "disconnect_oldest": lazy("The oldest session would be ended."),
    "disconnect_redialled": lazy("The device's own old session would be ended."),
    "bind": lazy("The account would be bound to it."),
    "activate": lazy("The period would begin: it is the first login."),
}

POOL_KINDS: dict[str, Any] = {
    "normal": lazy("paid accounts"),
    "expiring": lazy("accounts that end soon"),
    "expired": lazy("expired accounts"),
}

METHODS: dict[str, Any] = {
    "cash": lazy("Cash"),
    "balance": lazy("Balance"),
    "arrears": lazy("Arrears"),
    "online": lazy("Online"),
    "alipay": lazy("Alipay"),
    "wechat": lazy("WeChat"),
    "card": lazy("Recharge card"),
    "wallet": lazy("Agent's wallet"),
    "none": lazy("No payment"),
    "": lazy("No payment"),
}

ACCOUNT_STATES: dict[str, Any] = {
    "active": lazy("in use"),
    "disabled": lazy("Disabled"),
    "held": lazy("On hold"),
    "closed": lazy("Closed"),
}

ORDER_KINDS: dict[str, Any] = {
    "open": lazy("Opened"),
    "buy": lazy("Renewed"),
    "renew": lazy("Renewed"),
    "change_plan": lazy("Changed plan"),
    "manual_change": lazy("Changed by hand"),
    "manual": lazy("Changed by hand"),
    "top_up": lazy("Top-up of the balance"),
    "move": lazy("Moved"),
    "refund": lazy("Refund"),
    "close": lazy("Account closed"),
    "hold": lazy("Put on hold"),
    "resume": lazy("Resumed"),
    "pay_arrears": lazy("Paid arrears"),
    "pay_by_change": lazy("Paid arrears by another plan"),
    "cancel_arrears": lazy("Cancelled arrears"),
    "reverse": lazy("Reversed"),
    "add_pack": lazy("Pack"),
    "pack": lazy("Pack"),
    "disable": lazy("Disabled"),
    "enable": lazy("Enabled"),
    "never_expires": lazy("Never expires"),
    "auto_renew": lazy("Renewed automatically"),
    "monthly": lazy("Monthly deduction"),
}

LINE_KINDS: dict[str, Any] = {
    "plan": lazy("Price"),
    "difference": lazy("Difference"),
    "install": lazy("Install fee"),
    "promotion": lazy("Offer"),
    "discount": lazy("Discount"),
    "inherited": lazy("Taken over from the arrears order"),
    "fee": lazy("Fee"),
    "refund": lazy("Refund"),
    "balance": lazy("Balance"),
    "top-up": lazy("Top-up"),
    "deduction": lazy("Deduction"),
    "manual": lazy("Entered by hand"),
    "income": lazy("Income"),
    "expense": lazy("Expense"),
    "credit": lazy("Credit"),
    "pack": lazy("Pack"),
    "arrears": lazy("Arrears"),
}

# Acct-Terminate-Cause of RFC 2866, and ours from 100 on
CAUSES: dict[int, Any] = {
    0: lazy("ended, cause unknown"),
    1: lazy("ended by the subscriber"),
    2: lazy("connection lost"),
    3: lazy("service lost"),
    4: lazy("idle too long"),
    5: lazy("time used up"),
    6: lazy("ended by staff"),
    7: lazy("router restarted"),
    8: lazy("port error"),
    9: lazy("router error"),
    10: lazy("ended by the router"),
    11: lazy("router restarted"),
    12: lazy("line no longer needed"),
    13: lazy("line taken for something more urgent"),
    14: lazy("line suspended"),
    15: lazy("service not available"),
    16: lazy("the router calls back"),
    17: lazy("wrong input of the subscriber"),
    18: lazy("ended by the host"),
    19: lazy("the device began anew"),
    20: lazy("the device could not prove itself again"),
    21: lazy("port started anew"),
    22: lazy("port switched off"),
    23: lazy("power lost"),
    100: lazy("no report any more, ended by the system"),
    101: lazy("router restarted"),
    102: lazy("replaced by a newer session"),
    103: lazy("cleared by staff"),
}

# Why we ask a router to end a session
CUT_REASONS: dict[str, Any] = {
    "kick": lazy("by staff"),
    "operator": lazy("by staff"),
    "subscriber": lazy("by the subscriber"),
    "expired": lazy("expired"),
    "disabled": lazy("disabled"),
    "disable": lazy("disabled"),
    "held": lazy("on hold"),
    "hold": lazy("on hold"),
    "arrears": lazy("arrears"),
    "quota": lazy("quota used up"),
    "closed": lazy("closed"),
    "deleted": lazy("deleted"),
    "replaced": lazy("replaced by a newer session"),
    "password": lazy("new password"),
    "moved": lazy("moved"),
    "renamed": lazy("renamed"),
    "refund": lazy("refunded"),
    "redialled": lazy("the device dialled again"),
    "too_many_sessions": lazy("too many sessions"),
    "plan_changed": lazy("another plan"),
    "rate_changed": lazy("the speed was edited"),
    "end_moved": lazy("the expiry moved"),
    "window": lazy("hours of the plan"),
    "outside_window": lazy("hours of the plan"),
    "renewed": lazy("paid, so out of the place for those who have not"),
    "reversed": lazy("order taken back"),
    "close": lazy("closed"),
    "quota_reset": lazy("a new quota period"),
}

COMMAND_STATES: dict[str, tuple[str, Any]] = {
    "waiting": ("new", lazy("on its way")),
    "taken": ("new", lazy("on its way")),
    "done": ("normal", lazy("done")),
    "refused": ("expired", lazy("refused")),
    "unanswered": ("expiring", lazy("no answer")),
    "failed": ("expired", lazy("failed")),
}

VENDORS: dict[str, str] = {
    "mikrotik": "MikroTik RouterOS",
    "huawei": "Huawei (ME60, 5200G)",
    "h3c": "H3C",
    "zte": "ZTE (M6000)",
    "cisco": "Cisco IOS-XE",
    "cisco-ios": "Cisco IOS",
    "juniper": "Juniper",
    "unisphere-erx": "Siemens / Unisphere ERX",
    "ruijie": "Ruijie",
    "maipu": "Maipu",
    "wayos": "WayOS",
    "zhuomai": "ZhuoMai",
    "ikuai": "iKuai",
    "standard": "RADIUS / WISPr",
}


def word(table: dict[Any, Any], code: Any) -> str:
    """The word for a code; a code nobody named yet stands for itself."""
    found = table.get(code, table.get(code.replace("-", "_")) if isinstance(code, str) else None)
    return str(code).replace("_", " ") if found is None else str(found)


def vendor(code: str) -> str:
    """The name of a vendor's dialect."""
    return VENDORS.get(code, code)


def signed_count(number: int) -> str:
    """``126 more`` or ``12 fewer``, for comparisons."""
    if number == 0:
        return _("the same")
    return _("%(count)s more", count=f"{number:,}") if number > 0 else _("%(count)s fewer", count=f"{-number:,}")
