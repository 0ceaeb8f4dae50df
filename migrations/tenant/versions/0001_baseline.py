"""A tenant's schema as it was first frozen; tenants are born with it (``provision_schema``)."""

from alembic.operations import Operations

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade(op: Operations, *, schema: str) -> None:
    """Later revisions write unqualified names: the runner sets the search path to ``schema`` for the transaction."""
    raise RuntimeError(f"schema {schema} stands before its baseline; it was not made by provision_schema")
