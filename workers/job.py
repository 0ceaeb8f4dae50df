"""What makes a function a job: the context it works with, a log line, and a rule when to try again.

A job is called with JSON values only, the tenant's id first if it has one. It may run twice and be killed anywhere:
whatever it does, it does in its unit of work, or names it by an id that the other side knows.
"""

import functools
import time
from collections.abc import Callable
from typing import Concatenate, ParamSpec, TypeVar

import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import DBAPIError

from tenants.kernel.errors import BusinessError
from workers.context import Context, context

LOG = structlog.get_logger(__name__)
P = ParamSpec("P")
R = TypeVar("R")

TRIES = 3
FIRST_PAUSE_SECONDS = 0.2
# serialization_failure, deadlock_detected, lock_not_available; the server going down or not accepting yet
_TRANSIENT_STATES = {"40001", "40P01", "55P03", "57P01", "57P02", "57P03", "53300"}


def is_transient(error: Exception) -> bool:
    """Whether the same work may succeed a moment later. Decided by the error's type, never by its text."""
    if isinstance(error, DBAPIError):
        return error.connection_invalidated or getattr(error.orig, "sqlstate", None) in (*_TRANSIENT_STATES, None)
    if isinstance(error, BusinessError):
        return error.retryable
    return isinstance(error, RedisConnectionError)


def platform_job(function: Callable[Concatenate[Context, P], R]) -> Callable[P, R]:
    """A job of the installation: ``function(context, …)`` becomes ``job(…)``; it opens what it needs itself."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        return _attempt(lambda: function(context(), *args, **kwargs), function.__name__)

    return run


def _attempt(once: Callable[[], R], name: str) -> R:
    started = time.monotonic()
    for number in range(1, TRIES + 1):
        try:
            result = once()
        except Exception as error:
            if number == TRIES or not is_transient(error):
                LOG.error("job_failed", job=name, tries=number, error=f"{type(error).__name__}: {error}")
                raise
            LOG.warning("job_tried_again", job=name, tries=number, error=type(error).__name__)
            time.sleep(FIRST_PAUSE_SECONDS * 4 ** (number - 1))
        else:
            milliseconds = round((time.monotonic() - started) * 1000)
            LOG.debug("job_done", job=name, milliseconds=milliseconds, result=result)
            return result
    raise AssertionError("unreachable")
