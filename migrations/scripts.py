"""The SQL files of this package, and how a script of many statements is sent in one round trip."""

import hashlib
from functools import cache
from pathlib import Path

from sqlalchemy.engine import Connection

FOLDER = Path(__file__).parent
SCHEMA_PLACEHOLDER = "__schema__"
BASELINE_REVISION = "0001"


@cache
def read_sql(relative_path: str) -> str:
    """One SQL file of this package."""
    return (FOLDER / relative_path).read_text(encoding="utf-8")


def read_folder(relative_path: str) -> list[str]:
    """All SQL files of a folder in the order of their names."""
    return [path.read_text(encoding="utf-8") for path in sorted((FOLDER / relative_path).glob("*.sql"))]


def baseline_digest() -> str:
    """Changes whenever a frozen baseline changes."""
    texts = [read_sql(f"baseline/{name}.sql") for name in ("cluster", "registry", "tenant")]
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()


def run_script(connection: Connection, sql: str) -> None:
    """Send a whole script as one simple query: one round trip, inside the connection's transaction."""
    if not connection.in_transaction():
        connection.begin()
    cursor = connection.connection.cursor()  # the driver's own cursor: no parameters, so % stays %
    try:
        cursor.execute(sql)
    finally:
        cursor.close()
