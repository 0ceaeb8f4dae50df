"""Every setting of a tenant with its default, range and help text (TEN-9 and the settings that steer billing).

The fields of :class:`TenantSettings` *are* the catalogue: a key, its type and its meaning stand in one place.
"""

from dataclasses import dataclass, fields
from decimal import Decimal
from typing import Final

from tenants.registry.setting_kinds import Setting, setting

GROUPS: Final[dict[str, str]] = {
    "general": "System",
    "branding": "Branding and contact",
    "selfcare": "Self-service",
    "network": "Access and accounting",
    "purchases": "Buying and changing plans",
    "reversal": "Reversal",
    "arrears": "Arrears",
    "opening": "Opening accounts",
    "records": "Records and privacy",
}

_NO_FEE = Decimal("0.00")
_CURRENCIES = (
    "CNY", "HKD", "TWD", "USD", "EUR", "GBP", "MYR", "IDR", "PHP", "THB", "VND", "INR",
    "BRL", "ZAR", "NGN", "KES",
)  # fmt: skip
ACCOUNT_FIELDS = ("name", "phone", "address", "id_number", "building", "room", "email")


@dataclass(frozen=True, slots=True)
class TenantSettings:
    """The tenant's settings with defaults filled in; units stand in the names."""

    # System
    system_name: str = setting(
        "", "general", "text", "System name", "Shown at the top of every page; empty = the company's name.", maximum=60
    )
    timezone: str = setting(
        "Asia/Shanghai",
        "general",
        "timezone",
        "Time zone",
        "Days, months and hours that people name are meant in this zone. Instants already booked do not move.",
    )
    locale: str = setting(
        "zh",
        "general",
        "choice",
        "Language",
        "Language of pages, messages and refusals until somebody chooses another.",
        choices=("zh", "en"),
    )
    currency: str = setting(
        "CNY",
        "general",
        "choice",
        "Currency",
        "Currency of all amounts. Change it only while nothing is booked: amounts are not converted.",
        choices=_CURRENCIES,
    )
    expiring_days: int = setting(
        7,
        "general",
        "integer",
        "Days before expiry shown as expiring",
        "An account whose expiry is nearer than this is shown as expiring.",
        minimum=1,
        maximum=90,
        unit="days",
    )
    megabit: str = setting(
        "1000000",
        "general",
        "choice",
        "One Mb is",
        "How many bit/s one M of a rate means.",
        choices=("1000000", "1048576"),
    )
    gigabyte: str = setting(
        "1073741824",
        "general",
        "choice",
        "One GB is",
        "How many octets one GB of traffic sold means.",
        choices=("1073741824", "1000000000"),
    )
    idle_minutes: int = setting(
        30,
        "general",
        "integer",
        "Idle logout",
        "Staff are logged out after this time without a click.",
        minimum=5,
        maximum=1440,
        unit="minutes",
    )
    # Branding
    page_title: str = setting(
        "", "branding", "text", "Page title", "Title of the browser window; empty = the system name.", maximum=60
    )
    accent_color: str = setting(
        "",
        "branding",
        "color",
        "Accent colour",
        "Colour of buttons and links, like #0b6670; empty = Broadloom's own.",
    )
    logo: str = setting(
        "", "branding", "text", "Logo", "File name of the uploaded logo; empty = a sign made of the name.", maximum=200
    )
    login_background: str = setting(
        "", "branding", "text", "Login background", "File name of the uploaded picture; empty = plain.", maximum=200
    )
    icp_number: str = setting(
        "",
        "branding",
        "text",
        "ICP record number",
        "Shown at the foot of public pages where the law asks for it.",
        maximum=60,
    )
    contact_name: str = setting("", "branding", "text", "Contact", "Whom subscribers can ask.", maximum=60)
    contact_phone: str = setting(
        "", "branding", "text", "Service telephone", "Shown to subscribers in self-service and in messages.", maximum=40
    )
    contact_text: str = setting(
        "", "branding", "long_text", "About us", "A few lines for subscribers: address, opening hours.", maximum=1000
    )
    # Self-service
    selfcare_notice: str = setting(
        "", "selfcare", "long_text", "Notice", "Shown to subscribers on top of self-service; empty = none.", maximum=500
    )
    selfcare_unbind: bool = setting(
        False, "selfcare", "switch", "Subscribers may unbind their device", "After it, the next device is bound."
    )
    quota_mail: bool = setting(
        True,
        "selfcare",
        "switch",
        "Mail subscribers about their quota",
        "Who has an e-mail address gets one when 80 and when 100 per cent of the quota are used.",
    )
    # Access and accounting
    interim_seconds: int = setting(
        300,
        "network",
        "integer",
        "Accounting interval",
        "How often routers report the usage of a session. Shorter is more exact and more load.",
        minimum=60,
        maximum=3600,
        unit="seconds",
    )
    max_session_seconds: int = setting(
        86400,
        "network",
        "integer",
        "Longest session",
        "A session is ended and dialled again after this time, 0 = never.",
        minimum=0,
        maximum=2592000,
        unit="seconds",
    )
    stale_intervals: int = setting(
        4,
        "network",
        "integer",
        "Missed reports until a session counts as ended",
        "A session without a report for this many intervals is closed with its last values.",
        minimum=2,
        maximum=50,
    )
    show_password: bool = setting(
        False,
        "network",
        "switch",
        "Show subscribers' passwords to staff",
        "With this on, staff who may query passwords see them in lists; each look is in the operation log either way.",
    )
    # Buying and changing plans
    not_a_change_seconds: int = setting(
        259200,
        "purchases",
        "integer",
        "Not-a-change window",
        "So long before expiry (and after it) any plan can be bought; earlier another group is a change of plan.",
        minimum=0,
        maximum=31622400,
        unit="seconds",
    )
    bind_original_group: bool = setting(
        False,
        "purchases",
        "switch",
        "Bind to the original plan group",
        "Renewals stay in the account's plan group, also after expiry.",
    )
    auto_difference: bool = setting(
        True,
        "purchases",
        "switch",
        "Compute the price difference",
        "A change of plan charges the difference for the days left; off = staff enter it.",
    )
    difference_only: bool = setting(
        False,
        "purchases",
        "switch",
        "Charge the difference only",
        "A change of plan charges only the difference and keeps the expiry.",
    )
    editable_difference: bool = setting(
        True,
        "purchases",
        "switch",
        "The difference may be edited",
        "Roles with the right may charge another difference than the computed one; both are kept.",
    )
    difference_rounding: str = setting(
        "whole",
        "purchases",
        "choice",
        "Rounding of the difference",
        "To whole currency units or to cents.",
        choices=("whole", "cents"),
    )
    downgrade_credit: bool = setting(
        False,
        "purchases",
        "switch",
        "Credit for downgrades",
        "A negative difference is credited to the balance; off = it counts as 0.",
    )
    unified_expiry_hour: int | None = setting(
        None,
        "purchases",
        "optional_hour",
        "Unified expiry hour",
        "Expiries are set to this hour, minutes and seconds stay; empty = as bought.",
        minimum=0,
        maximum=23,
        unit="hour",
    )
    prices_by_region: bool = setting(
        False,
        "purchases",
        "switch",
        "Plans belong to regions",
        "Each region has plans and prices of its own: a new plan names exactly one region and stays there. "
        "Off: a plan is sold in any number of regions. Plans that exist stay as they are until they are changed.",
    )
    # Reversal
    reversal_seconds: int = setting(
        3600,
        "reversal",
        "integer",
        "Reversal window",
        "An order can be reversed for so long after it was booked.",
        minimum=0,
        maximum=31622400,
        unit="seconds",
    )
    reversal_cutoff_hour: int | None = setting(
        23,
        "reversal",
        "optional_hour",
        "Daily reversal limit",
        "And not after this hour of the same day; empty = no daily limit.",
        minimum=0,
        maximum=23,
        unit="hour",
    )
    # Arrears
    arrears_days: int = setting(
        3,
        "arrears",
        "integer",
        "Days allowed in arrears",
        "An account bought on arrears may connect for so many days after its old expiry.",
        minimum=0,
        maximum=365,
        unit="days",
    )
    arrears_cancel_days: int = setting(
        1,
        "arrears",
        "integer",
        "Days to cancel arrears",
        "Arrears can be cancelled until so many days after the old expiry; later only by a role with the higher right.",
        minimum=0,
        maximum=365,
        unit="days",
    )
    # Opening accounts
    install_fee: Decimal = setting(  # noqa: RUF009
        _NO_FEE,
        "opening",
        "money",
        "Installation fee",
        "Proposed when an account is opened.",
        minimum=0,
        maximum=1_000_000,
    )
    open_without_plan: bool = setting(
        False,
        "opening",
        "switch",
        "Accounts may be opened without a plan",
        "Such an account cannot connect until it buys one.",
    )
    first_login_timing: bool = setting(
        False,
        "opening",
        "switch",
        "Start timing at the first login",
        "Proposed for new accounts: the period begins when the subscriber first connects.",
    )
    bind_mac_at_first_login: bool = setting(
        False,
        "opening",
        "switch",
        "Bind the MAC at first login",
        "New accounts learn the MAC address of their first connection.",
    )
    bind_vlan_at_first_login: bool = setting(
        False,
        "opening",
        "switch",
        "Bind the interface or VLAN at first login",
        "New accounts learn the interface of their first connection.",
    )
    bind_nas_address_at_first_login: bool = setting(
        False,
        "opening",
        "switch",
        "Bind the router's address at first login",
        "New accounts learn the address of the router of their first connection.",
    )
    bind_nas_at_first_login: bool = setting(
        False,
        "opening",
        "switch",
        "Bind the router at first login",
        "New accounts learn the identifier of the router of their first connection.",
    )
    required_fields: tuple[str, ...] = setting(
        (),
        "opening",
        "names",
        "Required fields",
        "Fields that staff must fill when they open an account.",
        choices=ACCOUNT_FIELDS,
    )
    # Records and privacy
    log_retention_days: int = setting(
        1095,
        "records",
        "integer",
        "Keep logs",
        "Operation and login logs are kept so long.",
        minimum=180,
        maximum=3650,
        unit="days",
    )
    session_retention_days: int = setting(
        365,
        "records",
        "integer",
        "Keep session history",
        "Ended sessions are kept so long; usage per day is kept for ever.",
        minimum=180,
        maximum=3650,
        unit="days",
    )
    refused_retention_days: int = setting(
        30,
        "records",
        "integer",
        "Keep refused logins",
        "Refused packets are kept so long.",
        minimum=1,
        maximum=365,
        unit="days",
    )


CATALOGUE: Final[dict[str, Setting]] = {
    f.name: Setting(key=f.name, default=f.default, **f.metadata["setting"]) for f in fields(TenantSettings)
}
DEFAULTS: Final = TenantSettings()
