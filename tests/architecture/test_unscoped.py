"""All places that work across tenants, with their reasons (TEN-6, style.md rule 7). A new one is argued for here."""

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]

PLACES: dict[str, set[str]] = {
    "tenants/network/certificates.py": {
        "find certificates that end soon",
    },
    "tenants/network/cluster_certificate.py": {
        "sign routers' certificates with the installation's authority",
    },
    "tenants/onboarding/delete_sign_up.py": {
        "the platform drops sign-ups",
    },
    "tenants/onboarding/find_login.py": {
        "mail an owner the addresses of his cloud",
    },
    "tenants/onboarding/resend.py": {
        "sign up: send the link again",
    },
    "tenants/onboarding/sign_up.py": {
        "sign up: is this address free?",
        "sign up: there is no tenant yet",
    },
    "tenants/registry/describe.py": {
        "describe tenants to the platform",
    },
    "tenants/network/dynamic_names.py": {
        "ask for the addresses of routers with dynamic names",
    },
    "tenants/registry/directory.py": {
        "find a tenant by slug or id",
        "find the tenant of a domain",
        "list all tenants",
    },
    "tenants/registry/keys.py": {
        "open a tenant's data key outside of its scope",
    },
    "tenants/registry/platform_operators.py": {
        "platform operators belong to no tenant",
    },
    "tenants/registry/platform_password.py": {
        "platform operators belong to no tenant",
    },
    "tenants/registry/prepare.py": {
        "seed the service tiers at start",
    },
    "tenants/registry/support_login.py": {
        "the platform starts and ends support logins",
    },
    "tenants/registry/suspend.py": {
        "the platform suspends and resumes tenants",
    },
    "tenants/reports/queries_attention.py": {
        "the platform console shows what needs attention",
    },
    "tenants/reports/queries_cells.py": {
        "the platform console shows the database cells",
    },
    "tenants/reports/queries_packets.py": {
        "the platform console shows all tenants",
    },
    "tenants/reports/queries_platform.py": {
        "the platform console shows all tenants",
    },
    "tenants/reports/queries_tenant.py": {
        "the platform console shows one tenant",
    },
    "workers/due_clock.py": {
        "hand out effects of committed transactions",
        "see which tenants have due work",
    },
    "workers/heartbeat.py": {
        "heartbeat of a process",
        "sign a process off",
    },
    "workers/jobs/deliver.py": {
        "carry out an outbox row",
        "close an outbox row",
        "put an outbox row back",
    },
    "workers/jobs/sweeps.py": {
        "close stale sessions of all tenants",
        "count open sessions of all tenants",
        "drop old counts and effects of all tenants",
        "find sessions that ought not to be open",
        "forget dead processes",
        "list the tenants of a cell",
        "make partitions of the session history",
        "read every tenant's accounting interval",
        "read every tenant's calendar",
        "seed the upkeep of all tenants",
    },
    "portals/shared/unit_of_work.py": {
        "(argument reason)",
    },
    "portals/site/pages.py": {
        "show the service tiers",
    },
}


def name_of(node: ast.Call) -> str:
    return str(getattr(node.func, "id", getattr(node.func, "attr", "")))


def found_places() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for folder in ("infra", "migrations", "tenants", "radius_cluster", "workers", "portals"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            constants = {
                target.id: node.value.value
                for node in tree.body
                if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            for node in ast.walk(tree):
                if isinstance(node, ast.Call) and name_of(node) in ("unscoped", "platform_session"):
                    reason = next((k.value for k in node.keywords if k.arg == "reason"), None)
                    if reason is None and name_of(node) == "platform_session" and node.args:
                        reason = node.args[0]
                    text = "(computed)"
                    if isinstance(reason, ast.Constant):
                        text = str(reason.value)
                    elif isinstance(reason, ast.Name):
                        text = str(constants.get(reason.id, f"(argument {reason.id})"))
                    found.setdefault(str(path.relative_to(ROOT)), set()).add(text)
    return found


def test_every_unscoped_place_is_listed() -> None:
    found = found_places()
    new = {path: reasons - PLACES.get(path, set()) for path, reasons in found.items()}
    gone = {path: reasons - found.get(path, set()) for path, reasons in PLACES.items()}
    assert {p: r for p, r in new.items() if r} == {}, "work across tenants that is not listed above"
    assert {p: r for p, r in gone.items() if r} == {}, "listed above, but not there any more"
