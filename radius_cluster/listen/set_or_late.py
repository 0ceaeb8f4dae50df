"""How a background task waits for an event, but not for ever."""

import asyncio


async def set_or_late(event: asyncio.Event, seconds: float) -> bool:
    """Wait until ``event`` is set or ``seconds`` have passed; whether it is set.

    Not ``asyncio.wait_for``: before Python 3.12 that one loses a cancellation that comes in the moment in which the
    event is set, and a task told to end would go on.
    """
    try:
        async with asyncio.timeout(seconds):
            return await event.wait()
    except TimeoutError:
        return False
