"""Settings: what is read, what is refused, and that .env.example tells the truth."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from infra.settings import PREFIX, Settings, SettingsError

ROOT = Path(__file__).resolve().parents[3]


def example() -> dict[str, str]:
    lines = (ROOT / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))


def test_example_lists_each_setting_once_and_nothing_else() -> None:
    assert sorted(example()) == sorted(PREFIX + field.name.upper() for field in fields(Settings))


def test_example_shows_the_defaults() -> None:
    assert Settings.from_env(example()) == Settings()


def test_values_are_read_with_their_types() -> None:
    settings = Settings.from_env(
        {"BROADLOOM_DATA_DIR": "/srv/data", "BROADLOOM_WEB_PORT": " 8080 ", "BROADLOOM_DEMO": "0"}
    )
    assert (settings.data_dir, settings.web_port, settings.demo) == (Path("/srv/data"), 8080, False)


def test_other_variables_are_not_ours() -> None:
    assert Settings.from_env({"HOME": "/home/a", "BROADLOOM_BIND": ""}) == Settings()


@pytest.mark.parametrize(
    ("name", "value", "hint"),
    [
        ("WEB_PROT", "1", "unknown"),
        ("WEB_PORT", "http", "whole number"),
        ("WEB_PORT", "70000", "between 1 and 65535"),
        ("WEB_PORT", "0", "between 1 and 65535"),
        ("RADIUS_ACCT_PORT", "1812", "must differ"),
        ("RADSEC_PORT", "8000", "must differ"),
        ("WEB_PROCESSES", "0", "1 to 64"),
        ("BIND", "localhost", "not an IP address"),
        ("DEMO", "maybe", "1 or 0"),
        ("SECRET_KEY", "short", "at least 32"),
        ("LOG_LEVEL", "loud", "debug, info"),
        ("LOG_FORMAT", "xml", "text or json"),
        ("LANGUAGE", "fr", "en or zh"),
        ("DATABASE_URL", "mysql://x", "postgresql://"),
        ("REDIS_URL", "http://x", "redis://"),
        ("SMTP_URL", "mail.example", "smtp://"),
        ("CELL_DATABASE_URLS", "east", "name=postgresql://"),
    ],
)
def test_wrong_values_are_refused_by_one_sentence_that_names_the_setting(name: str, value: str, hint: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.from_env({PREFIX + name: value})
    sentence = str(caught.value)
    assert PREFIX + name in sentence
    assert hint in sentence
    assert "\n" not in sentence


def test_the_secret_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "new")
    key = settings.require_secret_key()
    assert len(key) >= 32
    assert settings.require_secret_key() == key
    assert (tmp_path / "new" / "secret_key").stat().st_mode & 0o777 == 0o600
