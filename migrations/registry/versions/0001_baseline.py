"""The shared schemas as they were first frozen: aaa and work in every cell, registry in the main one."""

from alembic.operations import Operations

from migrations.scripts import read_sql, run_script

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade(op: Operations, *, main_cell: bool) -> None:
    """Revisions get their operations as an argument: alembic's own ``op`` is one per process, and we run in threads."""
    run_script(op.get_bind(), read_sql("baseline/cluster.sql"))
    if main_cell:
        run_script(op.get_bind(), read_sql("baseline/registry.sql"))
