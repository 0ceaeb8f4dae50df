"""Log lines of all processes: one line per event on standard output, as text or JSON, never with a secret in it.

Where a tenant is bound (``infra.tenant_scope``), each line carries it.
"""

import logging
import sys
from collections.abc import Mapping, MutableMapping
from io import TextIOBase
from typing import Any, TextIO

import structlog

from infra.settings import Settings

REDACTED = "***"
_SECRET_WORDS = (
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "cookie",
    "api_key",
    "private_key",
    "credential",
)


class _Present(TextIOBase):
    """Whatever ``sys.stdout`` or ``sys.stderr`` is when a line is written.

    Loggers live as long as the process and keep their stream; somebody who puts another one in its place (a test, a
    command that collects its output) must not leave them with a closed one.
    """

    def __init__(self, name: str) -> None:
        self._name = name

    def write(self, text: str) -> int:
        return int(getattr(sys, self._name).write(text))

    def flush(self) -> None:
        getattr(sys, self._name).flush()


def configure(settings: Settings, process_name: str, stream: TextIO | None = None) -> None:
    """Set up structlog and the standard library's logging of this process; call once at start.

    Lines go to standard output; commands, whose output is their result, give standard error as ``stream``.
    """
    target: Any = stream
    if stream is None or stream is sys.stdout or stream is sys.stderr:
        target = _Present("stderr" if stream is not None and stream is sys.stderr else "stdout")
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _naming(process_name),
        structlog.processors.format_exc_info,
        redact_secrets,
    ]
    renderer = structlog.processors.JSONRenderer(ensure_ascii=False) if settings.log_format == "json" else render_text
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(target),
        cache_logger_on_first_use=True,
    )
    # Libraries (gunicorn, rq, sqlalchemy) log through the standard library; their lines take the same shape.
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared[:-1], structlog.stdlib.PositionalArgumentsFormatter(), redact_secrets],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)


def redact_secrets(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace the values of keys that name a secret, also inside mappings."""
    for key, value in event.items():
        event[key] = _redacted(key, value)
    return event


def render_text(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """One readable line: time, level, event, then key=value; an exception follows on its own lines."""
    fields = dict(event)
    instant = str(fields.pop("timestamp", ""))[11:23]
    level = str(fields.pop("level", "info"))
    message = str(fields.pop("event", ""))
    fields.pop("process", None)  # the supervisor's prefix says it
    exception = fields.pop("exception", None)
    pairs = " ".join(f"{key}={_quoted(value)}" for key, value in sorted(fields.items()))
    line = " ".join(part for part in (instant, level.ljust(7), _one_line(message), pairs) if part)
    return f"{line}\n{exception}" if exception else line


def _naming(process_name: str) -> structlog.typing.Processor:
    def add_process_name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("process", process_name)
        return event

    return add_process_name


def _redacted(key: str, value: Any) -> Any:
    if any(word in key.lower() for word in _SECRET_WORDS):
        return REDACTED
    if isinstance(value, Mapping):
        return {inner: _redacted(str(inner), item) for inner, item in value.items()}
    return value


def _quoted(value: Any) -> str:
    text = _one_line(str(value))
    return f'"{text}"' if " " in text or text == "" else text


def _one_line(text: str) -> str:
    # A user name from a packet must not forge a log line.
    return (
        text.replace("\\", "\\\\").replace("\r", "\\r").replace("\n", "\\n") if "\n" in text or "\r" in text else text
    )
