"""``rate`` and ``pool``: what plan groups share, at the command line (NET-4, NET-5)."""

from typing import Any

import pytest

PASSWORD = "gull-river-42"
PLAN = ("--group", "Home", "--kind", "month", "--price", "50", "--up", "2M", "--down", "10M")


@pytest.fixture
def isp(cli: Any) -> str:
    cli("tenant", "create", "--slug", "acme", "--name", "Acme", "--email", "a@acme.example", "--password", PASSWORD)
    return "acme"


def test_a_speed_is_changed_for_all_who_have_it(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "P", *PLAN)
    cli("account", "open", "--tenant", isp, "--username", "u1", "--password", "p1", "--plan", "P")
    [rate] = [rate for rate in cli("rate", "list", "--tenant", isp) if "Home" in rate["groups"]]
    assert (rate["up_bps"], rate["down_bps"], rate["burst_seconds"]) == (2_000_000, 10_000_000, None)
    assert rate["accounts"] == 1
    burst = ("--burst-up", "4M", "--burst-down", "20M", "--threshold-up", "1M", "--threshold-down", "8M",
             "--burst-seconds", "12")  # fmt: skip
    changed = cli("rate", "edit", "--tenant", isp, rate["name"], "--name", "Ten", "--down", "12M", *burst)
    assert (changed["name"], changed["up_bps"], changed["down_bps"]) == ("Ten", 2_000_000, 12_000_000)
    assert (changed["burst_down_bps"], changed["burst_seconds"], changed["priority"]) == (20_000_000, 12, 8)
    assert [plan["down_bps"] for plan in cli("plan", "list", "--tenant", isp) if plan["name"] == "P"] == [12_000_000]
    assert cli("rate", "edit", "--tenant", isp, "Ten", "--no-burst", "--priority", "1")["burst_seconds"] is None


def test_a_speed_that_is_used_stays(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "P", *PLAN)
    [rate] = [rate for rate in cli("rate", "list", "--tenant", isp) if "Home" in rate["groups"]]
    refused = cli.refused("rate", "delete", "--tenant", isp, rate["name"])
    assert refused["code"] == "still_used"
    assert "Home" in refused["message"]
    spare = cli("rate", "add", "--tenant", isp, "--name", "Spare", "--up", "1M", "--down", "1M")
    assert cli("rate", "delete", "--tenant", isp, "Spare") == {"id": spare["id"], "name": "Spare"}
    assert cli.refused("rate", "edit", "--tenant", isp, "Spare", "--up", "2M")["code"] == "rate_profile_not_found"
    cli("rate", "add", "--tenant", isp, "--name", "Spare", "--up", "1M", "--down", "1M")  # its name is free again


def test_a_bad_speed_changes_nothing(cli: Any, isp: str) -> None:
    cli("rate", "add", "--tenant", isp, "--name", "Taken", "--up", "1M", "--down", "1M")
    before = cli("rate", "list", "--tenant", isp)
    for more, code in [
        (("--up", "0"), "bad_rate"),
        (("--burst-up", "4M"), "invalid_inputs"),
        (("--priority", "9"), "invalid_inputs"),
        (("--name", ""), "bad_name"),
        (("--name", "Taken"), "name_taken"),
    ]:
        new = ("--name", "New", "--up", "3M", "--down", "3M")
        assert cli.refused("rate", "add", "--tenant", isp, *new, *more)["code"] == code, more
    assert cli("rate", "list", "--tenant", isp) == before


def test_pools_are_described_and_know_who_uses_them(cli: Any, isp: str) -> None:
    cli("plan", "add", "--tenant", isp, "--name", "P", *PLAN, "--pool", "pppoe-home")
    nas = cli("nas", "add", "--tenant", isp, "--vendor", "mikrotik", "--name", "Roof")
    cli("nas", "replies", "--tenant", isp, nas["identifier"], "--expired", "pool=walled")
    mine = [pool for pool in cli("pool", "list", "--tenant", isp) if pool["name"] in ("pppoe-home", "walled")]
    assert [(pool["id"], pool["kind"], pool["groups"], pool["routers"]) for pool in mine] == [
        (None, "normal", ["Home"], []), (None, "expired", [], ["Roof"]),
    ]  # fmt: skip
    added = cli("pool", "add", "--tenant", isp, "--name", "walled", "--kind", "expired", "--remark", "10.99.0.0/16")
    assert added["routers"] == ["Roof"]
    assert cli.refused("pool", "edit", "--tenant", isp, "walled", "--name", "other")["code"] == "pool_in_use"
    assert cli.refused("pool", "delete", "--tenant", isp, "walled")["code"] == "pool_in_use"
    assert cli("pool", "edit", "--tenant", isp, "walled", "--remark", "10.98.0.0/16")["remark"] == "10.98.0.0/16"
    cli("nas", "replies", "--tenant", isp, nas["identifier"], "--expired", "pool=")
    assert cli("pool", "delete", "--tenant", isp, "walled")["name"] == "walled"


def test_a_bad_pool_changes_nothing(cli: Any, isp: str) -> None:
    cli("pool", "add", "--tenant", isp, "--name", "taken")
    before = cli("pool", "list", "--tenant", isp)
    for more, code in [
        (("--name", "two words"), "bad_pool_name"),
        (("--name", "x" * 64), "bad_pool_name"),
        (("--name", ""), "bad_pool_name"),
        (("--kind", "free"), "bad_choice"),
        (("--region", "Atlantis"), "region_not_found"),
        (("--name", "taken"), "pool_name_taken"),
    ]:
        assert cli.refused("pool", "add", "--tenant", isp, "--name", "new", *more)["code"] == code, more
    assert cli("pool", "list", "--tenant", isp) == before
