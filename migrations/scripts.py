"""The SQL files of this package, and how a script of many statements is sent in one round trip."""

import hashlib
import re
from functools import cache
from pathlib import Path

from sqlalchemy.engine import Connection

FOLDER = Path(__file__).parent
SCHEMA_PLACEHOLDER = "__schema__"
BASELINE_REVISION = "0001"
# A trigger function of tenants: its name and its body
TENANT_FUNCTION = re.compile(
    r"^CREATE FUNCTION " + SCHEMA_PLACEHOLDER + r"\.([a-z_0-9]+)\(.*?AS \$\$(.*?)\$\$;$", re.MULTILINE | re.DOTALL
)


@cache
def read_sql(relative_path: str) -> str:
    """One SQL file of this package."""
    return (FOLDER / relative_path).read_text(encoding="utf-8")


def read_folder(relative_path: str) -> list[str]:
    """All SQL files of a folder in the order of their names."""
    return [path.read_text(encoding="utf-8") for path in sorted((FOLDER / relative_path).glob("*.sql"))]


def baseline_digest() -> str:
    """Changes whenever a frozen baseline changes, but for its functions, which are renewed by themselves."""
    return _digest(TENANT_FUNCTION.sub("", "\n".join(_baselines())))


def digest_with_functions() -> str:
    """What was noted before functions were renewed by themselves."""
    return _digest("\n".join(_baselines()))


def _baselines() -> list[str]:
    return [read_sql(f"baseline/{name}.sql") for name in ("cluster", "registry", "tenant")]


def _digest(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


def run_script(connection: Connection, sql: str) -> None:
    """Send a whole script as one simple query: one round trip, inside the connection's transaction."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()  # the driver's own cursor: no parameters, so % stays %
    try:
        cursor.execute(sql)
    finally:
        cursor.close()
