"""What stands around every page of a portal: menu, search, person. Each portal builds its own from these values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Blueprint

Space = Literal["base", "tenant"]


@dataclass(frozen=True, slots=True)
class NavChild:
    """An entry beneath a menu entry; ``right`` "" shows it to everybody."""

    label: Any
    endpoint: str
    right: str = ""


@dataclass(frozen=True, slots=True)
class NavEntry:
    """A menu entry (at most nine, with at most six children); ``jump`` is the letter after ``g``."""

    key: str
    label: Any
    icon: str
    endpoint: str
    jump: str = ""
    right: str = ""
    children: Sequence[NavChild] = ()


@dataclass(frozen=True, slots=True)
class Frame:
    """The frame of one request. Addresses are ready-made; "" leaves the thing out."""

    brand: str
    title: str = ""  # what the browser's window is called behind the page's own title; "" = the brand
    nav: Sequence[NavEntry] = ()
    foot: Sequence[NavEntry] = ()
    home_url: str = ""
    brand_note: str = ""
    search_url: str = ""
    search_hint: str = ""
    person: str = ""
    person_note: str = ""
    person_links: Sequence[tuple[str, str, str]] = ()  # (label, address, icon)
    logout_url: str = ""
    bell_url: str = ""
    bell_count: int = 0
    neutral: bool = False  # the platform's own grey accent, so that nobody mistakes it for a tenant
    accent: str = ""  # the tenant's colour "#0b6670"; "" = ours
    layout: str = "layouts/app.html"


@dataclass(frozen=True, slots=True)
class Giver:
    """Somebody who can give a missing right, for the 403 page."""

    name: str
    note: str = ""
    phone: str = ""


@dataclass(frozen=True, slots=True)
class NearMatch:
    """Something that looks like what was not found, for the 404 page; ``state`` is an account state or ""."""

    title: str
    url: str
    note: str = ""
    state: str = ""


def _nobody(_right: str) -> Sequence[Giver]:
    return ()


def _nothing_near(_path: str) -> Sequence[NearMatch]:
    return ()


@dataclass(frozen=True, slots=True)
class Portal:
    """One portal, as ``portals/<name>/portal.py`` hands it to the application.

    ``space`` says where it lives: "base" on the installation's own address, "tenant" beneath every tenant's address.
    ``realm`` names the kind of person who signs in ("" nobody); ``load`` turns a remembered login into that person, or
    None when it counts no more.
    """

    blueprint: Blueprint
    space: Space
    url_prefix: str = ""
    realm: str = ""
    load: Callable[[Any], Any] | None = None
    login_endpoint: str = ""
    home_endpoint: str = ""
    frame: Callable[[], Frame] | None = None
    right_label: Callable[[str], str] = str
    givers: Callable[[str], Sequence[Giver]] = _nobody
    near_matches: Callable[[str], Sequence[NearMatch]] = _nothing_near
    more: dict[str, Any] = field(default_factory=dict)


def visible(entries: Sequence[NavEntry], may: Callable[[str], bool]) -> list[NavEntry]:
    """The entries a person may open, each with the children he may open; an entry leads to the first child left."""
    kept = []
    for entry in entries:
        children = [child for child in entry.children if not child.right or may(child.right)]
        allowed = not entry.right or may(entry.right)
        if entry.children and not children and not allowed:
            continue
        if not entry.children and not allowed:
            continue
        endpoint = entry.endpoint if allowed else children[0].endpoint
        kept.append(NavEntry(entry.key, entry.label, entry.icon, endpoint, entry.jump, entry.right, children))
    return kept
