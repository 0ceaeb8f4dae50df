"""Guessers are locked out, subscribers are not (RAD-9).

What is locked is a guesser's way in, not the account: the user name *from this device* (or from this router when it
names no device), and a device that fails with many names. So a stranger's guesses never keep the subscriber out, and
somebody who mistyped his own password waits a minute.
"""

from collections import OrderedDict
from typing import Any, Final

from radius_cluster.listen.receive import Request
from radius_cluster.wire.codes import CALLING_STATION_ID

_ATTEMPTS: Final = 10  # wrong passwords of one name from one device within the window
_ATTEMPTS_ANY_NAME: Final = 50  # of any names from one device: somebody tries a list
WINDOW_SECONDS: Final = 60.0
LOCKED_SECONDS: Final = 60.0
_MOST_KEYS: Final = 50_000  # some 15 MB; the oldest are forgotten first

Key = tuple[Any, ...]


class LockOut:
    """Failures of the last minute; per process, which is enough: a router's packets keep coming to the same one."""

    __slots__ = ("anybody",)

    def __init__(self) -> None:
        # key → (failures, when they are forgotten); empty nearly always, which the hot path asks first
        self.anybody: OrderedDict[Key, tuple[int, float]] = OrderedDict()

    def is_locked(self, request: Request, now: float) -> bool:
        """Whether this login is to be refused unseen."""
        failures = self.anybody
        for key, limit in _keys(request):
            found = failures.get(key)
            if found is not None and found[0] >= limit:
                if now < found[1]:
                    return True
                del failures[key]
        return False

    def failed(self, request: Request, now: float) -> None:
        """Note a wrong password."""
        failures = self.anybody
        for key, limit in _keys(request):
            found = failures.pop(key, None)
            count = found[0] + 1 if found is not None and now < found[1] else 1
            until = now + (LOCKED_SECONDS if count >= limit else WINDOW_SECONDS)
            failures[key] = (count, until)
        while len(failures) > _MOST_KEYS:
            failures.popitem(last=False)

    def succeeded(self, request: Request) -> None:
        """A right password forgives the name's earlier mistakes."""
        self.anybody.pop(_name_key(request), None)


def _name_key(request: Request) -> Key:
    device = request.packet.attributes.get(CALLING_STATION_ID, b"")
    return request.nas.id, device, request.user_name


def _keys(request: Request) -> tuple[tuple[Key, int], ...]:
    name = _name_key(request)
    if not name[1]:  # a router that names no devices: only the name can be counted, or one guesser would lock all
        return ((name, _ATTEMPTS),)
    return (name, _ATTEMPTS), (name[:2], _ATTEMPTS_ANY_NAME)
