"""``plan`` and ``account`` as outside checks call them (issue 2, "Bad input, named"; issue 3, plan kinds)."""

import re
from typing import Any

import pytest

PLAN = ("--group", "Home", "--kind", "month", "--price", "50", "--up", "2M", "--down", "10M")


@pytest.fixture
def isp(cli: Any) -> str:
    """A tenant."""
    cli(
        "tenant",
        "create",
        "--slug",
        "acme",
        "--name",
        "Acme",
        "--email",
        "o@acme.example",
        "--password",
        "Long-enough-7391",
    )
    return "acme"


def plans(cli: Any, isp: str) -> dict[str, Any]:
    return {plan["name"]: plan for plan in cli("plan", "list", "--tenant", isp)}


def test_a_plan_and_its_group(cli: Any, isp: str) -> None:
    added = cli("plan", "add", "--tenant", isp, "--name", "Home month", *PLAN, "--sessions", "2", "--pool", "pool1")
    assert added | {"id": 0} == {
        "id": 0, "name": "Home month", "group": "Home", "kind": "month", "price": "50.00", "up_bps": 2_000_000,
        "down_bps": 10_000_000, "pool": "pool1", "sessions": 2, "concurrency": "refuse", "usage": "both",
        "hidden": False, "regions": None, "quota_gb": None, "quota_octets": None, "quota_seconds": None,
        "validity_days": None, "quota_end": "cut",
    }  # fmt: skip
    assert plans(cli, isp)["Home month"] == added


KINDS = [
    ("day",), ("week",), ("quarter",), ("half-year",), ("year",), ("prepaid-month",), ("natural-day",),
    ("natural-month",), ("traffic", "--quota-gb", "10", "--validity-days", "30"),
    ("hours", "--quota-hours", "1.5", "--validity-days", "30"),
    ("hours-per-day", "--quota-hours", "4"), ("hours-per-month", "--quota-hours", "100", "--validity-days", "365"),
    ("traffic-per-day", "--quota-gb", "0.5", "--quota-end", "throttle", "--throttle-up", "128k",
     "--throttle-down", "256k"),
    ("traffic-per-month", "--quota-gb", "100", "--usage", "renew", "--hidden"),
]  # fmt: skip


def test_every_kind(cli: Any, isp: str) -> None:
    for kind, *more in KINDS:
        common = ("--group", "Home", "--price", "1", "--up", "2M", "--down", "10M")
        added = cli("plan", "add", "--tenant", isp, "--name", f"a {kind}", "--kind", kind, *common, *more)
        assert added["kind"] == kind
    listed = plans(cli, isp)
    assert listed["a hours"]["quota_seconds"] == 5400
    assert listed["a traffic"]["quota_octets"] == 10 * 1024**3
    assert listed["a traffic-per-day"]["quota_end"] == "throttle"
    assert (listed["a traffic-per-month"]["usage"], listed["a traffic-per-month"]["hidden"]) == ("renew", True)


BAD_PLANS = [
    (("--price", "-1"), "bad_price"), (("--price", "9.999"), "bad_price"), (("--price", "NaN"), "bad_price"),
    (("--up", "0"), "bad_rate"), (("--up", "2 Mbit"), "bad_rate"), (("--down", "-5M"), "bad_rate"),
    (("--kind", "decade"), "bad_plan_kind"), (("--kind", "traffic"), "invalid_inputs"),
    (("--quota-gb", "5"), "plan_field_forbidden"), (("--validity-days", "5"), "plan_field_forbidden"),
    (("--kind", "traffic", "--quota-gb", "0", "--validity-days", "3"), "bad_quota"),
    (("--kind", "traffic-per-day", "--quota-gb", "1", "--quota-end", "throttle"), "plan_field_needed"),
    (("--kind", "traffic-per-day", "--quota-gb", "1", "--quota-end", "throttle", "--throttle-up", "1M"),
     "plan_field_needed"),
    (("--sessions", "-1"), "out_of_range"), (("--usage", "never"), "bad_choice"), (("--name", ""), "bad_name"),
    (("--regions", "Atlantis"), "region_not_found"), (("--down", "20M"), "group_has_other_rates"),
    (("--name", "taken"), "name_taken"), (("--tenant", "nobody"), "tenant_not_found"),
]  # fmt: skip


def test_bad_plans_change_nothing(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "taken", *PLAN)
    before = plans(cli, isp)
    for more, code in BAD_PLANS:
        refused = cli.refused("plan", "add", "--tenant", isp, "--name", "new", *PLAN, *more)
        assert refused["code"] == code, (more, refused)
        assert refused["message"].endswith("."), more
        assert "Traceback" not in refused["message"]
    assert plans(cli, isp) == before


def test_refusals_are_said_in_the_language_of_the_settings(cli: Any, isp: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BROADLOOM_LANGUAGE", "zh")
    refused = cli.refused("account", "show", "--tenant", isp, "nobody")
    assert refused == {"code": "account_not_found", "message": "没有账号 nobody。"}
    two = cli.refused("plan", "add", "--tenant", isp, "--name", "P", *PLAN, "--kind", "traffic")
    assert two["code"] == "invalid_inputs"
    assert not re.search("[a-z]", two["message"]), two


def test_an_account(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "P", *PLAN)
    now = ("--now", "2026-01-31T10:00:00+08:00")
    opened = cli(
        "account", "open", "--tenant", isp, "--username", "u1", "--password", "p1", "--plan", "P", *now,
        "--install-fee", "100", "--name", "陈建国",
    )  # fmt: skip
    assert (opened["username"], opened["status"], opened["plan"]) == ("u1", "normal", "P")
    assert opened["expires_at"] == "2026-02-28T10:00:00+08:00"  # clamped to the month's end
    assert (opened["balance"], opened["receivable"], opened["sessions"]) == ("0.00", "0.00", [])
    later = ("--now", "2026-02-28T10:00:00+08:00")
    assert cli("account", "show", "--tenant", isp, "u1", *later)["status"] == "expired"
    on_his_clock = ("--now", "2026-02-28 09:59:59")  # without an offset: the tenant's wall clock
    assert cli("account", "show", "--tenant", isp, "u1", *on_his_clock)["status"] == "expiring"
    waiting = cli(
        "account",
        "open",
        "--tenant",
        isp,
        "--username",
        "u2",
        "--password",
        "p1",
        "--plan",
        "P",
        "--start",
        "first-login",
    )
    assert waiting["status"] == "not_activated"
    assert [row["username"] for row in cli("account", "list", "--tenant", isp)] == ["u1", "u2"]
    assert cli("account", "list", "--tenant", isp, "--online") == []


def test_bad_accounts_change_nothing(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "P", *PLAN)
    good = ("--username", "u1", "--password", "p1", "--plan", "P")
    cli("account", "open", "--tenant", isp, *good)
    cases = [
        (good, "username_taken"),
        (("--username", "a b", *good[2:]), "bad_username"),
        (("--username", "x" * 64, *good[2:]), "bad_username"),
        (("--username", "", *good[2:]), "bad_username"),
        (("--username", "u2", "--password", "", "--plan", "P"), "bad_password"),
        (("--username", "u2", "--password", "p", "--plan", "nothing"), "plan_not_found"),
        (("--username", "u2", "--password", "p", "--plan", "999999"), "plan_not_found"),
        (("--username", "u2", *good[2:], "--install-fee", "1.001"), "bad_amount"),
        (("--username", "u2", *good[2:], "--phone", "abc"), "bad_phone"),
        (("--username", "u2", *good[2:], "--region", "Atlantis"), "region_not_found"),
    ]
    for arguments, code in cases:
        refused = cli.refused("account", "open", "--tenant", isp, *arguments)
        assert refused["code"] == code, (arguments, refused)
    assert cli.refused("account", "show", "--tenant", isp, "u9")["code"] == "account_not_found"
    assert cli.refused("account", "show", "--tenant", "nobody", "u1")["code"] == "tenant_not_found"
    assert cli.refused("account", "show", "--tenant", isp, "u1", "--now", "yesterday")["code"] == "usage"
    assert [row["username"] for row in cli("account", "list", "--tenant", isp)] == ["u1"]


def test_demo_data_agree_with_the_ledger_and_come_once(cli: Any) -> None:
    filled = cli("demo", "fill", "--tenants", "2", "--accounts", "31", "--nas", "2")
    assert (filled["accounts"], filled["nas"]) == (31, 4)
    again = cli("demo", "fill", "--tenants", "2", "--accounts", "40", "--nas", "2")
    assert (again["accounts"], again["nas"]) == (9, 0)
    first = [row["username"] for row in cli("account", "list", "--tenant", "t0001")]
    second = [row["username"] for row in cli("account", "list", "--tenant", "t0002")]
    assert first == [f"u{n:06d}" for n in range(1, 41, 2)]
    assert second == [f"u{n:06d}" for n in range(2, 41, 2)]
    assert cli("account", "show", "--tenant", "t0002", "u000002")["status"] in ("normal", "expiring")
    cli("ledger", "check", "--tenant", "t0001")
