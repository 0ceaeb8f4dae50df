"""The roles that every new tenant starts with: names in its language, rights as a careful ISP would give them."""

from dataclasses import dataclass
from typing import Final

from tenants.staff.permissions import ALL, CATALOGUE

OWNER_ROLE = "owner"


@dataclass(frozen=True, slots=True)
class BuiltInRole:
    """``code`` is stable; the tenant may change name and rights of all but the owner's."""

    code: str
    name_en: str
    name_zh: str
    permissions: frozenset[str]


_SENSITIVE = frozenset(p.code for group in CATALOGUE for p in group.permissions if p.sensitive)
_ADMINISTRATION = frozenset(p.code for group in CATALOGUE if group.code == "administration" for p in group.permissions)
_EVERYDAY = ALL - _SENSITIVE - _ADMINISTRATION
_VIEWS = frozenset(code for code in ALL if code.endswith(".view"))
_CASHIER = frozenset(
    code
    for code in _EVERYDAY
    if code.split(".")[0] in ("accounts", "op", "pay", "online", "refused", "orders", "receipts", "workorders", "files")
) | {
    "money.view",
    "plans.view",
    "regions.view",
    "nas.view",
    "messages.send",
    "messages.view",
    "op.cancel_arrears",
    "op.reverse",
}

ROLES: Final[tuple[BuiltInRole, ...]] = (
    BuiltInRole(OWNER_ROLE, "Owner", "管理员", ALL),
    BuiltInRole(
        "manager",
        "Manager",
        "营业经理",
        ALL - {"staff.add", "staff.edit", "staff.delete", "backups.manage", "api.manage"},
    ),
    BuiltInRole(
        "cashier", "Cashier", "收费员", _CASHIER - {"accounts.open_batch", "accounts.export", "workorders.delete"}
    ),
    BuiltInRole(
        "technician",
        "Technician",
        "安装维护员",
        frozenset(
            """
            accounts.view accounts.edit accounts.test_login op.unbind op.reset_password online.view online.kick
            online.clear refused.view refused.unlock packets.watch nas.view nas.add nas.edit nas.secret regions.view
            pools.view pools.edit plans.view workorders.view workorders.add workorders.progress files.upload
            """.split()  # noqa: SIM905
        ),
    ),
    BuiltInRole(
        "support",
        "Customer service",
        "客服",
        (_VIEWS - _ADMINISTRATION)
        | {
            "accounts.test_login",
            "op.reset_password",
            "op.unbind",
            "online.kick",
            "refused.unlock",
            "workorders.add",
            "messages.send",
        },
    ),
    BuiltInRole("viewer", "Viewer", "只读", _VIEWS),
)


def usual_rights(code: str) -> frozenset[str]:
    """What a built-in role has in a new tenant; nothing for roles of a tenant's own."""
    return next((role.permissions for role in ROLES if role.code == code), frozenset())
