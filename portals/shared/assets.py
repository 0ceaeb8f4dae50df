"""Static files: content-hash addresses that never change their meaning, so browsers keep them for ever.

Everything is small and fixed, so each process compresses a file once and serves it from memory.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from mimetypes import guess_type
from pathlib import Path

from flask import Flask, Response, abort, request
from markupsafe import Markup, escape

from portals.shared.access import public

STATIC = Path(__file__).parent / "static"
PREFIX = "/static"
_IMMUTABLE = "public, max-age=31536000, immutable"
_SERVED = {".css", ".js", ".svg", ".png", ".ico", ".txt"}
_SMALLEST_GZIP_OCTETS = 1024  # below this the header costs more than is saved
_ICONS = frozenset((STATIC / "icons.txt").read_text().split())


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is sent."""

    digest: str
    mimetype: str
    plain: bytes
    packed: bytes


@lru_cache(maxsize=64)
def _read(name: str, _changed_ns: int) -> Asset:
    plain = (STATIC / name).read_bytes()
    mimetype = guess_type(name)[0] or "application/octet-stream"
    # mtime=0: the same file has the same bytes on every machine
    return Asset(hashlib.sha256(plain).hexdigest()[:12], mimetype, plain, gzip.compress(plain, 9, mtime=0))


def asset(name: str) -> Asset:
    """The file ``static/<name>``. Raises :class:`FileNotFoundError`."""
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or path.suffix not in _SERVED or not path.is_file():
        raise FileNotFoundError(name)
    return _read(name, path.stat().st_mtime_ns)


def asset_url(name: str) -> str:
    """Address of a static file; the same in every tenant, so that it is fetched once."""
    return f"{PREFIX}/{asset(name).digest}/{name}"


def icon(name: str, css: str = "") -> Markup:
    """An icon of the sprite, decoration only: what it means stands beside it or in the ``aria-label`` of its button."""
    if name not in _ICONS:
        raise LookupError(f'the icon "{name}" is not in portals/shared/static/icons.txt')
    address = f"{asset_url('icons.svg')}#{name}"
    return Markup('<svg class="ti {}" aria-hidden="true"><use href="{}"></use></svg>').format(escape(css), address)


def _send(digest: str, name: str) -> Response:
    try:
        found = asset(name)
    except FileNotFoundError:
        abort(404)
    packed = "gzip" in request.headers.get("Accept-Encoding", "") and len(found.plain) >= _SMALLEST_GZIP_OCTETS
    response = Response(found.packed if packed else found.plain, mimetype=found.mimetype)
    response.headers["Vary"] = "Accept-Encoding"
    if packed:
        response.headers["Content-Encoding"] = "gzip"
    # An old page may ask for a file that has changed since: it gets the present one, but must not keep it so named.
    response.headers["Cache-Control"] = _IMMUTABLE if digest == found.digest else "no-cache"
    return response


def pack_page(response: Response) -> Response:
    """Compress a page. Cookies are SameSite=Lax, so no foreign site can make the guesses that BREACH needs."""
    fits = response.status_code != 204 and not response.direct_passthrough and not response.is_streamed
    if not fits or "Content-Encoding" in response.headers or "gzip" not in request.headers.get("Accept-Encoding", ""):
        return response
    if response.mimetype not in ("text/html", "application/json", "text/csv", "text/plain"):
        return response
    body = response.get_data()
    if len(body) >= _SMALLEST_GZIP_OCTETS:
        response.set_data(gzip.compress(body, 5, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    response.headers.add("Vary", "Accept-Encoding")
    return response


def init_assets(app: Flask) -> None:
    """Serve the files and give templates ``asset_url`` and ``icon``."""
    app.add_url_rule(f"{PREFIX}/<digest>/<path:name>", "asset", public(_send))
    app.after_request(pack_page)
    app.jinja_env.globals.update(asset_url=asset_url, icon=icon)
