"""Every right that code asks for stands in the catalogue (STF-1): a misspelt one locks all but owners out."""

import ast
from collections.abc import Iterator
from pathlib import Path

from tenants.staff.built_in_roles import ROLES
from tenants.staff.permissions import ALL, CATALOGUE

ROOT = Path(__file__).parents[2]
ASKING = {"require", "may", "requires", "visible_if", "giver"}  # functions whose first argument is a right


def rights_in_code() -> Iterator[tuple[str, str]]:
    for folder in ("tenants", "portals", "workers"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(node, ast.Call):
                    continue
                name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                asked = [node.args[0]] if name in ASKING and node.args else []
                asked += [k.value for k in node.keywords if k.arg in ("permission", "right")]
                for value in asked:
                    if isinstance(value, ast.Constant) and isinstance(value.value, str) and "." in value.value:
                        yield str(path.relative_to(ROOT)), value.value


def test_rights_asked_for_exist() -> None:
    unknown = sorted({(path, right) for path, right in rights_in_code() if right not in ALL})
    assert unknown == []


def test_many_rights_are_really_asked_for() -> None:
    """Guards the test itself: if the way of asking changes, the scan above must follow."""
    assert len({right for _path, right in rights_in_code()}) > 30


def test_rights_are_listed_once() -> None:
    codes = [permission.code for group in CATALOGUE for permission in group.permissions]
    assert len(codes) == len(set(codes))


def test_built_in_roles_name_existing_rights() -> None:
    for role in ROLES:
        assert role.permissions <= ALL, role.code
    by_code = {role.code: role.permissions for role in ROLES}
    assert by_code["owner"] == ALL
    assert by_code["viewer"] == {code for code in ALL if code.endswith(".view")}
    assert not by_code["cashier"] & {"op.manual", "op.refund", "settings.edit", "nas.secret", "staff.edit"}
