"""Waiting for an event, but not for ever."""

import asyncio

import pytest

from radius_cluster.listen.set_or_late import set_or_late


def test_says_whether_the_event_was_set_in_time() -> None:
    async def run() -> tuple[bool, bool]:
        event = asyncio.Event()
        late = await set_or_late(event, 0.01)
        event.set()
        return late, await set_or_late(event, 0.0)

    assert asyncio.run(run()) == (False, True)


@pytest.mark.parametrize("turns", range(4))
def test_a_cancellation_is_not_lost_when_the_event_is_set_in_the_same_moment(turns: int) -> None:
    async def forever(event: asyncio.Event) -> None:
        while True:
            await set_or_late(event, 30.0)
            event.clear()

    async def run() -> bool:
        event = asyncio.Event()
        task = asyncio.create_task(forever(event))
        await asyncio.sleep(0)
        event.set()
        for _ in range(turns):  # of the loop between both: whichever step the task has come to
            await asyncio.sleep(0)
        task.cancel()
        done, _ = await asyncio.wait({task}, timeout=1)
        task.cancel()
        return bool(done) and task.cancelled()

    assert asyncio.run(run())
