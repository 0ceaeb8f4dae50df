"""Random stories with fixed seeds: the product does what the reference does, with daylight saving time and without.

For new stories as long as one likes: ``python -m tests.reference.billing SEED SECONDS``.
"""

from collections.abc import Callable

import pytest

from infra.db import Database
from infra.tenant_scope import TenantRef, tenant_scope
from tests.reference.billing.shop import furnish
from tests.reference.billing.stock import ZONES
from tests.reference.billing.story import Tally, tell

_STORIES, _STEPS = 9, 30


@pytest.mark.parametrize("zone", ZONES)
def test_stories_are_booked_as_the_rules_say(
    make_tenant: Callable[..., TenantRef], database: Database, zone: str
) -> None:
    tenant, tally = make_tenant(timezone=zone), Tally()
    with tenant_scope(database, tenant) as scope:
        names = furnish(scope)
    for number in range(_STORIES):
        with tenant_scope(database, tenant) as scope:
            tell(scope, names, f"kept-{number}", _STEPS, tally)
            scope.rollback()  # the next story begins with the same shop
    assert (tally.stories, tally.steps) == (_STORIES, _STORIES * _STEPS)
    assert min(tally.booked, tally.refused) > tally.steps / 4
