"""The hours of a plan group: add, change, remove; a bad one is refused beside its field (PLN-7)."""

from datetime import time

import pytest

from tenants.catalog.find import find_group
from tenants.catalog.set_windows import windows_of
from tests.fixtures.accounts import sell

NIGHT = {"days": ["4", "5"], "starts": "22:00", "ends": "06:00", "action": "rate", "down": "200M", "up": "50M"}


@pytest.fixture
def group_id(desk) -> int:
    with desk.scope() as scope:
        sell(scope, group="Home")
        return find_group(scope, "Home").id


def shown(desk, group_id: int) -> str:
    """What the page remembers of the first window, to notice that somebody else has changed it."""
    with desk.scope() as scope:
        window = windows_of(scope, group_id)[0]
    span = f"{window.starts:%H:%M}/{window.ends:%H:%M}"
    return f"{window.days}/{span}/{window.action}/{window.rate_profile_id or 0}"


def test_add_change_and_remove(desk, group_id):
    desk.get("/plans/")
    assert f'href="{desk.at}/plan-groups/{group_id}/hours"' in desk.web.last.get_data(as_text=True)
    desk.get(f"/plan-groups/{group_id}/hours")
    assert "this group may connect at any time" in desk.text()
    desk.submit(f"/plan-groups/{group_id}/hours/new", NIGHT)
    assert "Saved the hours of Home." in desk.text()
    assert "Friday, Saturday 22:00 – 06:00 of the next day 200M ↓ 50M ↑" in desk.text()
    opening = {"action": "allow", "starts": "08:00", "ends": "18:00", "was": shown(desk, group_id)}
    desk.submit(f"/plan-groups/{group_id}/hours/1", NIGHT | opening)
    assert "08:00 – 18:00 may connect" in desk.text()
    with desk.scope() as scope:
        [window] = windows_of(scope, group_id)
        assert (window.days, window.starts, window.ends, window.action) == (48, time(8), time(18), "allow")
    gone = {"was": shown(desk, group_id)}
    desk.submit(f"/plan-groups/{group_id}/hours", gone, to=f"/plan-groups/{group_id}/hours/1/drop")
    assert "Removed the hours." in desk.text()
    with desk.scope() as scope:
        assert windows_of(scope, group_id) == []


@pytest.mark.parametrize(
    ("field", "value"), [("starts", "25:00"), ("ends", ""), ("down", "fast"), ("up", ""), ("days", []), ("action", "x")]
)
def test_bad_hours_are_refused_beside_their_field(desk, group_id, field, value):
    answer = desk.submit(f"/plan-groups/{group_id}/hours/new", NIGHT | {field: value})
    assert answer.status_code == 422
    if field != "action":
        assert f'id="f-{field}-note"' in answer.get_data(as_text=True)
    with desk.scope() as scope:
        assert windows_of(scope, group_id) == []


def test_what_somebody_else_has_changed_meanwhile_is_not_overwritten(desk, group_id):
    desk.submit(f"/plan-groups/{group_id}/hours/new", NIGHT)
    answer = desk.submit(f"/plan-groups/{group_id}/hours/1", NIGHT | {"was": "127/00:00/01:00/allow/0"})
    assert answer.status_code == 422
    assert "The group has no such window (any more)." in desk.text()
