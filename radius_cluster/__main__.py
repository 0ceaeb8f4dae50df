"""``python -m radius_cluster``: one process of the RADIUS cluster, until SIGTERM."""

import signal
import sys

import structlog

from infra.errors import ServersError
from infra.log import configure
from infra.servers import resolve
from infra.settings import Settings, SettingsError
from radius_cluster.node import Node


def main() -> int:
    """Exit codes: 0 stopped as asked, 1 cannot serve, 2 wrong settings."""
    try:
        settings = Settings.from_env()
        servers = resolve(settings)
    except SettingsError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    except ServersError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    configure(settings, "radius")
    follow_parent()
    import uvloop

    async def serve() -> None:
        await Node(settings, servers).run()

    try:
        uvloop.run(serve())
    except OSError as error:
        structlog.get_logger(__name__).error("radius_cannot_listen", error=str(error))
        return 1
    return 0


def follow_parent() -> None:
    """End when the parent ends, also by kill -9: the supervisor's restart must find the ports free."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGTERM, 0, 0, 0)  # PR_SET_PDEATHSIG


if __name__ == "__main__":
    sys.exit(main())
