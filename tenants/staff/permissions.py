"""Every right that a role can have (STF-1): per business object, and one for each business operation.

Names are ``<object>.<verb>``, ``op.<operation>``, ``pay.<method>``; a test finds every name that code uses here.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Permission:
    """One right; ``sensitive`` ones stand out in the matrix because they move money or reveal secrets."""

    code: str
    label: str
    sensitive: bool = False


@dataclass(frozen=True, slots=True)
class PermissionGroup:
    """Rights that are shown together."""

    code: str
    label: str
    permissions: tuple[Permission, ...]


def _group(code: str, label: str, *permissions: tuple[str, str] | tuple[str, str, bool]) -> PermissionGroup:
    return PermissionGroup(code, label, tuple(Permission(*permission) for permission in permissions))


CATALOGUE: Final[tuple[PermissionGroup, ...]] = (
    _group(
        "subscribers",
        "Subscribers",
        ("accounts.view", "See subscribers"),
        ("accounts.open", "Open accounts"),
        ("accounts.open_batch", "Open accounts in batches and by import"),
        ("accounts.edit", "Change subscribers' data"),
        ("accounts.bulk", "Change many accounts at once", True),
        ("accounts.delete", "Delete and restore accounts", True),
        ("accounts.export", "Export subscribers", True),
        ("accounts.test_login", "Test logins"),
        ("accounts.print", "Print slips and contracts"),
        ("accounts.personal_data", "See identity numbers and scans", True),
        ("files.upload", "Upload files"),
        ("files.delete", "Delete files", True),
    ),
    _group(
        "operations",
        "Business operations",
        ("op.buy", "Buy and renew"),
        ("op.quantity", "Choose the quantity"),
        ("op.sell_hidden", "Sell plans that are hidden", True),
        ("op.change_plan", "Change plan"),
        ("op.edit_difference", "Edit the price difference", True),
        ("op.pay_by_changing_plan", "Pay arrears by changing the plan"),
        ("op.manual", "Change balance, plan or expiry by hand", True),
        ("op.top_up", "Top up and deduct directly", True),
        ("op.move", "Move to another region"),
        ("op.rename", "Give a new user name on a move"),
        ("op.move_plan", "Choose another plan on a move"),
        ("op.edit_install_fee", "Edit the installation fee"),
        ("op.edit_expiry", "Edit the expiry on opening", True),
        ("op.never_expires", "Set accounts that never expire", True),
        ("op.hold", "Hold"),
        ("op.resume", "Resume"),
        ("op.refund", "Refund", True),
        ("op.edit_refund", "Edit the refunded amount", True),
        ("op.close", "Close accounts", True),
        ("op.pay_arrears", "Take payment of arrears"),
        ("op.cancel_arrears", "Cancel arrears in time", True),
        ("op.cancel_arrears_late", "Cancel arrears after their time", True),
        ("op.reverse", "Reverse orders in time", True),
        ("op.reverse_any_time", "Reverse orders at any time", True),
        ("op.add_pack", "Sell supplementary packs"),
        ("op.disable", "Disable"),
        ("op.enable", "Enable"),
        ("op.unbind", "Remove bindings"),
        ("op.query_password", "See a subscriber's password", True),
        ("op.reset_password", "Set a subscriber's new password"),
        ("pay.cash", "Take cash"),
        ("pay.balance", "Pay from the balance"),
        ("pay.arrears", "Sell on arrears"),
        ("pay.online", "Take online payments"),
    ),
    _group(
        "online",
        "Online and usage",
        ("online.view", "See who is online and the history"),
        ("online.kick", "Force offline"),
        ("online.clear", "Clear a router's sessions without forcing offline"),
        ("online.export", "Export sessions and usage"),
        ("refused.view", "See refused logins"),
        ("refused.unlock", "Let who was locked out try again"),
        ("counters.view", "See packet counters"),
        ("packets.watch", "Watch packets live"),
    ),
    _group(
        "money",
        "Money",
        ("orders.view", "See orders"),
        ("orders.export", "Export orders"),
        ("money.view", "See fee records and totals"),
        ("money.view_all", "See the takings of all operators"),
        ("money.export", "Export fee records"),
        ("receipts.print", "Print receipts"),
        ("receipts.reprint", "Print receipts again"),
        ("receipts.edit", "Design receipts"),
        ("money.settle", "Settle takings", True),
        ("money.review", "Review fee records", True),
        ("reports.view", "See reports"),
        ("reports.export", "Export reports"),
    ),
    _group(
        "plans",
        "Plans and promotions",
        ("plans.view", "See plans"),
        ("plans.add", "Add plans and groups"),
        ("plans.edit", "Change plans, prices, rates and promotions", True),
        ("plans.delete", "Delete plans"),
    ),
    _group(
        "network",
        "Network",
        ("regions.view", "See regions"),
        ("regions.add", "Add regions"),
        ("regions.edit", "Change regions"),
        ("regions.delete", "Delete regions"),
        ("nas.view", "See routers"),
        ("nas.add", "Add routers"),
        ("nas.edit", "Change routers"),
        ("nas.delete", "Delete routers", True),
        ("nas.secret", "See and renew routers' secrets", True),
        ("pools.view", "See address pools"),
        ("pools.edit", "Change address pools"),
    ),
    _group(
        "channels",
        "Agents and cards",
        ("agents.view", "See agents"),
        ("agents.add", "Add agents"),
        ("agents.edit", "Change agents and discount rules", True),
        ("agents.delete", "Delete agents"),
        ("agents.top_up", "Top up agents' wallets", True),
        ("cards.view", "See recharge cards"),
        ("cards.add", "Make batches of cards", True),
        ("cards.edit", "Freeze and release cards"),
        ("cards.export", "Export and print cards", True),
    ),
    _group(
        "service",
        "Work orders and messages",
        ("workorders.view", "See work orders"),
        ("workorders.add", "Add work orders"),
        ("workorders.dispatch", "Dispatch work orders"),
        ("workorders.progress", "Report progress"),
        ("workorders.delete", "Delete work orders"),
        ("messages.view", "See messages"),
        ("messages.send", "Send messages"),
        ("messages.send_password", "Send passwords by SMS", True),
        ("messages.send_expiry", "Send expiry reminders"),
        ("messages.edit", "Change message templates"),
    ),
    _group(
        "administration",
        "Administration",
        ("staff.view", "See operators and roles"),
        ("staff.add", "Add operators", True),
        ("staff.edit", "Change operators and roles", True),
        ("staff.delete", "Disable operators", True),
        ("settings.view", "See settings"),
        ("settings.edit", "Change settings", True),
        ("logs.view", "See the operation log"),
        ("logs.logins", "See the login log"),
        ("logs.export", "Export the logs"),
        ("jobs.view", "See background work"),
        ("backups.manage", "Make, download and restore backups", True),
        ("api.manage", "Manage API keys and webhooks", True),
    ),
)

ALL: Final[frozenset[str]] = frozenset(p.code for group in CATALOGUE for p in group.permissions)
LABELS: Final[dict[str, str]] = {p.code: p.label for group in CATALOGUE for p in group.permissions}
