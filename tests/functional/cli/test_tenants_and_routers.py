"""Tenants, routers, regions and settings from the command line (issue 2, items 3, 4 and 9; "Bad input, named")."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, text

from infra.db import Database
from infra.tenant_scope import tenant_scope
from tenants.audit.models import AuditEntry
from tenants.audit.seal_chain import seal_chain
from tenants.registry.directory import find_tenant
from tests.fixtures.command_line import CommandLine

PASSWORD = "gull-river-42"


@pytest.fixture
def acme(cli: CommandLine) -> str:
    cli("tenant", "create", "--slug", "acme", "--name", "Acme", "--email", "a@acme.example", "--password", PASSWORD)
    return "acme"


def test_a_tenant_from_the_command_line(cli: CommandLine) -> None:
    made = cli(
        *("tenant", "create", "--slug", "acme", "--name", "Acme", "--email", "a@acme.example", "--password", PASSWORD),
        *("--language", "en", "--currency", "USD", "--timezone", "Europe/Paris"),
    )
    assert made["username"] == "admin"
    assert made["admin_url"].endswith("/t/acme/admin/")
    assert (made["state"], made["tier"], made["nas_prefix"], made["migration"]) == (
        "active",
        "unlimited",
        "acme",
        "done",
    )
    assert [row["slug"] for row in cli("tenant", "list")] == ["acme"]
    shown = cli("tenant", "show", "acme")
    assert (shown["plans"], shown["operators"], shown["accounts"], shown["timezone"]) == (10, 1, 0, "Europe/Paris")
    assert cli("tenant", "migrate")["failed"] == {}
    assert cli("tenant", "suspend", "acme", "--reason", "unpaid")["state"] == "suspended"
    assert cli("tenant", "resume", "acme")["state"] == "active"
    code, out, _ = cli.run("tenant", "list")
    assert code == 0
    assert "acme" in out


@pytest.mark.parametrize(
    ("change", "code", "words"),
    [
        ({"slug": "www"}, "slug_reserved", "reserved"),
        ({"slug": "ACME!"}, "bad_slug", "3 to 30 small letters"),
        ({"slug": "acme"}, "slug_taken", "taken"),
        ({"email": "a@acme.example"}, "email_taken", "log in instead"),
        ({"email": "nobody"}, "bad_email", "nobody is not an e-mail address"),
        ({"password": "12345678"}, "weak_password", "first that are tried"),
        ({"name": ""}, "bad_name", "1 to 80 characters"),
        ({"tier": "gold"}, "unknown_tier", "gold"),
        ({"timezone": "Mars"}, "bad_setting", "Asia/Shanghai"),
        ({"cell": "moon"}, "no_cell_accepts", "cell"),
    ],
)
def test_bad_tenants(cli: CommandLine, acme: str, change: dict[str, str], code: str, words: str) -> None:
    values = {"slug": "other", "name": "Other", "email": "o@other.example", "password": PASSWORD, **change}
    error = cli.refused("tenant", "create", *(f"--{key}={value}" for key, value in values.items()))
    assert error["code"] == code
    assert words in error["message"]
    assert len(cli("tenant", "list")) == 1


def test_routers(cli: CommandLine, acme: str) -> None:
    given = cli(
        *("nas", "add", "--tenant", acme, "--identifier", "acme-r1", "--secret", "radius-secret", "--vendor", "cisco"),
        *("--address", "203.0.113.7", "--coa-port", "3799", "--message-authenticator", "optional"),
    )
    assert given["secret"] == "radius-secret"
    assert (given["address"], given["coa_port"], given["message_authenticator"]) == ("203.0.113.7", 3799, "optional")
    made = cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main Street")
    assert made["identifier"] == "acme-main-street"
    listed = cli("nas", "list", "--tenant", acme)
    assert [row["identifier"] for row in listed] == ["acme-main-street", "acme-r1"]
    assert not any("secret" in row for row in listed)
    assert made["secret"] in cli("nas", "script", "--tenant", acme, "acme-main-street")["script"]
    cli("nas", "delete", "--tenant", acme, "acme-r1")
    assert len(cli("nas", "list", "--tenant", acme)) == 1


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--identifier", "acme-r1"), "nas_identifier_taken"),
        (("--identifier", "other-r1"), "nas_identifier_outside_prefix"),
        (("--identifier", "acme-\x07r"), "bad_nas_identifier"),
        (("--secret", "short"), "bad_nas_secret"),
        (("--address", "not-an-address"), "bad_nas_address"),
        (("--auth-mode", "address"), "nas_address_needed"),
        (("--auth-mode", "guess"), "bad_choice"),
        (("--coa-port", "70000"), "bad_coa_port"),
        (("--coa-port", "x"), "usage"),
        (("--message-authenticator", "never"), "bad_choice"),
        (("--region", "Atlantis"), "region_not_found"),
        (("--vendor", "microtik"), "unknown_vendor"),
    ],
)
def test_bad_routers(cli: CommandLine, acme: str, words: tuple[str, ...], code: str) -> None:
    add = ("nas", "add", "--tenant", acme, "--vendor", "mikrotik")
    cli(*add, "--identifier", "acme-r1")
    assert cli.refused(*add, *words)["code"] == code
    assert len(cli("nas", "list", "--tenant", acme)) == 1


def test_everything_wrong_about_a_router_is_said_at_once(cli: CommandLine, acme: str) -> None:
    words = ("--tenant", acme, "--address", "300.1.1.1", "--timezone", "Mars/Base")
    cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main")
    error = cli.refused("nas", "edit", *words, "acme-main")
    assert error["code"] == "invalid_inputs"
    assert "300.1.1.1" in error["message"]
    assert "Mars/Base" in error["message"]


def test_a_router_is_changed(cli: CommandLine, acme: str, fresh_database_url: str) -> None:
    added = cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main", "--remark", "roof")
    cli("region", "add", "--tenant", acme, "--name", "West")
    edit = ("nas", "edit", "--tenant", acme)
    changed = cli(
        *(*edit, "acme-main", "--name", "Main Street", "--identifier", "acme-main-street", "--vendor", "huawei"),
        *("--address", "203.0.113.7", "--auth-mode", "address", "--ddns-name", "main.dyn.example", "--invert"),
        *("--coa-port", "1700", "--message-authenticator", "optional", "--region", "West", "--timezone", "Asia/Urumqi"),
        *("--stale-minutes", "30"),
    )
    assert (changed["id"], changed["name"], changed["identifier"]) == (added["id"], "Main Street", "acme-main-street")
    assert (changed["vendor"], changed["address"], changed["auth_mode"]) == ("huawei", "203.0.113.7", "address")
    assert (changed["ddns_name"], changed["coa_port"]) == ("main.dyn.example", 1700)
    assert (changed["message_authenticator"], changed["region"], changed["timezone"]) == (
        "optional",
        "West",
        "Asia/Urumqi",
    )
    assert (changed["invert_directions"], changed["stale_seconds"], changed["remark"]) == (True, 1800, "roof")
    by_id = cli(
        *(*edit, str(added["id"]), "--address", "", "--auth-mode", "identifier", "--region", "", "--timezone", ""),
        *("--no-invert", "--stale-minutes", "0", "--remark", ""),
    )
    assert (by_id["address"], by_id["region"], by_id["timezone"], by_id["remark"]) == ("", "", "", "")
    assert (by_id["invert_directions"], by_id["coa_port"], by_id["vendor"]) == (False, 1700, "huawei")
    assert by_id["stale_seconds"] is None
    assert added["secret"] not in str((changed, by_id))
    assert cli.run(*edit, "acme-main-street", "--remark", "x")[1] == "Changed the router acme-main-street.\n"
    assert added["secret"] in cli("nas", "script", "--tenant", acme, "acme-main-street")["script"]
    database = Database(fresh_database_url)
    with tenant_scope(database, find_tenant(database, acme)) as scope:
        entry = scope.session.scalars(select(AuditEntry).where(AuditEntry.action == "nas.edit")).first()
        assert entry is not None
        assert (entry.actor_name, entry.before["name"], entry.after["name"]) == ("command line", "Main", "Main Street")
        assert added["secret"] not in str((entry.before, entry.after))
    database.dispose()


def test_radsec_certificates_and_keys(cli: CommandLine, acme: str, tmp_path: Path) -> None:
    cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main")
    cli("nas", "add", "--tenant", acme, "--vendor", "huawei", "--name", "Other")
    of = ("--tenant", acme, "acme-main")
    assert cli.run("nas", "radsec", *of)[1] == "acme-main has no certificate and no key.\n"
    issued = cli("nas", "radsec-certificate", *of)
    assert "PRIVATE KEY" in issued["key_pem"]
    assert issued["certificate_pem"].count("BEGIN CERTIFICATE") == issued["authority_pem"].count("BEGIN CERTIFICATE")
    folder = tmp_path / "new" / "files"
    second = cli("nas", "radsec-certificate", *of, "--folder", str(folder))
    assert "key_pem" not in second
    assert {path.name: path.stat().st_mode & 0o777 for path in folder.iterdir()} == dict.fromkeys(
        ("ca.pem", "router.pem", "router.key"), 0o600
    )
    assert (folder / "ca.pem").read_text() == issued["authority_pem"]
    key = cli("nas", "radsec-key", *of)
    assert len(key["key_hex"]) == 64
    listed = cli("nas", "radsec", *of)
    assert [(row["kind"], row["state"]) for row in listed] == [
        ("psk", "valid"),
        ("certificate", "valid"),
        ("certificate", "valid"),
    ]
    assert key["key_hex"] not in str(listed)
    pairs = ":".join(issued["fingerprint"][at : at + 2] for at in range(0, 64, 2)).upper()
    for which in (pairs, str(second["id"]), key["identity"]):
        elsewhere = cli.refused("nas", "radsec-withdraw", "--tenant", acme, "acme-other", which)
        assert elsewhere["code"] == "radsec_credential_not_found"
        cli("nas", "radsec-withdraw", *of, which)
        assert cli.refused("nas", "radsec-withdraw", *of, which)["code"] == "radsec_credential_not_found"
    assert {row["state"] for row in cli("nas", "radsec", *of)} == {"withdrawn"}
    assert "protocol=radsec" in cli("nas", "script", *of, "--radsec")["script"]
    assert "radsecproxy" in cli("nas", "script", "--tenant", acme, "acme-other", "--radsec")["title"].lower()


def test_a_folder_that_cannot_be_written_issues_nothing(cli: CommandLine, acme: str, tmp_path: Path) -> None:
    cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main")
    (tmp_path / "file").write_text("")
    of = ("--tenant", acme, "acme-main")
    assert cli.run("nas", "radsec-certificate", *of, "--folder", str(tmp_path / "file" / "in"))[0] == 1
    assert cli("nas", "radsec", *of) == []


def test_a_routers_secret_is_renewed(cli: CommandLine, acme: str) -> None:
    made = cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--name", "Main")
    of = ("--tenant", acme, "acme-main")
    renewed = cli("nas", "renew-secret", *of)["secret"]
    assert renewed != made["secret"]
    assert renewed in cli("nas", "script", *of)["script"]
    assert cli("nas", "renew-secret", *of, "--secret", "radius-secret")["secret"] == "radius-secret"
    assert cli.refused("nas", "renew-secret", *of, "--secret", "short")["code"] == "bad_nas_secret"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--identifier", "acme-r2"), "nas_identifier_taken"),
        (("--identifier", "other-r1"), "nas_identifier_outside_prefix"),
        (("--name", "acme-r2"), "nas_name_taken"),
        (("--name", ""), "bad_name"),
        (("--address", "not-an-address"), "bad_nas_address"),
        (("--auth-mode", "address"), "nas_address_needed"),
        (("--auth-mode", "address", "--address", "203.0.113.7"), "nas_address_taken"),
        (("--auth-mode", "guess"), "bad_choice"),
        (("--coa-port", "70000"), "bad_coa_port"),
        (("--message-authenticator", "never"), "bad_choice"),
        (("--region", "Atlantis"), "region_not_found"),
        (("--timezone", "Mars/Base"), "bad_timezone"),
        (("--vendor", "microtik"), "unknown_vendor"),
        (("--secret", "radius-secret"), "usage"),
        (("--stale-minutes", "9"), "bad_stale_time"),
    ],
)
def test_bad_changes_of_a_router(cli: CommandLine, acme: str, words: tuple[str, ...], code: str) -> None:
    add = ("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--identifier")
    cli(*add, "acme-r1")
    cli(*add, "acme-r2", "--address", "203.0.113.7", "--auth-mode", "address")
    before = cli("nas", "list", "--tenant", acme)
    assert cli.refused("nas", "edit", "--tenant", acme, "acme-r1", *words)["code"] == code
    assert cli("nas", "list", "--tenant", acme) == before


@pytest.mark.parametrize(
    "words",
    [
        ("tenant", "show", "nobody"),
        ("tenant", "suspend", "nobody", "--reason", "x"),
        ("tenant", "resume", "nobody"),
        ("nas", "list", "--tenant", "nobody"),
        ("nas", "add", "--tenant", "nobody", "--vendor", "mikrotik"),
        ("region", "list", "--tenant", "nobody"),
        ("settings", "list", "--tenant", "nobody"),
        ("settings", "set", "--tenant", "nobody", "arrears_days", "1"),
    ],
)
def test_unknown_tenants(cli: CommandLine, words: tuple[str, ...]) -> None:
    assert cli.refused(*words) == {"code": "tenant_not_found", "message": "There is no tenant nobody."}


def test_another_tenants_router_is_unknown(cli: CommandLine, acme: str) -> None:
    cli("tenant", "create", "--slug", "other", "--name", "O", "--email", "o@other.example", "--password", PASSWORD)
    added = cli("nas", "add", "--tenant", acme, "--vendor", "mikrotik", "--identifier", "acme-r1")
    for reference in ("acme-r1", str(added["id"])):
        for command in ("script", "edit", "delete"):
            assert cli.refused("nas", command, "--tenant", "other", reference)["code"] == "nas_not_found"
    assert cli("nas", "list", "--tenant", "other") == []
    region = cli("region", "add", "--tenant", acme, "--name", "West")
    assert cli.refused("region", "delete", "--tenant", "other", "West")["code"] == "region_not_found"
    assert (
        cli.refused("region", "edit", "--tenant", "other", str(region["id"]), "--name", "X")["code"]
        == "region_not_found"
    )


def test_regions(cli: CommandLine, acme: str) -> None:
    cli("region", "add", "--tenant", acme, "--name", "West", "--phone", "123456")
    cli("region", "edit", "--tenant", acme, "West", "--name", "West End")
    rows = cli("region", "list", "--tenant", acme)
    assert [(row["name"], row["phone"]) for row in rows][1:] == [("West End", "123456")]
    assert cli.refused("region", "add", "--tenant", acme, "--name", "West End")["code"] == "region_name_taken"
    cli("region", "delete", "--tenant", acme, "West End")
    assert cli.refused("region", "delete", "--tenant", acme, rows[0]["name"])["code"] == "last_region"


def test_settings(cli: CommandLine, acme: str) -> None:
    assert cli("settings", "list", "--tenant", acme)["unified_expiry_hour"] is None
    assert cli("settings", "set", "--tenant", acme, "unified_expiry_hour", "16") == {
        "key": "unified_expiry_hour",
        "value": 16,
    }
    assert cli("settings", "set", "--tenant", acme, "install_fee", "99.5")["value"] == "99.50"
    assert cli("settings", "list", "--tenant", acme)["unified_expiry_hour"] == 16
    cli("settings", "reset", "--tenant", acme, "unified_expiry_hour")
    assert cli("settings", "list", "--tenant", acme)["unified_expiry_hour"] is None
    for key, value, code in (
        ("unified_expiry_hour", "24", "bad_setting"),
        ("arrears_days", "-1", "bad_setting"),
        ("nonsense", "1", "unknown_setting"),
    ):
        assert cli.refused("settings", "set", "--tenant", acme, key, value)["code"] == code


def test_the_first_command_prepares_an_empty_database(
    cli: CommandLine, make_database: Callable[..., str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROADLOOM_DATABASE_URL", make_database(migrated=False))
    assert cli.refused("nas", "list", "--tenant", "nobody")["code"] == "tenant_not_found"
    assert cli("tenant", "list") == []


def test_own_dialects_and_replies(cli: CommandLine, acme: str, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.txt", tmp_path / "bad.txt"
    good.write_text("title Our OLT\n[accept]\nFilter-Id = {up_text}\n")
    bad.write_text("[accept]\nFilter-Id = {up}\nNonsense = 1\n")
    assert cli.refused("dialect", "add", "--tenant", acme, "olt", str(bad))["code"] == "bad_attribute_text"
    assert cli("dialect", "add", "--tenant", acme, "olt", str(good))["vendor"] == "own-olt"
    assert "{up_text}" in cli("dialect", "show", "--tenant", acme, "olt")["text"]
    router = cli("nas", "add", "--tenant", acme, "--vendor", "own-olt", "--name", "olt-1")["identifier"]
    assert cli("dialect", "list", "--tenant", acme)[0] == {"name": "olt", "title": "Our OLT", "routers": 1}
    assert cli.refused("dialect", "delete", "--tenant", acme, "olt")["code"] == "dialect_in_use"
    assert cli.refused("nas", "add", "--tenant", acme, "--vendor", "own-other")["code"] == "unknown_vendor"
    cli("dialect", "edit", "--tenant", acme, "olt", str(good))

    replies = ("nas", "replies", "--tenant", acme, router)
    assert cli(*replies)["options"] == {}
    made = cli(*replies, "--extra", "Session-Timeout = 60", "--expired", "pool=late", "--expired", "up_bps=1M")
    assert made["options"] == {"extra": "Session-Timeout = 60", "expired": {"pool": "late", "up_bps": 1_000_000}}
    assert cli(*replies, "--region-only", "--expired", "=")["options"] == {
        "extra": "Session-Timeout = 60",
        "region_only": True,
    }
    assert cli.refused(*replies, "--extra", "Nonsense = 1")["code"] == "bad_attribute_text"
    assert cli.refused(*replies, "--expired", "colour=red")["code"] == "bad_reply_option"
    cli("nas", "delete", "--tenant", acme, router)
    cli("dialect", "delete", "--tenant", acme, "olt")


def test_many_routers_at_once(cli: CommandLine, acme: str, tmp_path: Path) -> None:
    table = tmp_path / "routers.csv"
    table.write_text("name,vendor,ddns_name,auth_mode\nnorth,huawei,north.dyn.example,ddns\nsouth,toaster,,\n")
    assert cli.refused("nas", "import", "--tenant", acme, str(table))["code"] == "bad_import"
    assert cli("nas", "list", "--tenant", acme) == []
    table.write_text(table.read_text().replace("toaster", "zte"))
    assert len(cli("nas", "import", "--tenant", acme, str(table), "--dry-run")) == 2
    rows = cli("nas", "import", "--tenant", acme, str(table))
    assert [bool(row["secret"]) for row in rows] == [True, True]
    listed = cli("nas", "list", "--tenant", acme)
    assert [(row["vendor"], row["ddns_name"]) for row in listed] == [("huawei", "north.dyn.example"), ("zte", "")]


def test_the_clients_of_a_freeradius(cli: CommandLine, acme: str, tmp_path: Path) -> None:
    clients = tmp_path / "clients.conf"
    words = ("nas", "import", "--tenant", acme, str(clients))
    clients.write_text("client gate {\n ipaddr = 203.0.113.78\n secret = geheim-7391\n")
    assert "the brace of line 1 is not closed" in cli.refused(*words)["message"]
    clients.write_bytes(b"client gate { # gro\xdf\n}\n")
    assert "it is not written in UTF-8" in cli.refused(*words)["message"]
    clients.write_text("# stock\nclient gate {\n\tipaddr = 203.0.113.78\n\tsecret = geheim-7391\n}\n")
    assert [row["error"] for row in cli(*words, "--dry-run")] == [""]
    assert cli("nas", "list", "--tenant", acme) == []
    [row] = cli(*words)
    assert (row["line"], row["name"], row["secret"]) == (2, "gate", "geheim-7391")


def test_the_operation_log_is_proved_unaltered(cli: CommandLine, acme: str, fresh_database_url: str) -> None:
    database = Database(fresh_database_url)
    with tenant_scope(database, find_tenant(database, acme)) as scope:
        seal_chain(scope)
    proved = cli("log", "verify", "--tenant", acme)
    assert proved["ok"]
    assert proved["entries"] > 5
    with database.owner_connection() as connection:
        table = f"t_{find_tenant(database, acme).id}.audit_entries"
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        connection.execute(text(f"UPDATE {table} SET actor_name = 'Bob' WHERE position = 4"))
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
    database.dispose()
    code, out, _ = cli.run("log", "verify", "--tenant", acme)
    assert code == 1
    assert "was altered" in out
