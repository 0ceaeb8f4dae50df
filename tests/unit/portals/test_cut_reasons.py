"""Every reason for which a router is asked to end or change a session has a word on the pages."""

import ast
from collections.abc import Iterator
from pathlib import Path

from portals.shared.words import CUT_REASONS

ROOT = Path(__file__).parents[3]
# Who asks routers, and at which place the reason stands.
ASKING = {
    "SessionRequest": 2,
    "disconnect_account": 2,
    "disconnect_accounts": 2,
    "disconnect_profile": 2,
    "disconnect_begun_after": 2,
    "emit_for_sessions": 3,
}


def reasons_asked() -> Iterator[str]:
    for path in (ROOT / "tenants").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            found: list[ast.expr] = []
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ASKING:
                found = node.args[ASKING[node.func.id] :][:1]
            elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Attribute):
                found = [node.value] if node.targets[0].attr == "disconnect" else []
            yield from (one.value for one in found if isinstance(one, ast.Constant) and isinstance(one.value, str))


def test_every_reason_has_a_word() -> None:
    asked = set(reasons_asked())
    assert {"renewed", "outside_window", "reversed", "held", "deleted"} <= asked
    assert asked - set(CUT_REASONS) == set()
