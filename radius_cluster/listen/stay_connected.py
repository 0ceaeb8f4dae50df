"""The one way in which a process keeps a connection to the registry that it reads in the background."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, Final

import structlog

from radius_cluster.listen.database import LONGEST_IN_BACKGROUND_SECONDS, connect

LOG = structlog.get_logger(__name__)
_FIRST_WAIT_SECONDS: Final = 0.1
_LONGEST_WAIT_SECONDS: Final = 2.0


async def stay_connected(url: str, name: str, serve: Callable[[Any], Awaitable[None]], unreachable: str) -> None:
    """Call ``serve`` with a connection, and with a new one whenever that ends or fails; until cancelled.

    Whatever the cause, the packet path goes on with what it has: a failure is logged as ``unreachable`` and tried again
    after a wait, which doubles as long as connections end as soon as they are made.
    """
    wait = _FIRST_WAIT_SECONDS
    while True:
        began = time.monotonic()
        try:
            connection = await connect(url, name, LONGEST_IN_BACKGROUND_SECONDS)
            try:
                await serve(connection)
            finally:
                connection.terminate()
        except asyncio.CancelledError:
            raise
        except Exception as error:
            LOG.warning(unreachable, error=f"{type(error).__name__}: {error}")
        if time.monotonic() - began > _LONGEST_WAIT_SECONDS:
            wait = _FIRST_WAIT_SECONDS
        await asyncio.sleep(wait)
        wait = min(wait * 2, _LONGEST_WAIT_SECONDS)
