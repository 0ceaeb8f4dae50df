"""Fixtures of all tests; each group lives in a file of tests/fixtures."""

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
    "tests.fixtures.coa_port",
    "tests.fixtures.whole_way",
]
