"""The list component's state: everything that decides which rows are shown stands in the address (looks.md, "Lists").

A view describes its columns once, reads the state from the request, asks the business for one page of rows and hands
both to the template::

    view = ListView.from_request("accounts", COLUMNS, sorts=("username", "expires_at"), filters=("region", "plan"))
    page = queries.list_accounts(scope, text=view.text, state=view.state, cursor=view.cursor, size=view.size, ...)
    return render_template("admin/accounts.html", view=view, page=page)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol
from urllib.parse import urlencode

from flask import after_this_request, g, request
from werkzeug.wrappers import Response

PAGE_SIZES = (25, 50, 100, 200)
_YEAR_SECONDS = 365 * 24 * 3600
Phone = Literal["title", "right", "plain", "wide", "hidden"]
_PHONE_CLASS: dict[str, str] = {"title": "k", "right": "r", "plain": "", "wide": "w", "hidden": "h"}


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    ``phone`` says where it goes on a card: title, right (state or money), plain (at most two), wide, hidden.
    """

    key: str
    label: Any
    sort: str = ""  # name of the sort order, "" = not sortable
    number: bool = False
    money: bool = False  # an amount: right-aligned, the currency's sign once in the head
    mono: bool = False
    phone: Phone = "hidden"
    shown: bool = True  # shown unless the person chose otherwise
    fixed: bool = False  # cannot be hidden
    phone_label: Any = ""

    @property
    def css(self) -> str:
        """Classes of its cells."""
        return " ".join(
            filter(
                None,
                (_PHONE_CLASS[self.phone], "num" if self.number or self.money else "", "mono" if self.mono else ""),
            )
        )


@dataclass(frozen=True, slots=True)
class StateTab:
    """One of the tabs above a list; ``state`` is a dot's name, "" for no dot; ``count`` None when unknown."""

    key: str
    label: Any
    count: int | None = None
    state: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A filter in force, as a removable chip."""

    name: str
    label: str
    value: str


@dataclass(slots=True)
class ListView:
    """What the address asks of a list, and the addresses of its neighbours."""

    name: str
    path: str
    columns: Sequence[Column]
    args: Mapping[str, list[str]]
    sorts: Sequence[str] = ()
    filters: Sequence[str] = ()
    size: int = 50
    chosen: frozenset[str] = frozenset()
    tabs: Sequence[StateTab] = ()
    chips: list[Chip] = field(default_factory=list)

    @classmethod
    def from_request(
        cls,
        name: str,
        columns: Sequence[Column],
        *,
        sorts: Sequence[str] = (),
        filters: Sequence[str] = (),
        size: int = 50,
    ) -> "ListView":
        """Read the state from the present request; remembers chosen columns and page size for the person, or in a
        cookie where a portal keeps nothing about its people."""
        args = {key: request.args.getlist(key) for key in request.args}
        keep, _, kept_size = _remembered(name).partition("/")
        keys = {column.key for column in columns}
        chosen = {key for key in keep.split(".") if key in keys} or {column.key for column in columns if column.shown}
        if "cols" in args and "cols_set" in args:
            chosen = {key for key in args["cols"] if key in keys}
        wanted = (args.get("size") or [kept_size])[0]
        size = int(wanted) if wanted.isascii() and wanted.isdigit() and int(wanted) in PAGE_SIZES else size
        if "cols_set" in args or "size" in args:
            _remember(name, f"{'.'.join(sorted(chosen))}/{size}")
        args.pop("cols", None)
        args.pop("cols_set", None)
        args.pop("lang", None)
        return cls(name, request.script_root + request.path, columns, args, sorts, filters, size, frozenset(chosen))

    def _one(self, key: str) -> str:
        return (self.args.get(key) or [""])[0].strip()[:200]

    @property
    def text(self) -> str:
        """What was typed into the list's search box."""
        return self._one("q")

    @property
    def state(self) -> str:
        """Key of the chosen tab, "" for all."""
        return self._one("state")

    @property
    def sort(self) -> str:
        """Name of the sort order, "-" in front for descending; the first one when none was chosen."""
        wanted = self._one("sort")
        if wanted.removeprefix("-") in self.sorts:
            return wanted
        return self.sorts[0] if self.sorts else ""

    @property
    def cursor(self) -> str:
        """Where the page begins (``infra.keyset``), "" for the first page."""
        return (self.args.get("cursor") or [""])[0][:2000]

    def filter(self, name: str) -> str:
        """Value of a filter, "" when not in force."""
        return self._one(name) if name in self.filters else ""

    @property
    def filtered(self) -> bool:
        """Whether anything narrows the list: an empty one then offers to loosen it."""
        return bool(self.text or self.state or any(self.filter(name) for name in self.filters))

    @property
    def visible(self) -> list[Column]:
        """The columns to show, in order."""
        return [column for column in self.columns if column.fixed or column.key in self.chosen]

    def chip(self, name: str, label: str, value: str) -> None:
        """Show a filter in force as a chip (nothing when it is not in force)."""
        if self.filter(name):
            self.chips.append(Chip(name, label, value))

    def url(self, **changes: Any) -> str:
        """The same list with something changed; a new order or filter starts at the first page."""
        kept = {key: values for key, values in self.args.items() if key not in changes and key != "cursor"}
        pairs = [(key, value) for key, values in kept.items() for value in values if value]
        pairs += [(key, str(value)) for key, value in changes.items() if value not in ("", None)]
        return f"{self.path}?{urlencode(pairs)}" if pairs else self.path

    def elsewhere(self, path: str) -> str:
        """Another address with this list's search, tab, filters and order: what acts on everything it shows."""
        kept = [(k, v) for k, values in self.args.items() if k not in ("cursor", "size") for v in values if v]
        return f"{path}?{urlencode(kept)}" if kept else path

    def cleared_url(self) -> str:
        """The list without search, tab and filters."""
        return self.url(q="", state="", **dict.fromkeys(self.filters, ""))

    def sort_url(self, column: Column) -> str:
        """The list ordered by this column, the other way round when it already is."""
        return self.url(sort=f"-{column.sort}" if self.sort == column.sort else column.sort)

    def sorted_as(self, column: Column) -> str:
        """``ascending``, ``descending`` or "" (for ``aria-sort``)."""
        if not column.sort or self.sort.removeprefix("-") != column.sort:
            return ""
        return "descending" if self.sort.startswith("-") else "ascending"

    def kept_fields(self, *without: str) -> list[tuple[str, str]]:
        """Hidden fields that keep the rest of the state when one of its forms is sent."""
        dropped = {"cursor", *without}
        return [(key, value) for key, values in self.args.items() if key not in dropped for value in values if value]


class ViewMemory(Protocol):
    """Where a portal keeps how its people want their lists; ``g.view_memory`` while one of them is signed in."""

    def read(self, name: str) -> str:
        """What was kept for a list, "" for nothing."""

    def write(self, name: str, value: str) -> None:
        """Keep it."""


def _remembered(name: str) -> str:
    memory: ViewMemory | None = getattr(g, "view_memory", None)
    kept = memory.read(name) if memory is not None else ""
    return kept or request.cookies.get(f"list_{name}", "")


def _remember(name: str, value: str) -> None:
    memory: ViewMemory | None = getattr(g, "view_memory", None)
    if memory is not None:
        if memory.read(name) != value:
            memory.write(name, value)
        return
    secure = request.is_secure

    @after_this_request
    def keep(response: Response) -> Response:
        response.set_cookie(f"list_{name}", value, max_age=_YEAR_SECONDS, samesite="Lax", secure=secure, httponly=True)
        return response
