"""One file per command of the command line; how they are found stands in portals/cli.py."""
