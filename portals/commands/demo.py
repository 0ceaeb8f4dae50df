"""Demonstration and test data."""

import click

from portals.commands._demo_fill import fill


@click.group()
def command() -> None:
    """Fill tenants with made-up data."""


command.add_command(fill)
