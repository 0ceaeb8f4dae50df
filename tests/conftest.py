"""Fixtures of all tests; each group lives in a file of tests/fixtures."""

import pytest
from hypothesis import HealthCheck, settings

# The same examples in every run, however slow the machine is just now: a run that fails says what the change before it
# did. To look for new ones: ``pytest --hypothesis-profile=default``.
settings.register_profile(
    "steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow], database=None
)
settings.load_profile("steady")

pytest_plugins = [
    "tests.fixtures.quick_passwords",
    "tests.fixtures.servers",
    "tests.fixtures.database",
    "tests.fixtures.tenants",
    "tests.fixtures.command_line",
    "tests.fixtures.radius",
    "tests.fixtures.radsec",
    "tests.fixtures.billing",
    "tests.fixtures.web",
    "tests.fixtures.browser",
    "tests.fixtures.workers",
    "tests.fixtures.coa_listener",
    "tests.fixtures.coa_port",
    "tests.fixtures.whole_way",
    "tests.fixtures.tcp_relay",
]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the whole installation: it takes a minute by itself, for which the others would wait at the end."""
    items.sort(key=lambda item: not item.path.match("tests/e2e/test_up.py"))
