"""Answers to htmx, which fetches pieces of pages; without JavaScript the same views answer with whole pages."""

from flask import Response, make_response, redirect, request


def is_fragment() -> bool:
    """Whether htmx asks for a piece of a page."""
    return request.headers.get("HX-Request") == "true"


def redirect_after(url: str) -> Response:
    """Go on to ``url`` after a form was done: by htmx's own header, else as 303 (so that reload sends nothing)."""
    if is_fragment():
        return Response(status=200, headers={"HX-Redirect": url})
    return make_response(redirect(url, 303))
