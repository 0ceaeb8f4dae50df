"""What codes are called on the platform's pages."""

from typing import Any

from portals.shared.i18n import current_language, lazy
from portals.shared.words import word
from tenants.reports.queries_platform import TenantRow

TENANT_STATES: dict[str, tuple[str, Any]] = {
    "active": ("normal", lazy("Running")),
    "suspended": ("expired", lazy("Suspended")),
    "provisioning": ("new", lazy("Being set up")),
    "deleted": ("disabled", lazy("Deleted")),
}

ATTENTION: dict[str, Any] = {
    "migration_failed": lazy("The last migration of its schema failed"),
    "suspended": lazy("Suspended"),
    "tier_over": lazy("The paid time of its tier is over"),
    "near_limit": lazy("Near the limit of its tier"),
}

NODE_KINDS: dict[str, Any] = {
    "radius": lazy("RADIUS engine"),
    "radsec": lazy("RadSec engine"),
    "coa": lazy("Disconnects (CoA)"),
    "worker": lazy("Worker"),
    "scheduler": lazy("Scheduler"),
    "web": lazy("Web"),
}

QUEUES: dict[str, Any] = {
    "due": lazy("To the second"),
    "default": lazy("Soon"),
    "slow": lazy("Slow work"),
}

BACKLOG: dict[str, Any] = {
    "account.expire": lazy("Expiries to come"),
    "account.activate": lazy("First logins"),
    "account.bind": lazy("Learned bindings"),
    "account.learn_address": lazy("Fixed addresses to learn"),
    "account.release_name": lazy("User names to release"),
    "account.quota": lazy("Quota warnings"),
    "account.quota_reset": lazy("Speeds to give back after a quota's reset"),
    "group.hours": lazy("Hours of plan groups"),
    "tenant.timezone": lazy("Hours to move to another time zone"),
    "tenant.ledger_check": lazy("Nightly check of the ledgers"),
    "tenant.retention": lazy("Old records to drop"),
    "task.step": lazy("Long work of providers"),
    "tenant.seal": lazy("Operation logs to seal"),
    "radius.disconnect": lazy("Disconnects (CoA)"),
    "radius.coa": lazy("Rate changes (CoA)"),
    "mail.send": lazy("Mails to send"),
}

ACTIONS: dict[str, Any] = {
    "platform.first_operator": lazy("First platform operator made"),
    "platform.log_in": lazy("Signed in"),
    "platform.log_in_refused": lazy("Sign-in refused"),
    "platform.change_password": lazy("Password changed"),
    "tenant.suspend": lazy("Tenant suspended"),
    "tenant.resume": lazy("Tenant resumed"),
    "tenant.create": lazy("Tenant made"),
    "support.start": lazy("Support login begun"),
    "support.end": lazy("Support login ended"),
    "sign_up.delete": lazy("Sign-up deleted"),
    "sign_up.resend": lazy("Verification sent again"),
}


COUNTS: dict[tuple[str, str], Any] = {
    ("auth", "accepted"): lazy("accepted"),
    ("auth", "rejected"): lazy("rejected"),
    ("auth", "dropped"): lazy("logins dropped"),
    ("acct", "stored"): lazy("reports stored"),
    ("acct", "spooled"): lazy("reports kept on disk meanwhile"),
    ("acct", "dropped"): lazy("reports dropped"),
    ("coa", "done"): lazy("disconnects done"),
    ("coa", "refused"): lazy("disconnects refused"),
    ("coa", "unanswered"): lazy("disconnects without answer"),
}


def counts(counters: dict[str, Any]) -> list[tuple[str, int]]:
    """What a process counted, its reasons summed: ``auth.rejected:expired`` and the like become "rejected"."""
    sums: dict[tuple[str, str], int] = {}
    for name, number in counters.items():
        kind, _dot, outcome = name.partition(".")
        key = kind, outcome.partition(":")[0]
        if key in COUNTS and isinstance(number, int | float):
            sums[key] = sums.get(key, 0) + int(number)
    return [(str(label), sums[key]) for key, label in COUNTS.items() if sums.get(key)]


def tenant_state(state: str) -> tuple[str, str]:
    """(dot, word) of a tenant's state."""
    dot, text = TENANT_STATES.get(state, ("disabled", state))
    return dot, str(text)


def tier_name(tenant: TenantRow) -> str:
    """The tier in the reader's language."""
    return tenant.tier_en if current_language() == "en" else tenant.tier_zh


def backlog_name(name: str) -> str:
    """What a kind of due work or an outbox topic is about."""
    return word(BACKLOG, name)


def action_name(action: str) -> str:
    """What was done."""
    return word(ACTIONS, action)
