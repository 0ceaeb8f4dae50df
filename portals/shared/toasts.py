"""What happened, said once at the foot of the next page, with what one may want next (receipt, undo)."""

from dataclasses import asdict, dataclass
from typing import Any

from flask import flash, get_flashed_messages


@dataclass(frozen=True, slots=True)
class ToastAction:
    """A button of a toast: a link, or with ``post`` a form sent to ``url``."""

    label: str
    url: str
    icon: str = ""
    post: bool = False


def toast(text: str, *actions: ToastAction, bad: bool = False) -> None:
    """Say ``text`` on the next page shown."""
    flash({"text": text, "actions": [asdict(action) for action in actions], "bad": bad}, "toast")  # type: ignore[arg-type]


def toasts() -> list[dict[str, Any]]:
    """What is to be said now; asked for once by the layout."""
    return [
        said if isinstance(said, dict) else {"text": str(said), "actions": [], "bad": False}
        for said in get_flashed_messages()
    ]
