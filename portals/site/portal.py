"""The public site as the application wants it: no login of its own."""

from flask import Blueprint

from portals.shared.frame import Frame, Portal

blueprint = Blueprint("site", __name__, template_folder="templates")


def frame() -> Frame:
    """The site draws its own head; the frame carries only the name."""
    return Frame(brand="Broadloom", home_url="/", layout="site/layout.html")


PORTAL = Portal(blueprint=blueprint, space="base", home_endpoint="site.show_landing", frame=frame)

from portals.site import log_in, pages, sign_up, verify  # noqa: E402 - the pages register on the blueprint

__all__ = ["PORTAL", "log_in", "pages", "sign_up", "verify"]
