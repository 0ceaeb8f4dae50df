"""The documentation shows every page at both widths (issue 2), and no picture that nobody takes any more."""

from pathlib import Path

from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from tests.e2e.pictures import AT, NO_PICTURE, SHOTS

FOLDER = Path(__file__).parents[3] / "docs" / "screenshots"


def endpoint_of(adapter: MapAdapter, tenants: MapAdapter, path: str) -> str:
    """The page of an address in the path form."""
    path = path.partition("?")[0]
    inside = path.startswith(f"{AT}/")
    try:
        endpoint, _values = (tenants if inside else adapter).match(path.removeprefix(AT) if inside else path, "GET")
    except HTTPException:
        return ""
    return str(endpoint)


def test_every_page_has_its_pictures(app):
    base, tenants = (app.url_map.bind("localhost", subdomain=space) for space in ("", "tenant"))
    shown = {shot.endpoint or endpoint_of(base, tenants, shot.path) for shot in SHOTS}
    pages = {rule.endpoint for rule in app.url_map.iter_rules() if "GET" in (rule.methods or ())}
    assert pages - NO_PICTURE - shown == set()
    assert NO_PICTURE - pages == set()


def test_every_picture_lies_in_the_folder():
    wanted = {f"{shot.name}-{width}.png" for shot in SHOTS for width in (1440, 390)}
    assert {file.name for file in FOLDER.glob("*.png")} == wanted
