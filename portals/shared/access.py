"""Who may call a route: every endpoint declares it, a route without a declaration answers nobody (style.md rule 8).

Stand beneath the route's decorator::

    @blueprint.get("/accounts/")
    @requires("accounts.view")
    def list_accounts() -> str: ...
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeVar

from flask import Flask

View = TypeVar("View", bound=Callable[..., object])
_ATTRIBUTE = "broadloom_access"


@dataclass(frozen=True, slots=True)
class Access:
    """``public`` anybody · ``signed_in`` anybody signed in to the portal's realm · ``right`` who has the right."""

    kind: Literal["public", "signed_in", "right"]
    right: str = ""


def public(view: View) -> View:
    """Anybody may call it."""
    return _declare(view, Access("public"))


def signed_in(view: View) -> View:
    """Whoever is signed in to this portal may call it (own data only, no further right)."""
    return _declare(view, Access("signed_in"))


def requires(right: str) -> Callable[[View], View]:
    """Whoever is signed in and has ``right``, such as ``accounts.view``."""
    return lambda view: _declare(view, Access("right", right))


def access_of(app: Flask, endpoint: str) -> Access | None:
    """The declaration of an endpoint, or None when it has none."""
    view = app.view_functions.get(endpoint)
    view = getattr(view, "view_class", view)
    found = getattr(view, _ATTRIBUTE, None)
    return found if isinstance(found, Access) else None


def permission_table(app: Flask) -> Iterator[tuple[str, Access | None]]:
    """Every endpoint with its declaration: what the tests sweep over."""
    for endpoint in sorted(app.view_functions):
        yield endpoint, access_of(app, endpoint)


def _declare(view: View, access: Access) -> View:
    setattr(view, _ATTRIBUTE, access)
    return view
