"""Accounts and customers: opening, editing, passwords, deleting, searching (SUB-1 … SUB-9)."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import select

from infra import clock
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.catalog.errors import PlanNotFound
from tenants.kernel.errors import BusinessError, Forbidden, InvalidInputs
from tenants.network.models import Region
from tenants.registry.settings import write
from tenants.subscribers.bind import learn_bindings
from tenants.subscribers.create_account import CreateAccount, create_account
from tenants.subscribers.delete_account import delete_account, release_name, restore_account
from tenants.subscribers.edit_account import EditAccount, edit_account
from tenants.subscribers.edit_customer import EditCustomer, edit_customer
from tenants.subscribers.errors import (
    AccountNotFound,
    AddressTaken,
    BadUsername,
    FieldRequired,
    FieldUnknown,
    PasswordHidden,
    RegionNotFound,
    RestoreTooLate,
    UsernameTaken,
)
from tenants.subscribers.find import find_account
from tenants.subscribers.models import Account, Customer
from tenants.subscribers.password import password_matches, query_password, reset_password
from tenants.subscribers.rules import shown_state
from tenants.subscribers.search_sql import matching_account_ids
from tenants.subscribers.show_account import show_account
from tenants.subscribers.state_sql import shown_state_expression, state_conditions
from tests.fixtures.accounts import OWNER, force, go_online, open_one, sell

NOW = clock.now()


def create(scope: TenantScope, username: str, **more: Any) -> Account:
    return create_account(scope, CreateAccount(username, "secret-1", **more), actor=OWNER, now=NOW)


def test_a_quick_opening_makes_customer_and_account(scope: TenantScope) -> None:
    account = create(scope, "u1", fields={"name": "陈建国", "phone": "138 0265 5019", "id_number": "4403…"})
    customer = scope.session.get_one(Customer, account.customer_id)
    assert (customer.name, customer.phone) == ("陈建国", "138 0265 5019")
    assert customer.id_number_sealed is not None
    assert b"4403" not in customer.id_number_sealed
    assert password_matches(scope, account, "secret-1")
    assert not password_matches(scope, account, "secret-2")


def test_a_second_account_of_a_customer(scope: TenantScope) -> None:
    first = create(scope, "u1", fields={"name": "Anna"})
    second = create(scope, "u2", customer_id=first.customer_id)
    assert second.customer_id == first.customer_id
    assert "anna" in second.search_text


def test_a_name_is_taken_once_and_nothing_is_left_behind(scope: TenantScope) -> None:
    create(scope, "u1")
    customers = len(scope.session.scalars(select(Customer.id)).all())
    with pytest.raises(UsernameTaken) as refused:
        create(scope, "u1")
    assert refused.value.field == "username"
    assert len(scope.session.scalars(select(Customer.id)).all()) == customers
    assert create(scope, "U1").username == "U1"  # case counts, as it does for routers


@pytest.mark.parametrize("name", ["", "a b", "x" * 64, "a\tb"])
def test_bad_names_one_error(scope: TenantScope, name: str) -> None:
    with pytest.raises(BadUsername):
        create(scope, name)


def test_all_errors_of_a_form_at_once(scope: TenantScope) -> None:
    with pytest.raises(InvalidInputs) as refused:
        create(scope, "a b", fields={"phone": "x", "static_ip": "1.2.3", "bind_mac": "zz", "max_sessions": "-1"})
    fields = [error.field for error in refused.value.errors]
    assert fields == ["username", "phone", "static_ip", "bind_mac", "max_sessions"]


def test_required_fields_are_the_tenants_choice(scope: TenantScope) -> None:
    write(scope, "required_fields", "name phone", actor=OWNER, now=NOW)
    with pytest.raises(InvalidInputs) as refused:
        create(scope, "u1")
    assert {type(error) for error in refused.value.errors} == {FieldRequired}
    create(scope, "u1", fields={"name": "A", "phone": "123"})


def test_another_tenants_plan_and_region_do_not_exist(
    database: Database, two_isps: tuple[TenantRef, TenantRef]
) -> None:
    with tenant_scope(database, two_isps[0]) as scope:
        plan_id = [sell(scope, f"p{n}").id for n in range(3)][-1]
        regions = [Region(name=f"r{n}") for n in range(5)]
        scope.session.add_all(regions)
        scope.session.flush()
        region_id = regions[-1].id
    with tenant_scope(database, two_isps[1]) as scope:
        with pytest.raises(PlanNotFound):
            create(scope, "u1", plan_id=plan_id)
        with pytest.raises(RegionNotFound):
            create(scope, "u1", region_id=region_id)


def test_an_operator_opens_in_his_regions_only(scope: TenantScope) -> None:
    mine = Region(name="mine")
    scope.session.add(mine)
    scope.session.flush()
    actor = replace(OWNER, everything=False, permissions=frozenset({"accounts.open"}), region_ids=frozenset({mine.id}))
    account = create_account(scope, CreateAccount("u1", "secret-1"), actor=actor, now=NOW)
    assert account.region_id == mine.id
    other = scope.session.scalars(select(Region.id).where(Region.id != mine.id)).first()
    with pytest.raises(RegionNotFound):
        create_account(scope, CreateAccount("u2", "secret-1", region_id=other), actor=actor, now=NOW)
    with pytest.raises(Forbidden):
        create_account(scope, CreateAccount("u3", "secret-1"), actor=replace(actor, permissions=frozenset()), now=NOW)


def test_a_fixed_address_belongs_to_one(scope: TenantScope) -> None:
    create(scope, "u1", fields={"static_ip": "10.0.0.1"})
    with pytest.raises(AddressTaken):
        create(scope, "u2", fields={"static_ip": "10.0.0.1"})
    second = create(scope, "u2", fields={"static_ip": "10.0.0.2"})
    with pytest.raises(AddressTaken):
        edit_account(scope, EditAccount(second.id, {"static_ip": "10.0.0.1"}), actor=OWNER, now=NOW)


def test_learned_bindings_are_the_tenants_choice(scope: TenantScope) -> None:
    for key in ("bind_mac_at_first_login", "bind_vlan_at_first_login", "bind_nas_at_first_login"):
        write(scope, key, "1", actor=OWNER, now=NOW)
    account = create(scope, "u1")
    assert (account.bind_mac, account.bind_port, account.bind_options) == ("learn", "learn", {"learn": ["nas"]})
    login = {"mac": "AABBCC000001", "port": "eth 1/2:100", "nas_id": 7}
    assert learn_bindings(scope, account.id, **login, now=NOW)
    assert (account.bind_mac, account.bind_port, account.bind_nas_id) == ("aa:bb:cc:00:00:01", "eth 1/2:100", 7)
    assert account.bind_options == {}
    assert not learn_bindings(scope, account.id, **login | {"nas_id": 8}, now=NOW)
    assert account.bind_nas_id == 7


def test_an_edit_is_logged_and_found_by_the_search(scope: TenantScope) -> None:
    account = create(scope, "u1", fields={"name": "Old"})
    edit_account(scope, EditAccount(account.id, {"name": "New", "box": "OLT-7"}), actor=OWNER, now=NOW)
    entry = scope.session.scalars(select(AuditEntry).where(AuditEntry.action == "account.edit")).one()
    assert (entry.before, entry.after) == ({"name": "Old", "box": ""}, {"name": "New", "box": "OLT-7"})
    assert found(scope, "new olt-7") == [account.id]
    assert found(scope, "old") == []
    with pytest.raises(FieldUnknown):
        edit_account(scope, EditAccount(account.id, {"balance": 5}), actor=OWNER, now=NOW)


def test_a_customers_new_phone_is_found_at_each_account(scope: TenantScope) -> None:
    first = create(scope, "u1", fields={"name": "Anna"})
    second = create(scope, "u2", customer_id=first.customer_id)
    edit_customer(scope, EditCustomer(first.customer_id, {"phone": "0755-1234"}), actor=OWNER, now=NOW)
    assert found(scope, "0755-1234") == [first.id, second.id]


def found(scope: TenantScope, text: str, *, exact: bool = False) -> list[int]:
    scope.session.flush()
    return sorted(scope.session.scalars(matching_account_ids(text, scope.tenant_id, exact=exact)))


@pytest.mark.parametrize(
    ("text", "exact", "hit"),
    [
        ("陈建", False, True), ("建国", False, True), ("陈", False, True), ("国", False, False), ("陈建国", True, True),
        ("陈建", True, False),
        ("u28", False, True), ("U2840", False, True), ("u28403", True, True), ("5019", False, True),
        ("五和小区 28栋", False, True), ("AABB.CC00.0001", False, True), ("10.9.8.7", False, True),
        ("olt-3", False, True), ("VLAN 1205", False, False), ("1205", False, True), ("remark%", False, False),
        ("50% off", False, True), ("de:ad:be:ef:00:01", False, True), ("10.64.0.9", False, True),
        ("nobody", False, False), ("", False, False),
    ],
)  # fmt: skip
def test_what_finds_an_account(scope: TenantScope, text: str, exact: bool, hit: bool) -> None:
    fields = {
        "name": "陈建国", "phone": "13802655019", "address": "五和小区", "building": "28栋", "room": "403",
        "bind_mac": "aa:bb:cc:00:00:01", "static_ip": "10.9.8.7", "box": "OLT-3", "vlan": "1205", "remark": "50% off",
    }  # fmt: skip
    account = create(scope, "u28403", fields=fields)
    create(scope, "other", fields={"name": "王伟"})
    go_online(scope, account.id, framed_ip="10.64.0.9", mac="de:ad:be:ef:00:01")
    assert found(scope, text, exact=exact) == ([account.id] if hit else [])


def test_sql_and_rule_agree_on_every_state(scope: TenantScope) -> None:
    account = create(scope, "u1")
    instants = [NOW - timedelta(days=1), NOW, NOW + timedelta(days=3), NOW + timedelta(days=3, microseconds=1)]
    seen = set()
    for state, activated, receivable, never, expires in product(
        ("active", "disabled", "held", "closed"), (None, NOW), (0, 1), (False, True), instants
    ):
        values = {"state": state, "activated_at": activated, "receivable": receivable, "never_expires": never}
        force(scope, account.id, expires_at=expires, **values)
        expected = shown_state(account, NOW, 3)
        assert (
            scope.session.scalars(select(shown_state_expression(NOW, 3)).where(Account.id == account.id)).one()
            == expected
        )
        for name, condition in state_conditions(NOW, 3).items():
            holds = scope.session.scalars(select(Account.id).where(Account.id == account.id, condition)).all()
            assert bool(holds) is (name == expected), (name, expected)
        seen.add(expected)
    assert len(seen) == 8


def test_passwords_are_set_shown_and_logged(scope: TenantScope) -> None:
    account = create(scope, "u1")
    epoch = account.selfcare_epoch
    reset_password(scope, account.id, "another-1", actor=OWNER, now=NOW)
    assert account.selfcare_epoch == epoch + 1
    write(scope, "show_password", "1", actor=OWNER, now=NOW)
    assert query_password(scope, account.id, actor=OWNER, now=NOW) == "another-1"
    entries = scope.session.scalars(select(AuditEntry).where(AuditEntry.object_id == str(account.id))).all()
    assert {"account.reset_password", "account.query_password"} <= {entry.action for entry in entries}
    assert not any("another-1" in str(entry.after) for entry in entries)
    write(scope, "show_password", "0", actor=OWNER, now=NOW)
    with pytest.raises(PasswordHidden):
        query_password(scope, account.id, actor=OWNER, now=NOW)


def test_deleting_restoring_and_the_name(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    delete_account(scope, account_id, actor=OWNER, now=NOW)
    with pytest.raises(AccountNotFound):
        find_account(scope, "u1")
    with pytest.raises(UsernameTaken):
        create(scope, "u1")
    restore_account(scope, account_id, actor=OWNER, now=NOW + timedelta(days=29))
    assert find_account(scope, "u1").id == account_id
    delete_account(scope, account_id, actor=OWNER, now=NOW)
    assert not release_name(scope, account_id, now=NOW + timedelta(days=29))
    assert release_name(scope, account_id, now=NOW + timedelta(days=30))
    assert not release_name(scope, account_id, now=NOW + timedelta(days=31))
    create(scope, "u1")
    with pytest.raises(RestoreTooLate):
        restore_account(scope, account_id, actor=OWNER, now=NOW + timedelta(days=30))


@pytest.mark.parametrize("ref", ["u9", "", "' OR 1=1 --", "a\x00", 0, -1, 2**70])
def test_what_is_no_account(scope: TenantScope, ref: Any) -> None:
    with pytest.raises(AccountNotFound):
        find_account(scope, ref)


def test_an_operator_sees_his_regions_and_his_own(scope: TenantScope) -> None:
    account = create(scope, "u1")
    for limits in ({"region_ids": frozenset({0})}, {"own_accounts_only": True, "id": 77}):
        with pytest.raises(AccountNotFound):
            find_account(scope, "u1", actor=replace(OWNER, **limits))  # type: ignore[arg-type]
    assert find_account(scope, "u1", actor=replace(OWNER, region_ids=frozenset({account.region_id}))).id == account.id


def test_the_document_of_an_account(scope: TenantScope) -> None:
    account_id = open_one(scope, "u1", sell(scope))
    go_online(scope, account_id, octets_in=5, octets_out=5_368_709_120, seconds=60, framed_ip="10.0.0.1")
    document = show_account(scope, account_id, NOW)
    assert (document["username"], document["status"], document["plan"]) == ("u1", "normal", "100M month")
    assert (document["balance"], document["receivable"], document["online"]) == ("0.00", "0.00", True)
    assert document["expires_at"].endswith("+08:00")
    (session,) = document["sessions"]
    assert {name: session[name] for name in ("octets_in", "octets_out", "session_seconds", "online")} == {
        "octets_in": 5, "octets_out": 5_368_709_120, "session_seconds": 60, "online": True
    }  # fmt: skip


def test_every_refusal_has_a_stable_code_and_a_sentence() -> None:
    from tenants.subscribers import errors

    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, BusinessError)]
    for kind in kinds:
        assert kind.code
        assert kind.message.endswith((".", "{reason}"))
