"""``python -m radius_cluster``: one process of the RADIUS cluster, until SIGTERM."""

import sys

from infra.servers import Servers
from infra.settings import Settings
from radius_cluster.node import Node
from radius_cluster.program import go_first, interrupt_nobody, run_program


async def serve(settings: Settings, servers: Servers) -> None:
    """Answer packets until the process is asked to stop."""
    go_first()
    interrupt_nobody()
    await Node(settings, servers).run()


def main() -> int:
    """Exit codes: 0 stopped as asked, 1 cannot serve, 2 wrong settings."""
    return run_program("radius", serve)


if __name__ == "__main__":
    sys.exit(main())
