"""Keyset paging: a page begins after a row, not at a number: page 20,000 costs what page 1 costs (looks.md, "Lists").

A cursor is opaque text for a URL. It holds the sort values of the row it points at, and the direction.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, literal, select, tuple_
from sqlalchemy.orm import Session

Row = TypeVar("Row")
Other = TypeVar("Other")
COUNT_LIMIT = 10_000  # a list says "more than 10,000" instead of counting a million rows for one line of text


@dataclass(frozen=True, slots=True)
class Total:
    """How many rows a list holds; ``exact`` is false when there are more than :data:`COUNT_LIMIT`."""

    number: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """One page of a list; the cursors are empty at its ends."""

    rows: tuple[Row, ...]
    next: str = ""
    previous: str = ""
    total: Total | None = None

    def of(self, kind: Callable[..., Other], total: Total | None = None) -> "Page[Other]":
        """The same page with its rows as values: ``kind`` takes a row's columns by name."""
        return Page(tuple(kind(**row._mapping) for row in self.rows), self.next, self.previous, total)  # type: ignore[attr-defined]


def encode_cursor(values: Sequence[Any], *, backwards: bool = False) -> str:
    """The sort values of a row as text for a URL."""
    texts = [v.isoformat() if isinstance(v, date) else str(v) for v in values]
    packed = base64.urlsafe_b64encode(json.dumps(texts, ensure_ascii=False).encode()).decode().rstrip("=")
    return ("p" if backwards else "n") + packed


def decode_cursor(cursor: str, types: Sequence[type]) -> tuple[bool, tuple[Any, ...]] | None:
    """(backwards, values), or None for "" and for text that no list gave out (it then shows its first page)."""
    if cursor[:1] not in ("n", "p"):
        return None
    try:
        texts = json.loads(base64.urlsafe_b64decode(cursor[1:] + "=" * (-len(cursor[1:]) % 4)))
        values = tuple(_typed(text, kind) for text, kind in zip(texts, types, strict=True))
    except (ValueError, TypeError, ArithmeticError, binascii.Error):
        return None
    return cursor[0] == "p", values


def _typed(text: str, kind: type) -> Any:
    if kind is datetime:
        return datetime.fromisoformat(text)
    if kind is date:
        return date.fromisoformat(text)
    if kind is Decimal:
        value = Decimal(text)
        if not value.is_finite():
            raise ValueError(text)
        return value
    return kind(text)


def fetch_page(
    session: Session,
    statement: Select[*tuple[Any, ...]],
    *,
    keys: Sequence[Any],
    cursor: str = "",
    size: int = 50,
    descending: bool = False,
) -> Page[Any]:
    """Fetch one page of ``statement`` (without ORDER BY), sorted by ``keys``, all in one direction and none nullable.

    The statement selects the keys under their own names; together they are unique.
    """
    types = [key.type.python_type for key in keys]
    position = decode_cursor(cursor, types)
    backwards = position is not None and position[0]
    down = descending != backwards
    if position is not None:
        here = tuple_(*keys)
        there = tuple_(*(literal(value, key.type) for value, key in zip(position[1], keys, strict=True)))
        statement = statement.where(here < there if down else here > there)
    statement = statement.order_by(*(key.desc() if down else key.asc() for key in keys)).limit(size + 1)
    rows = list(session.execute(statement).all())
    more = len(rows) > size
    rows = rows[:size]
    if backwards:
        rows.reverse()
    has_next = bool(rows) and (more if not backwards else True)
    has_previous = bool(rows) and (position is not None if not backwards else more)
    return Page(
        tuple(rows),
        next=encode_cursor(_key(rows[-1], keys)) if has_next else "",
        previous=encode_cursor(_key(rows[0], keys), backwards=True) if has_previous else "",
    )


def _key(row: Any, keys: Sequence[Any]) -> list[Any]:
    return [getattr(row, key.key) for key in keys]


def count_bounded(session: Session, statement: Select[*tuple[Any, ...]], limit: int = COUNT_LIMIT) -> Total:
    """How many rows ``statement`` has, counting no further than the limit."""
    number = session.execute(select(func.count()).select_from(statement.limit(limit + 1).subquery())).scalar_one()
    return Total(min(number, limit), number <= limit)
