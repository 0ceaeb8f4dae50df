"""Pages for what went wrong: what happened, why, what to do now; the code comes last and small. Never a stack trace."""

from typing import Any

import structlog
from flask import Flask, Response, g, make_response, render_template, request
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DataError, InternalError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError

from infra.errors import ServersError
from portals.shared.errors import error_text
from portals.shared.frame import NearMatch
from portals.shared.i18n import _
from portals.shared.login import current_portal, portal_of_path, visitor
from tenants.kernel.errors import BusinessError, Forbidden, NotFound
from tenants.registry.errors import TenantSuspended

_READ_ONLY = "25006"  # SQLSTATE: a standby, or a database whose disk an administrator protects
_log = structlog.get_logger()


class ObjectNotFound(HTTPException):
    """404 for a thing that is not there, with what looks like it: ``raise ObjectNotFound(_("No account x"), near)``."""

    code = 404

    def __init__(self, sentence: str, near: list[NearMatch] | None = None) -> None:
        super().__init__(sentence)
        self.near = near


def _texts(code: int) -> tuple[str, str, str]:
    """(icon, title, sentence) for a status."""
    if code == 400:
        return "alert-circle", _("This request cannot be understood"), _("Go back, reload the page and try again.")
    if code == 403:
        return "lock", _("You may not do this"), _("Your role does not include it.")
    if code == 404:
        return "search-off", _("There is nothing here"), _("The address may be mistyped, or what was here is gone.")
    if code == 405:
        return "hand-stop", _("This address cannot be opened like this"), _("Go back and use the button on the page.")
    if code == 409:
        return "alert-triangle", _("This was not done"), _("Nothing has changed.")
    if code == 413:
        return "file", _("The file is too large"), _("At most 16 MB can be sent at once.")
    if code == 429:
        return "hourglass", _("Too many attempts"), _("Wait a minute, then try again.")
    if code == 503:
        return "plug-x", _("The service is not ready"), _("It is starting or being repaired. Try again in a minute.")
    return "tool", _("Something broke on our side"), _("It has been written down. Nothing was booked; try again.")


def _page(code: int, sentence: str = "", title: str = "", **more: Any) -> Response:
    icon_name, usual_title, usual_sentence = _texts(code)
    values = {
        "code": code,
        "icon_name": icon_name,
        "title": title or usual_title,
        "sentence": sentence or usual_sentence,
        "request_id": getattr(g, "request_id", ""),
        **more,
    }
    if request.headers.get("HX-Request") == "true":
        response = make_response(render_template("errors/part.html", **values), code)
        # What was to be replaced keeps its place, the explanation is a panel; a page refreshing itself says nothing.
        response.headers["HX-Retarget"] = "#panel"
        response.headers["HX-Reswap"] = "none" if getattr(g, "is_background", False) else "innerHTML"
        return response
    return make_response(render_template("errors/page.html", **values), code)


def _on_http_error(error: HTTPException) -> Response:
    if isinstance(error, InternalServerError) and isinstance(error.original_exception, OperationalError):
        return _on_server_away(error.original_exception)  # at the commit, after the view
    code = error.code or 500
    if error.response is not None and code < 400:
        return make_response(error.response)
    if isinstance(error, CSRFError):
        title = _("This form has expired")
        return _page(400, _("Open the page again and send the form once more; nothing was booked."), title)
    if code == 403:
        return _forbidden(getattr(g, "missing_right", ""))
    if code == 404:
        return _missing(error)
    return _page(code)


def _forbidden(right: str) -> Response:
    portal, person = current_portal(), visitor()
    if not right or portal is None or person is None:
        return _page(403)
    label = portal.right_label(right)
    sentence = _(
        "The missing right is: %(right)s. Your role, %(role)s, does not include it.", right=label, role=person.note
    )
    return _page(403, sentence, _("You may not do this yet"), givers=list(portal.givers(right)), right=right)


def _missing(error: HTTPException) -> Response:
    if getattr(g, "space", "") == "unknown":
        return _page(404, _("No provider has this address. Check how it is spelled."), _("There is no such provider"))
    near = getattr(error, "near", None)
    if isinstance(error, ObjectNotFound):
        return _page(404, _("It may be mistyped, or it was deleted."), str(error.description), near=near or [])
    portal = current_portal() or portal_of_path()
    if portal is not None and visitor() is not None:
        near = list(portal.near_matches(request.path))
    return _page(404, near=near or [])


def _on_refusal(error: BusinessError) -> Response:
    if isinstance(error, Forbidden):
        return _forbidden(str(error.params.get("permission", "")))
    if isinstance(error, TenantSuspended):
        return _suspended(str(error.params.get("reason", "")))
    if isinstance(error, NotFound):
        return _page(404, _("It may be mistyped, or it was deleted."), error_text(error).rstrip(".。"))
    return _page(409, error_text(error))


def _suspended(reason: str) -> Response:
    title = _("These pages are closed at the moment")
    if reason:
        return _page(403, _("The platform suspended them: %(reason)s Get in touch with it.", reason=reason), title)
    return _page(403, _("They open again when your provider has settled it. Call your provider."), title)


def _on_unstorable(error: DataError) -> Response:
    """A number or a character that no column can hold. Forms check theirs: only a mistyped address gets so far."""
    _log.warning("asked for what cannot be stored", path=request.path, method=request.method, exc_info=error)
    g.crashed = True  # the transaction is broken
    return _page(404 if request.method in ("GET", "HEAD") else 400)


def _on_crash(error: Exception) -> Response:
    _log.error("request failed", path=request.path, method=request.method, exc_info=error)
    g.crashed = True  # the page must not ask the database for the frame
    return _page(500)


def _on_server_away(error: Exception) -> Response:
    # Not where it happened: that is every page, and writing it down for each would be the next thing to hang.
    reason = str(getattr(error, "orig", error)).strip()
    _log.error("a server is away", path=request.path, method=request.method, reason=reason)
    if request.method in ("GET", "HEAD"):
        return _unavailable()
    # A connection that was lost may have carried a commit. Only the form's own key makes sure of it, so it stays.
    if "key" not in request.form:
        return _unavailable(_("Whether what you sent was stored is not known: look in a minute, then send it again."))
    sentence = _(
        "Whether this was booked is not known. Send the same again in a minute: it is booked once, never twice."
    )
    return _unavailable(sentence, again=list(request.form.items(multi=True)))


def _on_broken_rule(error: InternalError) -> Response:
    if getattr(error.orig, "sqlstate", "") != _READ_ONLY:
        return _on_crash(error)
    _log.error("the database is read-only", path=request.path, method=request.method)
    title = _("Nothing can be changed at the moment")
    return _unavailable(_("The database can only be read. Pages open as ever; try again in a minute."), title)


def _unavailable(sentence: str = "", title: str = "", **more: Any) -> Response:
    g.crashed = True  # the page must not ask the database for the frame
    response = _page(503, sentence, title, **more)
    response.headers["Retry-After"] = "10"
    return response


def init_error_pages(app: Flask) -> None:
    """Answer every failure with a page of ours."""
    app.register_error_handler(HTTPException, _on_http_error)
    app.register_error_handler(BusinessError, _on_refusal)
    app.register_error_handler(OperationalError, _on_server_away)
    app.register_error_handler(InternalError, _on_broken_rule)
    app.register_error_handler(DataError, _on_unstorable)
    app.register_error_handler(ServersError, _on_server_away)
    app.register_error_handler(Exception, _on_crash)
