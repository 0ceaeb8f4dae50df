"""Every setting of a provider does something: a field without an effect is worse than none (TEN-9)."""

import re
from pathlib import Path

from tenants.registry.settings import CATALOGUE

ROOT = Path(__file__).parents[2]
# Names of files that a provider cannot upload yet; they have no field on the settings page.
WAITING = {"logo", "login_background"}


def test_every_setting_is_read_somewhere() -> None:
    words: set[str] = set()
    for folder in ("infra", "tenants", "portals", "workers", "radius_cluster", "migrations"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in (".py", ".html", ".sql") and path.name != "settings_catalogue.py":
                words |= set(re.findall(r"\w+", path.read_text("utf-8")))
    assert set(CATALOGUE) - words - WAITING == set()
