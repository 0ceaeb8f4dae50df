"""What browsers are sent is used: no icon, class or template that no page asks for."""

import re
from functools import cache
from pathlib import Path

PORTALS = Path(__file__).parents[2] / "portals"
STATIC = PORTALS / "shared" / "static"
# Put together by macros: a status' colour, a pill's tone.
COMPOSED = ("st-", "pill-")
CLASS = re.compile(r"\.([a-zA-Z][\w-]*)(?=[^{}]*\{)")


@cache
def asked_for() -> frozenset[str]:
    """Every word of the pages, of the views and of the script."""
    words: set[str] = set()
    for path in PORTALS.rglob("*"):
        if path.suffix in (".html", ".py") or path.name == "broadloom.js":
            words |= set(re.findall(r"[\w-]+", path.read_text("utf-8")))
    return frozenset(words)


def test_icons() -> None:
    names = (STATIC / "icons.txt").read_text("utf-8").split()
    assert names == sorted(set(names))
    assert re.findall(r'<symbol id="([\w-]+)"', (STATIC / "icons.svg").read_text("utf-8")) == names
    assert set(names) - asked_for() == set()


def test_classes() -> None:
    sheet = re.sub(r"/\*.*?\*/", "", (STATIC / "broadloom.css").read_text("utf-8"), flags=re.DOTALL)
    unused = {name for name in CLASS.findall(sheet) if not name.startswith(COMPOSED)} - asked_for()
    assert unused == set()


def test_templates() -> None:
    everything = "".join(path.read_text("utf-8") for suffix in ("html", "py") for path in PORTALS.rglob(f"*.{suffix}"))
    names = {path.as_posix().partition("/templates/")[2] for path in PORTALS.glob("**/templates/**/*.html")}
    assert {name for name in names if name not in everything} == set()
