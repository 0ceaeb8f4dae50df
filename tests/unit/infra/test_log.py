"""Log lines: readable, one per event, no secrets."""

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest
import structlog

from infra import log
from infra.settings import Settings


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = handlers
    root.setLevel(level)


def test_secrets_are_hidden_at_any_depth() -> None:
    event = log.redact_secrets(
        None, "info", {"nas_secret": "s3", "form": {"Password": "p", "name": "li"}, "user": "li"}
    )
    assert event == {"nas_secret": "***", "form": {"Password": "***", "name": "li"}, "user": "li"}


def test_a_line_of_json_carries_process_and_tenant(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="json"), "radius")
    with structlog.contextvars.bound_contextvars(tenant="blue"):
        structlog.get_logger().info("login", user="li")
    line = json.loads(capsys.readouterr().out)
    assert {
        "event": "login",
        "process": "radius",
        "tenant": "blue",
        "user": "li",
        "level": "info",
    }.items() <= line.items()


def test_libraries_log_in_the_same_shape(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_format="json"), "web")
    logging.getLogger("gunicorn").warning("slow %s", "worker")
    assert json.loads(capsys.readouterr().out)["event"] == "slow worker"


def test_levels_below_the_setting_are_silent(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(log_level="warning"), "web")
    structlog.get_logger().info("quiet")
    assert capsys.readouterr().out == ""


def test_a_value_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(Settings(), "radius")
    structlog.get_logger().info("refused", user="li\n12:00:00 info accepted")
    assert len(capsys.readouterr().out.splitlines()) == 1


def test_a_logger_outlives_the_stream_that_stood_in_for_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = io.StringIO(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", first)
    log.configure(Settings(), "test", stream=sys.stderr)
    logger = structlog.get_logger()
    logger.warning("before")
    first.close()
    monkeypatch.setattr(sys, "stderr", second)
    logger.warning("after")
    assert "after" in second.getvalue()
