"""The operation log tells everything that is recorded in words (STF-6)."""

import re
from pathlib import Path

from portals.admin.log_words import ACTIONS, FAMILIES
from tests.fixtures.radius import REPOSITORY

RECORDED = re.compile(r'(?:action=|_record\(scope, |record_account\(scope, account, )"([a-z_]+\.[a-z_-]+)"')
OPERATION = re.compile(r'perform\(scope, "([a-z-]+)"')
PLATFORM = {"sign_up.delete", "platform.change_password"}  # in the platform's own log


def recorded() -> set[str]:
    found: set[str] = set()
    for path in (REPOSITORY / "tenants").rglob("*.py"):
        text = Path(path).read_text("utf-8")
        found |= set(RECORDED.findall(text)) | {f"account.{name}" for name in OPERATION.findall(text)}
    return found - PLATFORM


def test_every_action_has_a_word() -> None:
    assert len(recorded()) > 40
    assert recorded() - set(ACTIONS) == set()


def test_the_log_can_be_narrowed_to_what_staff_do_most() -> None:
    assert set(FAMILIES) <= {action.partition(".")[0] for action in ACTIONS}
