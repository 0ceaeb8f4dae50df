"""What the deeds for many subscribers are called (the deeds themselves: ``tenants.tasks.account_deeds``)."""

from dataclasses import dataclass
from typing import Any

from portals.shared.i18n import lazy
from tenants.kernel.actor import Actor
from tenants.tasks.account_deeds import DEEDS


@dataclass(frozen=True, slots=True)
class DeedWords:
    """One deed as buttons and pages name it."""

    name: str
    title: Any
    icon: str

    @property
    def fields(self) -> tuple[str, ...]:
        """What it asks for."""
        return DEEDS[self.name].fields


DEED_WORDS = {
    deed.name: deed
    for deed in (
        DeedWords("extend", lazy("Extend the expiry"), "calendar-plus"),
        DeedWords("move", lazy("Move to a region"), "map-pin"),
        DeedWords("kick", lazy("Disconnect"), "plug-x"),
        DeedWords("enable", lazy("Enable"), "check"),
        DeedWords("disable", lazy("Disable"), "ban"),
    )
}


def allowed_deeds(actor: Actor) -> list[DeedWords]:
    """Those that this person may do to many at once."""
    if not actor.may("accounts.bulk"):
        return []
    return [deed for deed in DEED_WORDS.values() if actor.may(DEEDS[deed.name].right)]
