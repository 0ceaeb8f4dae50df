"""What `broadloom up` shows of the demonstration tenants."""

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True, slots=True)
class Login:
    """One line of the box: who logs in where."""

    what: str
    address: str
    user: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoFacts:
    """Logins to print, and a subscriber whose Access-Request proves that RADIUS answers."""

    logins: list[Login] = field(default_factory=list)
    radius_user: str = ""
    radius_password: str = ""
    nas_identifier: str = ""
    nas_secret: str = ""

    def as_json(self) -> str:
        """One line, for the process that shows it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "DemoFacts":
        """Read what :meth:`as_json` wrote."""
        data = json.loads(text)
        return cls(**{**data, "logins": [Login(**login) for login in data["logins"]]})
