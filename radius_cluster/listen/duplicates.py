"""Requests of the last seconds and their answers (RFC 5080, 2.2.2): a repeat gets the same answer and does nothing."""

from collections import deque
from typing import Any, Final

KEEP_SECONDS: Final = 5.0
_TICK_SECONDS: Final = 0.5
_MOST_ENTRIES: Final = 40_000  # some 13 MB; beyond, the oldest go early

# Whoever asked, and the 20 octets of the header: code, identifier, length and Request Authenticator. The identifier
# alone would drop valid packets where thousands of sessions share 256 of them. One text, not a tuple of several things:
# what is kept of each packet is nothing that the collector has to look at.
Key = bytes


def mark_of(source: tuple[Any, ...]) -> bytes:
    """How keys of requests from there begin."""
    return repr(source).encode()


class Duplicates:
    """``answers`` maps a key to the reply, or to None while the request is being worked on."""

    __slots__ = ("_current", "_ticks", "answers")

    def __init__(self) -> None:
        self.answers: dict[Key, bytes | None] = {}
        self._ticks: deque[tuple[float, list[Key]]] = deque()
        self._current: list[Key] = []

    def begin(self, key: Key) -> None:
        """Note a request that is being worked on."""
        self.answers[key] = None
        self._current.append(key)

    def tick(self, now: float, most: int = 20_000) -> None:
        """Close the current list and forget what is older than the time kept; call every half second.

        At most ``most`` entries go at once, so that packets do not wait for it.
        """
        if self._current:
            self._ticks.append((now, self._current))
            self._current = []
        answers = self.answers
        while self._ticks and most > 0:
            closed_at, keys = self._ticks[0]
            if now - closed_at < KEEP_SECONDS and len(answers) <= _MOST_ENTRIES:
                return
            for key in keys[:most]:
                answers.pop(key, None)
            if len(keys) > most:
                del keys[:most]
                return
            most -= len(keys)
            self._ticks.popleft()

    tick_seconds = _TICK_SECONDS
