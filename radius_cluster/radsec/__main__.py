"""``python -m radius_cluster.radsec``: serves routers that speak RADIUS over TLS, until SIGTERM."""

import sys

import structlog

from infra.errors import ServersError
from infra.log import configure
from infra.servers import resolve
from infra.settings import Settings, SettingsError
from radius_cluster.__main__ import follow_parent


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
    configure(settings, "radsec")
    follow_parent()
    import uvloop

    from radius_cluster.radsec.server import RadsecServer

    async def serve() -> None:
        await RadsecServer(settings, servers).run()

    try:
        uvloop.run(serve())
    except OSError as error:
        structlog.get_logger(__name__).error("radsec_cannot_listen", error=str(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
