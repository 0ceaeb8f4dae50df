"""The rest of issue 3's "Bad input, named" at the command line: a stable code, one sentence, nothing booked."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest

from infra.db import Database
from infra.tenant_scope import tenant_scope
from tenants.billing.settle import Settle, settle
from tenants.catalog.delete_plan import delete_plan
from tenants.catalog.find import find_plan
from tenants.registry.directory import find_tenant
from tests.fixtures.accounts import OWNER
from tests.fixtures.command_line import CommandLine

AT = "2015-04-15T12:00:00+08:00"
NOW = ("--now", "2015-04-20T10:00:00+08:00")


class Shop:
    """One tenant with a plan for every refusal."""

    def __init__(self, cli: CommandLine, database: Database) -> None:
        self.cli, self.database = cli, database
        facts = ("--name", "Acme", "--email", "a@acme.example", "--password", "long-enough-7391")
        cli("tenant", "create", "--slug", "acme", *facts)
        cli("region", "add", "--tenant", "acme", "--name", "East")
        for name, more in {
            "month": (),
            "hidden": ("--hidden",),
            "for new ones": ("--usage", "new"),
            "in the east": ("--regions", "East"),
            "deleted": (),
        }.items():
            words = ("--group", "2M", "--name", name, "--kind", "month", "--price", "50", "--up", "2M", "--down", "2M")
            cli("plan", "add", "--tenant", "acme", *words, *more)

    def beside(self, deed: Callable[[Any], Any]) -> None:
        with tenant_scope(self.database, find_tenant(self.database, "acme")) as scope:
            deed(scope)

    def open(self, name: str, plan: str = "month", *more: str) -> None:
        words = ("--username", name, "--password", "secret1", "--plan", plan, "--now", AT)
        self.cli("account", "open", "--tenant", "acme", *words, *more)

    def op(self, operation: str, account: str, *more: str) -> Any:
        return self.cli("op", operation, "--tenant", "acme", "--account", account, *more)

    def refused(self, operation: str, account: str, *more: str) -> str:
        """The code; nothing of the account and no order may have changed."""

        def seen() -> tuple[Any, Any]:
            shown = self.cli("account", "show", "--tenant", "acme", account, *NOW)
            return shown, self.cli("ledger", "check", "--tenant", "acme")

        before = seen()
        error = self.cli.refused("op", operation, "--tenant", "acme", "--account", account, *more)
        assert seen() == before
        assert error["message"].strip().endswith((".", "。"))
        return error["code"]


@pytest.fixture
def shop(cli: CommandLine, fresh_database: Database) -> Shop:
    return Shop(cli, fresh_database)


def test_plans_that_may_not_be_sold(shop: Shop) -> None:
    shop.open("u")
    shop.beside(lambda scope: delete_plan(scope, find_plan(scope, "deleted").id, actor=OWNER, now=_at(AT)))
    for plan, code in {
        "hidden": "plan_not_for_sale",
        "for new ones": "plan_not_for_use",
        "in the east": "plan_not_in_region",
        "deleted": "plan_not_found",
    }.items():
        assert shop.refused("buy", "u", "--plan", plan, *NOW) == code
        assert shop.refused("change-plan", "u", "--plan", plan, *NOW) == code
    shop.op("buy", "u", "--plan", "hidden", "--as", "owner", *NOW)  # the owner may


def test_states_in_which_nothing_can_be_done(shop: Shop) -> None:
    for name in ("closed", "held", "disabled", "never"):
        shop.open(name)
    shop.open("waiting", "month", "--start", "first-login")
    shop.op("close", "closed", *NOW)
    shop.op("hold", "held", *NOW)
    shop.op("disable", "disabled", *NOW)
    shop.op("never-expires", "never", *NOW)
    for account, code in {
        "closed": "account_closed",
        "held": "account_held",
        "disabled": "account_disabled",
        "never": "account_never_expires",
        "waiting": "account_not_activated",
    }.items():
        assert shop.refused("buy", account, "--plan", "month", *NOW) == code
        assert shop.refused("hold", account, *NOW) == code  # held: a second time


def test_methods_of_gateways_cards_and_agents_are_not_for_staff(shop: Shop) -> None:
    shop.open("u")
    for method in ("online", "wallet", "card", "", "CASH"):
        assert shop.refused("buy", "u", "--plan", "month", "--method", method, *NOW) == "bad_method"
        assert shop.refused("top-up", "u", "--amount", "5", "--method", method, *NOW) == "bad_method"


def test_an_account_without_a_plan_only_where_the_settings_allow_it(shop: Shop) -> None:
    words = ("account", "open", "--tenant", "acme", "--username", "u", "--password", "secret1", "--now", AT)
    assert shop.cli.refused(*words)["code"] == "no_plan"
    shop.cli("settings", "set", "--tenant", "acme", "open_without_plan", "on")
    assert shop.cli(*words)["plan"] is None
    assert shop.refused("hold", "u", *NOW) == "no_plan"
    assert shop.op("buy", "u", "--plan", "month", *NOW)["account"]["expires_at"] == "2015-05-20T10:00:00+08:00"


def test_instants_beyond_the_calendar(shop: Shop) -> None:
    shop.open("u")
    for year in ("0001", "1969", "2200", "9999"):
        assert shop.refused("buy", "u", "--plan", "month", "--now", f"{year}-01-01T00:00:00") == "usage"
        assert shop.refused("manual", "u", "--expires-at", f"{year}-01-01T00:00:00", *NOW) == "usage"
    assert shop.refused("manual", "u", "--expires-at", "2101-01-01", *NOW) == "bad_expiry"
    shop.op("never-expires", "u", *NOW)
    for end in ("2100-01-01", "2101-01-01", "2015-04-20T09:59:59+08:00"):
        assert shop.refused("never-expires", "u", "--off", "--expires-at", end, *NOW) == "bad_expiry"


def test_orders_that_cannot_be_reversed(shop: Shop) -> None:
    shop.open("u")
    first = shop.op("buy", "u", "--plan", "month", *NOW)["order"]["number"]
    last = shop.op("top-up", "u", "--amount", "20", "--now", "2015-04-20T10:10:00+08:00")["order"]["number"]
    soon = ("--now", "2015-04-20T10:20:00+08:00")
    assert shop.refused("reverse", "u", "--order", first, *soon, "--as", "owner") == "not_latest_order"
    assert shop.refused("reverse", "u", "--now", "2015-04-20T11:10:01+08:00") == "reversal_window_over"
    assert shop.refused("reverse", "u", "--now", "2015-04-20T23:00:01+08:00") == "reversal_window_over"
    shop.beside(
        lambda scope: settle(
            scope, Settle(0, _at("2015-04-20T10:15:00+08:00")), actor=OWNER, now=_at("2015-04-20T10:15:00+08:00")
        )
    )
    assert shop.refused("reverse", "u", "--order", last, *soon, "--as", "owner") == "order_settled"


def test_settings_out_of_their_range(shop: Shop) -> None:
    before = shop.cli("settings", "list", "--tenant", "acme")
    for key, value in {
        "timezone": "Mars/Base",
        "not_a_change_seconds": "-1",
        "bind_original_group": "perhaps",
        "auto_difference": "2",
        "difference_only": "",
        "difference_rounding": "tens",
        "downgrade_credit": "maybe",
        "reversal_seconds": "31622401",
        "reversal_cutoff_hour": "24",
        "arrears_days": "366",
        "arrears_cancel_days": "1.5",
        "unified_expiry_hour": "-1",
        "install_fee": "1.234",
    }.items():
        error = shop.cli.refused("settings", "set", "--tenant", "acme", key, value)
        assert (key, error["code"]) == (key, "bad_setting")
    assert shop.cli.refused("settings", "set", "--tenant", "acme", "colour", "1")["code"] == "unknown_setting"
    assert shop.cli("settings", "list", "--tenant", "acme") == before


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)
