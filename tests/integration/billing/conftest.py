"""What the tests of shared units of work begin with."""

import pytest

from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tests.fixtures.billing import Counter


@pytest.fixture
def month(database: Database, shop: TenantRef) -> int:
    with tenant_scope(database, shop) as scope:
        return Counter(scope).plan("2M month")


@pytest.fixture
def accounts(database: Database, shop: TenantRef) -> list[int]:
    """Five with a month from 31 January on."""
    with tenant_scope(database, shop) as scope:
        counter = Counter(scope)
        return [counter.open("2M month", "2026-01-31 10:00:00") for _ in range(5)]
