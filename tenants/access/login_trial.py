"""A login that is only tried: what staff ask, and what a router would have been answered (SUB-10, RAD-3).

The cluster decides it in a program of its own (``python -m radius_cluster.trial``); these two travel there and back.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

PAP, CHAP, MSCHAPV2 = "pap", "chap", "mschapv2"
METHODS: Final = (PAP, CHAP, MSCHAPV2)


@dataclass(frozen=True, slots=True)
class LoginTrial:
    """One login. ``password`` None: the stored one; ``mac`` and ``port`` "": the router does not tell them."""

    tenant_id: int
    nas_id: int
    username: str
    method: str
    password: str | None = None
    mac: str = ""
    port: str = ""

    def to_json(self) -> str:
        """For the program."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "LoginTrial":
        """In the program."""
        return LoginTrial(**json.loads(text))


@dataclass(frozen=True, slots=True)
class TrialAnswer:
    """What the router would have got.

    ``reason``: a code of reasons.py; with ``accepted`` why the login was led to the place for such accounts, which may
    also be ``expiring``.
    ``attributes``: (name, tag, value). ``effects``: (code, detail) of what a real login would have had done besides:
    ``disconnect_oldest`` and ``disconnect_redialled`` with the session's address, ``bind`` with device and port,
    ``activate``.
    """

    accepted: bool
    reason: str
    attributes: tuple[tuple[str, int, str], ...]
    effects: tuple[tuple[str, str], ...]

    def to_json(self) -> str:
        """From the program."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> "TrialAnswer":
        """What the program printed."""
        found = json.loads(text)
        attributes = tuple((name, tag, value) for name, tag, value in found["attributes"])
        return TrialAnswer(
            found["accepted"], found["reason"], attributes, tuple((code, detail) for code, detail in found["effects"])
        )


Try = Callable[[LoginTrial], TrialAnswer]
