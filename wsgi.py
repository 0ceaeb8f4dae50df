"""The web application for a WSGI server: ``gunicorn wsgi:app``."""

import gc

from infra.log import configure
from infra.settings import Settings
from portals.app import create_app

settings = Settings.from_env()
configure(settings, "web")
app = create_app(settings)
gc.collect()
gc.freeze()  # what is loaded now stays: looking it all through again would keep everybody waiting for 0.1 s
