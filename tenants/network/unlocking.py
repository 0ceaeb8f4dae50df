"""Somebody who was locked out for guessing may try again (RAD-9): what portals tell the processes of the cluster."""

import json
from dataclasses import dataclass
from typing import Final

CHANNEL: Final = "broadloom_unlock"


@dataclass(frozen=True, slots=True)
class Unlocked:
    """The login name from the device at the router; "" is the device with any name, b"" a router that names none."""

    tenant_id: int
    nas_id: int
    username: str
    device: bytes

    def announcement(self) -> str:
        """For NOTIFY."""
        return json.dumps([self.tenant_id, self.nas_id, self.username, self.device.hex()])

    @staticmethod
    def heard(text: str) -> "Unlocked":
        """What was announced. Raises ValueError, TypeError."""
        tenant_id, nas_id, username, device = json.loads(text)
        if not (isinstance(tenant_id, int) and isinstance(nas_id, int) and isinstance(username, str)):
            raise TypeError("not what is announced here")
        return Unlocked(tenant_id, nas_id, username, bytes.fromhex(device))
