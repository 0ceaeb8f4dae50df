"""How many wishes of each router are in hand: one with a long queue, or that says nothing, must not take all the room
(RAD-5). What there is no room for stays in the outbox until its router's turn comes. Pure."""

from typing import Final

_MOST_OF_A_ROUTER: Final = 1_000
_SECONDS_IN_HAND: Final = 2.0  # what a router takes meanwhile is in hand already
_FEWEST_IN_HAND: Final = 10
_LOOKED_AT_AGAIN_SECONDS: Final = 30.0  # at the latest: its pace may be changed
_KEEP_ORDER_SECONDS: Final = 0.001


class Turns:
    """Of one process. Instants are ``time.monotonic()``."""

    def __init__(self) -> None:
        self._in_hand: dict[int, int] = {}
        self._free_at: dict[int, float] = {}  # when the last of those that were sent away may come again

    def wait(self, nas_id: int, rate: float, now: float) -> float:
        """Seconds until there is room for a wish, behind those that were sent away before; 0.0: it may be taken now."""
        if self._in_hand.get(nas_id, 0) < max(_FEWEST_IN_HAND, min(_MOST_OF_A_ROUTER, rate * _SECONDS_IN_HAND)):
            return 0.0
        at = max(self._free_at.get(nas_id, 0.0), now + _SECONDS_IN_HAND / 2)
        at += 1 / rate if at - now < _LOOKED_AT_AGAIN_SECONDS else _KEEP_ORDER_SECONDS
        self._free_at[nas_id] = at
        return at - now

    def take(self, nas_id: int) -> None:
        """One more is in hand."""
        self._in_hand[nas_id] = self._in_hand.get(nas_id, 0) + 1

    def ended(self, nas_id: int) -> None:
        """One that was in hand is over."""
        left = self._in_hand[nas_id] - 1
        if left:
            self._in_hand[nas_id] = left
        else:
            del self._in_hand[nas_id]
            self._free_at.pop(nas_id, None)
