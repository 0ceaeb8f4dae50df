"""For developers: freeze the baselines of the database."""

import click

from portals.commands._output import emit


@click.group()
def command() -> None:
    """Work on Broadloom itself."""


@command.command("freeze-baseline")
def freeze_baseline() -> None:
    """Write migrations/baseline/*.sql from the models; a test keeps them equal."""
    from migrations.freeze import freeze

    changed = freeze()
    emit({"changed": changed}, f"Changed: {', '.join(changed)}." if changed else "Nothing changed.")
