"""Staff see who is locked out for guessing, and let him try again (RAD-9)."""

import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import delete, select

from infra import clock
from infra.settings import Settings
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from tenants.audit.models import AuditEntry
from tenants.network.add_nas import AddNas, add_nas
from tenants.subscribers.find import find_account
from tenants.usage.models import LockedOut, RefusedPacket
from tests.fixtures.accounts import OWNER, open_one, sell
from tests.fixtures.radius import Processes, wait_for
from tests.functional.admin.conftest import Desk

SECRET = "radius-secret"
MAC = "02:00:00:00:00:66"


@pytest.fixture
def nas_id(desk: Desk) -> Iterator[int]:
    with desk.scope() as scope:
        plan = sell(scope)
        for name in ("alice", "bob"):
            open_one(scope, name, plan)
        command = AddNas("mikrotik", "Gate", f"{desk.tenant.nas_prefix}-gate", SECRET)
        made = add_nas(scope, command, actor=OWNER, now=clock.now()).nas_id
    yield made
    with desk.scope() as scope:
        for table in (LockedOut, RefusedPacket):
            scope.session.execute(delete(table).where(table.tenant_id == scope.tenant_id))


def account_of(desk: Desk, name: str = "alice") -> int:
    with desk.scope() as scope:
        return find_account(scope, name).id


def lock(desk: Desk, nas_id: int, name: str = "alice", device: str = MAC, **facts) -> None:
    """As a host of the cluster tells it."""
    now = clock.now()
    account = account_of(desk, name) if name else None
    usual = {"counted_in": "one", "locked_at": now, "until_at": now + timedelta(minutes=1), "tries": 12}
    with desk.scope() as scope:
        row = {"nas_id": nas_id, "username": name, "device": device.encode(), "mac": device, "account_id": account}
        scope.session.add(LockedOut(tenant_id=scope.tenant_id, **row, **(usual | facts)))


def locked(desk: Desk) -> list[tuple[str, str, str]]:
    with desk.scope() as scope:
        rows = scope.session.execute(select(LockedOut.username, LockedOut.mac, LockedOut.counted_in))
        return sorted(tuple(row) for row in rows)


def unlock(desk: Desk, **fields: str | int):
    return desk.submit("/", fields, to="/locked-out/unlock")


def colleague(desk: Desk, web, name: str) -> Desk:
    return Desk(type(web)(web.client.application), desk.tenant, desk.database).sign_in(name)


def test_guess_until_locked_see_it_and_unlock(desk: Desk, nas_id: int, processes: Processes, client) -> None:
    """From real packets to the page and back."""
    processes.start()
    calling = encode.text(codes.CALLING_STATION_ID, MAC)
    routers = [client(f"{desk.tenant.nas_prefix}-gate") for _ in range(10)]
    for router in routers:
        request = router.access("alice", "a guess", extra=calling)
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    for router in routers:
        router.socket.recvfrom(4096)
    assert routers[0].log_in("alice", "pass-0001", extra=calling).code == codes.ACCESS_REJECT
    wait_for(lambda: "alice" in desk.get("/locked-out/").get_data(as_text=True))
    wait_for(lambda: "alice 02:00:00:00:00:66 Gate" in (desk.get("/locked-out/"), desk.text())[1])
    assert "Nobody is locked out" not in desk.text()
    account = f"/accounts/{account_of(desk)}/"
    desk.get(account)
    assert "Locked out for guessing passwords" in desk.text()
    assert "nothing stands in the way" not in desk.text()
    unlock(desk, account=account_of(desk), nas=nas_id, username="alice", device=b"020000000066".hex())
    assert "1 device may try again." in desk.text()
    wait_for(lambda: routers[0].log_in("alice", "pass-0001", extra=calling).code == codes.ACCESS_ACCEPT)
    desk.get(account)
    assert "Locked out for guessing" not in desk.text()
    assert "Lock-out ended by staff" in desk.text()
    desk.get("/log/")
    assert "Let a device try again that was locked out" in desk.text()


def test_the_list_puts_the_hosts_together_and_forgets_what_is_over(desk: Desk, nas_id: int) -> None:
    lock(desk, nas_id)
    lock(desk, nas_id, counted_in="two", tries=30)
    lock(desk, nas_id, "", "02:00:00:00:00:77", tries=55)
    over = clock.now() - timedelta(seconds=1)
    lock(desk, nas_id, "bob", locked_at=over - timedelta(minutes=1), until_at=over)
    desk.get("/locked-out/")
    assert desk.text().count("alice") == 1
    assert " 42 " in desk.text()
    assert "with any name 02:00:00:00:00:77 Gate" in desk.text()
    assert "bob" not in desk.text()
    part = desk.get("/locked-out/", headers={"HX-Request": "true"}).get_data(as_text=True)
    assert "alice" in part
    assert "<html" not in part
    unlock(desk, nas=nas_id, username="alice", device=MAC.encode().hex())
    assert "1 device may try again." in desk.text()
    assert locked(desk) == [("", "02:00:00:00:00:77", "one"), ("bob", MAC, "one")]
    unlock(desk, nas=nas_id, username="", device=b"02:00:00:00:00:77".hex())
    with desk.scope() as scope:
        entries = scope.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc()).limit(2)).all()
    facts = {"router": f"{desk.tenant.nas_prefix}-gate", "device": MAC, "tries": 42}
    assert [(entry.action, entry.object_kind) for entry in entries] == [
        ("nas.unlock_device", "nas"), ("account.unlock", "account")
    ]  # fmt: skip
    assert entries[1].before == facts
    assert SECRET not in str([entry.before for entry in entries])


def test_all_of_an_account(desk: Desk, nas_id: int) -> None:
    for device in (MAC, "02:00:00:00:00:67"):
        lock(desk, nas_id, device=device)
    lock(desk, nas_id, "bob")
    lock(desk, nas_id, "", "02:00:00:00:00:01")  # refuses alice, too
    lock(desk, nas_id, "", "02:00:00:00:00:02")  # has never tried her name
    account_id = account_of(desk)
    with desk.scope() as scope:
        refused = {"username": "alice", "account_id": account_id, "nas_id": nas_id, "reason": "locked_out"}
        scope.session.add(
            RefusedPacket(
                tenant_id=scope.tenant_id, at=clock.now(), source="x", code=1, mac="02:00:00:00:00:01", **refused
            )
        )
    page = desk.get(f"/accounts/{account_id}/").get_data(as_text=True)
    assert "Unlock all" in page
    assert page.count("Unlock 02:00") == 3
    assert "The device with any name: 02:00:00:00:00:01" in desk.text()
    unlock(desk, account=account_id, nas=nas_id, username="alice", device=MAC.encode().hex())
    assert len(locked(desk)) == 4
    unlock(desk, account=account_id)
    assert "2 devices may try again." in desk.text()
    assert locked(desk) == [("", "02:00:00:00:00:02", "one"), ("bob", MAC, "one")]


def test_it_is_a_right_of_its_own_and_about_ones_own_subscribers(desk: Desk, nas_id: int, web) -> None:
    desk.hire("eve", "refused.view", "accounts.view")
    desk.hire("ted", "refused.view", "refused.unlock", "accounts.view", own_accounts_only=True)
    desk.hire("joe", "accounts.view", "refused.unlock")
    lock(desk, nas_id)
    lock(desk, nas_id, "", "02:00:00:00:00:77")
    account_id = account_of(desk)
    one = {"nas": nas_id, "username": "alice", "device": MAC.encode().hex()}
    eve, ted, joe = (colleague(desk, web, name) for name in ("eve", "ted", "joe"))
    eve.get("/locked-out/")
    assert "alice" in eve.text()
    assert "Unlock" not in eve.text()
    eve.get(f"/accounts/{account_id}/")
    assert "Locked out for guessing" in eve.text()
    assert "Unlock" not in eve.text()
    assert unlock(eve, **one).status_code == 403
    ted.get("/locked-out/")
    assert "Nobody is locked out just now." in ted.text()
    unlock(ted, **one)
    assert "Nobody is locked out there any more." in ted.text()
    assert unlock(ted, account=account_id).status_code == 404
    assert joe.get("/locked-out/").status_code == 403
    assert len(locked(desk)) == 2
    unlock(joe, account=account_id)
    assert locked(desk) == [("", "02:00:00:00:00:77", "one")]


def test_another_providers_are_neither_seen_nor_unlocked(desk: Desk, nas_id: int, make_tenant, web, database) -> None:
    lock(desk, nas_id)
    other = Desk(type(web)(web.client.application), make_tenant(), database).sign_in()
    other.get("/locked-out/")
    assert "Nobody is locked out just now." in other.text()
    unlock(other, nas=nas_id, username="alice", device=MAC.encode().hex())
    assert unlock(other, account=account_of(desk)).status_code == 404
    assert locked(desk) == [("alice", MAC, "one")]


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 409),
        ({"nas": "x"}, 200),
        ({"nas": "9" * 30}, 200),
        ({"device": "zz"}, 200),
        ({"device": "00" * 400}, 200),
        ({"username": "a\x00b"}, 200),
        ({"account": "0"}, 404),
        ({"account": "nobody"}, 404),
        ({"account": "9" * 18}, 404),
    ],
)
def test_bad_input(desk: Desk, nas_id: int, fields: dict[str, str], status: int) -> None:
    lock(desk, nas_id)
    assert unlock(desk, **fields).status_code == status
    assert len(locked(desk)) == 1


def test_at_the_command_line(cli, settings: Settings, processes: Processes, client) -> None:
    words = ("--tenant", "acme")
    facts = ("--name", "Acme", "--email", "a@acme.example", "--password", "long-enough-7391")
    cli("tenant", "create", "--slug", "acme", *facts)
    cli("nas", "add", *words, "--vendor", "huawei", "--identifier", "acme-gate", "--secret", SECRET)
    password = secrets.token_hex(8)
    plan = ("--group", "2M", "--name", "month", "--kind", "month", "--price", "50", "--up", "2M", "--down", "2M")
    cli("plan", "add", *words, *plan)
    cli("account", "open", *words, "--username", "alice", "--password", password, "--plan", "month")
    assert cli("radius", "locked-out", *words) == []
    assert cli.refused("radius", "unlock", *words)["code"] == "nobody_to_unlock"
    assert cli.refused("radius", "unlock", *words, "--account", "nobody")["code"] == "account_not_found"
    assert cli.refused("radius", "unlock", *words, "--nas", "nobody")["code"] == "nas_not_found"
    assert cli.refused("radius", "unlock", *words, "--account", "alice")["code"] == "nobody_locked_out"
    processes.settings = replace(settings, database_url=os.environ["BROADLOOM_DATABASE_URL"])
    processes.start()
    calling = encode.text(codes.CALLING_STATION_ID, MAC)
    routers = [client("acme-gate") for _ in range(10)]
    for router in routers:
        request = router.access("alice", "a guess", extra=calling)
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    for router in routers:
        router.socket.recvfrom(4096)
    [row] = wait_for(lambda: cli("radius", "locked-out", *words, "--account", "alice"))
    assert (row["account"], row["device"], row["router"], row["tries"]) == ("alice", MAC, "acme-gate", 10)
    assert cli.refused("radius", "unlock", *words, "--device", "02:00:00:00:00:01")["code"] == "nobody_locked_out"
    [row] = cli("radius", "unlock", *words, "--account", "alice", "--nas", "acme-gate", "--device", "020000000066")
    assert row["account"] == "alice"
    wait_for(lambda: routers[0].log_in("alice", password, extra=calling).code == codes.ACCESS_ACCEPT)
