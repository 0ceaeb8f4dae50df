"""Demonstration and test data."""

import click

from portals.commands._demo_ensure import ensure_demo
from portals.commands._demo_fill import fill

__all__ = ["command", "ensure_demo"]


@click.group()
def command() -> None:
    """Fill tenants with made-up data."""


command.add_command(fill)
