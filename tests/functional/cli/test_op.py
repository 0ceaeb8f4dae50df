"""``broadloom op …`` as issue 3 writes its contract: every operation, its JSON, its refusals."""

from decimal import Decimal
from typing import Any

import pytest

from tests.fixtures.command_line import CommandLine

AT = "2015-04-15T11:43:12+08:00"


class Counter:
    """One tenant at the command line."""

    def __init__(self, cli: CommandLine) -> None:
        self.cli = cli
        cli(
            "tenant",
            "create",
            "--slug",
            "acme",
            "--name",
            "Acme",
            "--email",
            "a@acme.example",
            "--password",
            "long-enough-7391",
        )
        self.plan("2M month", "month", "50", "2M")
        self.plan("2M quarter", "quarter", "140", "2M")
        self.plan("3M month", "month", "60", "3M")
        self.plan("3M quarter", "quarter", "170", "3M")

    def plan(self, name: str, kind: str, price: str, rate: str, *more: str) -> Any:
        words = ("--group", rate, "--name", name, "--kind", kind, "--price", price, "--up", rate, "--down", rate)
        return self.cli("plan", "add", "--tenant", "acme", *words, *more)

    def setting(self, key: str, value: str) -> None:
        self.cli("settings", "set", "--tenant", "acme", key, value)

    def open(self, name: str, plan: str = "2M month", now: str = AT, *more: str) -> Any:
        words = ("--username", name, "--password", "secret1", "--plan", plan, "--now", now)
        return self.cli("account", "open", "--tenant", "acme", *words, *more)

    def op(self, operation: str, account: str, *more: str) -> Any:
        return self.cli("op", operation, "--tenant", "acme", "--account", account, *more)

    def refused(self, operation: str, account: str, *more: str) -> str:
        return self.cli.refused("op", operation, "--tenant", "acme", "--account", account, *more)["code"]

    def check(self) -> Any:
        return self.cli("ledger", "check", "--tenant", "acme")


@pytest.fixture
def counter(cli: CommandLine) -> Counter:
    return Counter(cli)


def lines(document: Any) -> dict[str, str]:
    return {line["kind"]: line["amount"] for line in document["order"]["lines"]}


def test_the_golden_cases_at_the_command_line(counter: Counter) -> None:
    counter.open("101")
    manual = ("--expires-at", "2015-05-15 11:43:12", "--now", "2015-04-15T11:44:00+08:00")
    assert counter.refused("manual", "101", "--now", AT) == "nothing_to_do"
    assert counter.op("manual", "101", *manual)["order"]["total"] == "0.00"
    g2 = ("--plan", "3M month", "--now", "2015-04-15T11:45:31+08:00")
    would = counter.op("change-plan", "101", *g2, "--dry-run")
    assert would["would"] is True
    assert would["order"]["number"] is None
    done = counter.op("change-plan", "101", *g2)
    assert "would" not in done
    # 29 d 23:57 left: (1.97 - 1.64) * 29 = 9.57 -> 10
    assert lines(done) == {"plan": "60.00", "difference": "10.00"}
    assert (done["order"]["total"], done["account"]["expires_at"]) == ("70.00", "2015-06-15T11:43:12+08:00")
    would["order"]["number"] = done["order"]["number"]
    assert (would["order"], would["account"]) == (done["order"], done["account"])
    back = counter.op("reverse", "101", "--now", "2015-04-15T12:45:31+08:00")
    assert (back["order"]["total"], back["account"]["plan"]) == ("-70.00", "2M month")
    # G4
    counter.op("hold", "101", "--method", "cash", "--now", "2015-04-15T12:50:00+08:00")
    resumed = counter.op("resume", "101", "--now", "2015-04-30T12:50:08+08:00")  # 15 d 8 s
    assert resumed["account"]["expires_at"] == "2015-05-30T11:43:20+08:00"
    assert counter.check()["ok"] is True


def test_G6_G6b_and_G7(counter: Counter) -> None:
    counter.open("g6", now="2015-04-05T00:00:00+08:00")
    arrears = ("--plan", "2M month", "--method", "arrears", "--now", "2015-05-01T09:00:00+08:00")
    document = counter.op("buy", "g6", *arrears)
    assert document["account"]["receivable"] == "50.00"
    assert document["account"]["cut_off_at"] == "2015-05-08T00:00:00+08:00"
    assert counter.refused("cancel-arrears", "g6", "--now", "2015-05-06T00:00:01+08:00") == "arrears_window_over"
    document = counter.op("cancel-arrears", "g6", "--now", "2015-05-06T00:00:01+08:00", "--as", "owner")
    assert document["account"]["expires_at"] == "2015-05-05T00:00:00+08:00"
    assert counter.refused("cancel-arrears", "g6", "--now", "2015-05-06T00:00:02+08:00") == "no_arrears"
    counter.plan("4M month", "month", "40", "4M")
    counter.open("g7", "4M month", "2015-07-28T14:53:59+08:00")
    words = ("--plan", "2M month", "--method", "arrears", "--difference", "10", "--now", "2015-08-05T22:58:28+08:00")
    assert counter.op("change-plan", "g7", *words)["order"]["total"] == "60.00"
    paid = counter.op("pay-arrears", "g7", "--plan", "2M quarter", "--now", "2015-08-06T10:00:00+08:00")
    assert lines(paid) == {"plan": "140.00", "inherited": "10.00"}
    assert paid["account"]["expires_at"] == "2015-11-28T14:53:59+08:00"
    assert counter.check()["ok"] is True


def test_one_key_books_once(counter: Counter) -> None:
    counter.open("k")
    words = ("--plan", "2M month", "--now", "2015-04-20T10:00:00+08:00", "--key", "abc")
    first, again = counter.op("buy", "k", *words), counter.op("buy", "k", *words)
    assert first["order"] == again["order"]
    assert again["account"]["expires_at"] == "2015-06-15T11:43:12+08:00"
    assert counter.refused("buy", "k", *words, "--quantity", "2") == "key_reused"


BAD_INPUT: list[tuple[tuple[str, ...], str]] = [
    (("buy", "--plan", "2M month", "--quantity", "0"), "bad_quantity"),
    (("buy", "--plan", "2M month", "--quantity", "-1"), "bad_quantity"),
    (("buy", "--plan", "2M month", "--quantity", "1000000"), "bad_quantity"),
    (("buy", "--plan", "3M month"), "other_group"),
    (("buy", "--plan", "nothing"), "plan_not_found"),
    (("buy", "--plan", "2M month", "--method", "balance"), "balance_too_short"),
    (("buy", "--plan", "2M month", "--method", "gold"), "bad_method"),
    (("top-up", "--amount", "1.005"), "bad_amount"),
    (("top-up", "--amount", "NaN"), "bad_amount"),
    (("top-up", "--amount", "1000000000000000"), "bad_amount"),
    (("top-up", "--amount", "0"), "bad_amount"),
    (("resume",), "not_held"),
    (("enable",), "not_disabled"),
    (("cancel-arrears",), "no_arrears"),
    (("pay-arrears",), "no_arrears"),
    (("reverse", "--order", "D1"), "order_not_found"),
    (("manual", "--amount", "5", "--method", "arrears"), "bad_method"),
    (("hold", "--fee", "-5"), "bad_amount"),
    (("hold", "--method", "balance"), "bad_method"),  # the fee of a pause is cash
    (("refund", "--method", "arrears"), "bad_method"),
    (("change-plan", "--plan", "2M month"), "same_plan"),
    (("add-pack", "--quota-gb", "5", "--amount", "9"), "pack_needs_quota"),
]


def test_bad_input_books_nothing(counter: Counter) -> None:
    counter.open("bad")
    for (operation, *rest), code in BAD_INPUT:
        found = counter.refused(operation, "bad", *rest, "--now", "2015-04-20T10:00:00+08:00")
        assert found == code, (operation, rest)
    assert counter.check()["orders"] == 1


def test_states_and_instants_that_are_refused(counter: Counter) -> None:
    counter.open("s")
    now = ("--now", "2015-04-20T10:00:00+08:00")
    assert (
        counter.refused("buy", "s", "--plan", "2M month", "--now", "2015-04-01T00:00:00+08:00") == "now_before_account"
    )
    counter.op("hold", "s", *now)
    assert counter.refused("hold", "s", *now) == "account_held"
    assert counter.refused("buy", "s", "--plan", "2M month", *now) == "account_held"
    counter.op("resume", "s", *now)
    counter.op("disable", "s", *now)
    assert counter.refused("buy", "s", "--plan", "2M month", *now) == "account_disabled"
    counter.op("enable", "s", *now)
    counter.op("close", "s", *now)
    assert counter.refused("buy", "s", "--plan", "2M month", *now) == "account_closed"
    counter.open("w", "2M month", AT, "--start", "first-login")
    assert counter.refused("hold", "w", *now) == "account_not_activated"
    assert counter.refused("buy", "nobody", "--plan", "2M month", *now) == "account_not_found"


def test_reversal_windows(counter: Counter) -> None:
    counter.open("r")
    counter.op("buy", "r", "--plan", "2M month", "--now", "2015-04-20T10:00:00+08:00")
    late = ("--now", "2015-04-20T11:00:01+08:00")
    assert counter.refused("reverse", "r", *late) == "reversal_window_over"
    document = counter.op("reverse", "r", *late, "--as", "owner")
    assert document["account"]["expires_at"] == "2015-05-15T11:43:12+08:00"
    counter.setting("reversal_seconds", "86400")
    counter.setting("reversal_cutoff_hour", "12")
    counter.op("buy", "r", "--plan", "2M month", "--now", "2015-04-20T11:30:00+08:00")
    assert counter.refused("reverse", "r", "--now", "2015-04-20T12:00:01+08:00") == "reversal_window_over"


def test_settings_take_effect_at_once(counter: Counter) -> None:
    counter.setting("unified_expiry_hour", "16")
    counter.setting("install_fee", "100")
    opened = counter.open("u", now="2015-04-01T12:10:00+08:00")
    assert opened["expires_at"] == "2015-05-01T16:10:00+08:00"
    counter.setting("difference_only", "true")
    counter.setting("difference_rounding", "cents")
    document = counter.op("change-plan", "u", "--plan", "3M month", "--now", "2015-04-21T12:10:00+08:00")
    assert lines(document) == {"difference": "3.30"}  # 10 d 4 h left: (1.97 - 1.64) * 10
    assert document["account"]["expires_at"] == "2015-05-01T16:10:00+08:00"
    counter.setting("downgrade_credit", "true")
    document = counter.op("change-plan", "u", "--plan", "2M month", "--now", "2015-04-21T12:20:00+08:00")
    assert document["account"]["balance"] == "3.30"
    counter.setting("not_a_change_seconds", "0")
    counter.setting("bind_original_group", "true")
    assert counter.refused("buy", "u", "--plan", "3M month", "--now", "2015-06-01T00:00:00+08:00") == "bound_to_group"


def test_every_kind_of_plan_can_be_sold(counter: Counter) -> None:
    ends = {
        "day": "2015-04-16T11:43:12+08:00",
        "week": "2015-04-22T11:43:12+08:00",
        "half-year": "2015-10-15T11:43:12+08:00",
        "year": "2016-04-15T11:43:12+08:00",
        "prepaid-month": "2015-05-15T11:43:12+08:00",
        "natural-day": "2015-04-16T00:00:00+08:00",
        "natural-month": "2015-05-01T00:00:00+08:00",
        "traffic": "2015-05-15T11:43:12+08:00",
        "hours": "2015-05-15T11:43:12+08:00",
        "hours-per-day": "2015-05-15T11:43:12+08:00",
        "hours-per-month": "2015-05-15T11:43:12+08:00",
        "traffic-per-day": "2015-05-15T11:43:12+08:00",
        "traffic-per-month": "2015-05-15T11:43:12+08:00",
    }
    for kind, end in ends.items():
        quota = ["--quota-gb", "10"] if "traffic" in kind else ["--quota-hours", "2"] if "hours" in kind else []
        validity = ["--validity-days", "30"] if kind in ("traffic", "hours") else []
        counter.plan(kind, kind, "30", "1M", *quota, *validity)
        opened = counter.open(f"of-{kind}", kind)
        assert opened["expires_at"] == end, kind
    packed = counter.op("add-pack", "of-traffic", "--plan", "traffic", "--now", "2015-04-20T10:00:00+08:00")
    assert lines(packed) == {"pack": "30.00"}
    assert packed["account"]["quota_left_octets"] == 20 * 1024**3
    assert counter.check()["ok"] is True


def test_money_in_and_out(counter: Counter) -> None:
    counter.open("m", now="2015-05-01T00:00:00+08:00")
    now = ("--now", "2015-05-16T12:00:00+08:00")
    assert counter.op("top-up", "m", "--amount", "12.34", *now)["account"]["balance"] == "12.34"
    assert counter.op("top-up", "m", "--amount", "-2.34", *now)["account"]["balance"] == "10.00"
    moved = counter.op("move", "m", "--fee", "5", "--new-username", "m2", "--method", "balance", *now)
    assert (moved["account"]["username"], moved["account"]["balance"]) == ("m2", "5.00")
    paid = counter.op("refund", "m2", *now)
    assert Decimal(paid["order"]["total"]) == Decimal("-30.00")  # 50 * 15.5 / 31 + 5
    assert (paid["account"]["balance"], paid["account"]["status"]) == ("0.00", "expired")
    assert counter.op("never-expires", "m2", *now)["account"]["never_expires"] is True
    assert counter.op("disable", "m2", *now)["order"] is None
    assert counter.check()["ok"] is True
