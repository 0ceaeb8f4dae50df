"""The web application for a WSGI server: ``gunicorn wsgi:app``."""

from infra.log import configure
from infra.settings import Settings
from portals.app import create_app

settings = Settings.from_env()
configure(settings, "web")
app = create_app(settings)
