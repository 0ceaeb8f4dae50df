"""``python -m radius_cluster.radsec``: serves routers that speak RADIUS over TLS, until SIGTERM."""

import sys

from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.program import run_program
from radius_cluster.radsec.server import RadsecServer


async def serve(settings: Settings, servers: Servers) -> None:
    """Answer connections until the process is asked to stop."""
    await RadsecServer(settings, servers).run()


def main() -> int:
    """Exit codes: 0 stopped as asked, 1 cannot serve, 2 wrong settings."""
    return run_program("radsec", serve)


if __name__ == "__main__":
    sys.exit(main())
