"""Routers: added under identifiers that are unique over the whole cloud (NET-2, TEN-3, TEN-4)."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update

from infra import clock, radius_text
from infra.crypto import NAS_SECRET
from infra.db import Database
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from tenants.audit.models import AuditEntry
from tenants.catalog.add_plan_group import AddPlanGroup, add_plan_group
from tenants.catalog.add_rate_profile import AddRateProfile, add_rate_profile
from tenants.catalog.edit_plan_group import EditPlanGroup, edit_plan_group
from tenants.kernel.actor import SYSTEM, Actor
from tenants.kernel.errors import BusinessError, Forbidden
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.add_region import RegionForm, add_region, delete_region, edit_region
from tenants.network.edit_nas import (
    EditNas,
    delete_nas,
    edit_form,
    edit_nas,
    mark_script_copied,
    renew_secret,
    reveal_secret,
)
from tenants.network.errors import (
    AddressTaken,
    BadStaleTime,
    IdentifierOutsidePrefix,
    IdentifierTaken,
    InterimTooLong,
    InterimTooLongFor,
    LastRegion,
    NasNotFound,
    RegionInUse,
    RegionNameTaken,
    RegionNotFound,
)
from tenants.network.find import default_region, find_nas, find_region
from tenants.network.own_dialects import add_dialect, edit_dialect
from tenants.network.queries import list_nas
from tenants.network.set_replies import SetReplies, set_replies
from tenants.registry.errors import BadSetting, TierLimitReached
from tenants.registry.keys import box_for
from tenants.registry.models import Nas, Tenant
from tenants.registry.settings import write
from tenants.usage.models import RefusedPacket
from tenants.usage.queries_onboarding import onboarding
from tests.fixtures.radius import wait_for
from tests.fixtures.tenants import MakeTenant

OPERATOR = Actor("operator", 1, "Ana", permissions=frozenset({"nas.view", "nas.add", "nas.edit"}))


def add(scope: TenantScope, **values: object):
    return add_nas(scope, AddNas(**{"vendor": "mikrotik", **values}), actor=SYSTEM, now=clock.now())


def form(scope: TenantScope, nas_id: int) -> EditNas:
    nas = find_nas(scope, nas_id)
    return EditNas(nas.id, nas.name, nas.identifier, nas.vendor, coa_port=nas.coa_port)


def test_identifier_and_secret_are_made(scope: TenantScope) -> None:
    prefix = scope.tenant.nas_prefix
    first, second = add(scope, name="Main Street"), add(scope, name="Main street")
    assert (first.identifier, second.identifier) == (f"{prefix}-main-street", f"{prefix}-main-street2")
    assert first.secret != second.secret
    nas = find_nas(scope, first.identifier)
    assert nas.message_authenticator == "required"
    assert nas.coa_port == 3799
    assert find_nas(scope, add(scope, vendor="cisco").nas_id).coa_port == 1700
    assert box_for(scope).open(nas.secret_sealed, NAS_SECRET).decode() == first.secret
    assert first.secret.encode() not in nas.secret_sealed


def test_how_long_its_sessions_may_be_silent(scope: TenantScope) -> None:
    nas_id = add(scope, stale_minutes=10).nas_id  # two intervals of five minutes
    change = form(scope, nas_id)
    assert edit_form(find_nas(scope, nas_id)).stale_minutes == 10
    for minutes in (0, 9, 10_081):
        with pytest.raises(BadStaleTime) as refused:
            edit_nas(scope, replace(change, stale_minutes=minutes), actor=OPERATOR, now=clock.now())
        assert refused.value.field == "stale_minutes"
        assert "Give 10 to 10080 minutes: the router reports every 300 seconds" in str(refused.value)
        with pytest.raises(BadStaleTime):
            add(scope, stale_minutes=minutes)
    # What makes it report more rarely is refused, too, until the router has more time.
    rarely = SetReplies(nas_id, extra="Acct-Interim-Interval := 1800")
    for stale in (10, None):
        edit_nas(scope, replace(change, stale_minutes=stale), actor=OPERATOR, now=clock.now())
        with pytest.raises(InterimTooLong) as of_extra:
            set_replies(scope, rarely, actor=OPERATOR, now=clock.now())
        assert of_extra.value.field == "extra"
        assert f"ended after {stale or 20} minutes without one; first give the router 60" in str(of_extra.value)
    edit_nas(scope, replace(change, stale_minutes=10), actor=OPERATOR, now=clock.now())
    with pytest.raises(BadSetting) as of_all:
        write(scope, "interim_seconds", "600", actor=SYSTEM, now=clock.now())
    assert "end after 10 silent minutes; give it 20 or more first" in str(of_all.value)
    write(scope, "interim_seconds", "240", actor=SYSTEM, now=clock.now())
    edit_nas(scope, replace(change, stale_minutes=60), actor=OPERATOR, now=clock.now())
    set_replies(scope, rarely, actor=OPERATOR, now=clock.now())
    write(scope, "interim_seconds", "3600", actor=SYSTEM, now=clock.now())  # this router has its own interval
    with pytest.raises(BadStaleTime):
        edit_nas(scope, replace(change, stale_minutes=59), actor=OPERATOR, now=clock.now())
    edit_nas(scope, change, actor=OPERATOR, now=clock.now())
    assert find_nas(scope, nas_id).stale_seconds is None
    with pytest.raises(BadSetting, match="end after 20 silent minutes; give it 60 or more first"):
        write(scope, "interim_seconds", "300", actor=SYSTEM, now=clock.now())
    write(scope, "interim_seconds", "1800", actor=SYSTEM, now=clock.now())
    write(scope, "stale_intervals", "2", actor=SYSTEM, now=clock.now())
    set_replies(scope, SetReplies(nas_id), actor=OPERATOR, now=clock.now())
    edit_nas(scope, replace(change, stale_minutes=600), actor=OPERATOR, now=clock.now())
    write(scope, "interim_seconds", "300", actor=SYSTEM, now=clock.now())
    set_replies(scope, rarely, actor=OPERATOR, now=clock.now())
    with pytest.raises(InterimTooLong) as of_router:
        edit_nas(scope, change, actor=OPERATOR, now=clock.now())
    assert of_router.value.field == "stale_minutes"


def test_plan_groups_and_dialects_may_not_make_reports_too_rare(scope: TenantScope) -> None:
    """A plan group's Acct-Interim-Interval let open sessions be closed as silent: of all its routers (RAD-5)."""
    now, nas_id = clock.now(), add(scope, name="r1", stale_minutes=None).nas_id  # 20 minutes, as usual
    rates = add_rate_profile(scope, AddRateProfile("2M", 2_000_000, 2_000_000), actor=SYSTEM, now=now).id

    def group(name: str, seconds: int | None) -> AddPlanGroup:
        extra = "" if seconds is None else f"Acct-Interim-Interval := {seconds}"
        return AddPlanGroup(name, rates, options={"extra": extra})

    with pytest.raises(InterimTooLongFor, match="every 900 seconds, sessions of the router r1 would") as no:
        add_plan_group(scope, group("Fast", 900), actor=SYSTEM, now=now)
    assert no.value.field == "extra"
    made = add_plan_group(scope, group("Fast", 600), actor=SYSTEM, now=now)
    change = edit_form(find_nas(scope, nas_id))
    with pytest.raises(BadStaleTime, match="Give 20 to 10080"):
        edit_nas(scope, replace(change, stale_minutes=19), actor=SYSTEM, now=now)
    with pytest.raises(BadStaleTime):
        add(scope, stale_minutes=19)
    with pytest.raises(BadSetting, match="end after 10 silent minutes; give it 20 or more first"):
        write(scope, "stale_intervals", "2", actor=SYSTEM, now=now)
    edit_nas(scope, replace(change, stale_minutes=30), actor=SYSTEM, now=now)
    values = EditPlanGroup(made.id, group("Fast", 900))
    edit_plan_group(scope, values, actor=SYSTEM, now=now)
    with pytest.raises(InterimTooLong, match="every 900 seconds"):
        edit_nas(scope, change, actor=SYSTEM, now=now)
    with pytest.raises(InterimTooLong, match="after 20 minutes"):
        add(scope)
    # A router that is told otherwise by its own attributes does not mind.
    set_replies(scope, SetReplies(nas_id, extra="Acct-Interim-Interval := 300"), actor=SYSTEM, now=now)
    edit_nas(scope, change, actor=SYSTEM, now=now)
    with pytest.raises(InterimTooLong):
        set_replies(scope, SetReplies(nas_id), actor=SYSTEM, now=now)
    edit_plan_group(scope, EditPlanGroup(made.id, group("Fast", None)), actor=SYSTEM, now=now)
    set_replies(scope, SetReplies(nas_id), actor=SYSTEM, now=now)
    # An own dialect in which an interval stands.
    usual = (Path(radius_text.__file__).parent / "dialect_data" / "standard.txt").read_text()
    seldom = usual.replace("{interim_seconds}", "900")
    assert seldom != usual
    own = add_dialect(scope, "mine", seldom, actor=SYSTEM, now=now)
    with pytest.raises(InterimTooLong):
        edit_nas(scope, replace(change, vendor="own-mine"), actor=SYSTEM, now=now)
    edit_dialect(scope, own, usual, actor=SYSTEM, now=now)
    edit_nas(scope, replace(change, vendor="own-mine"), actor=SYSTEM, now=now)
    with pytest.raises(InterimTooLongFor, match="r1") as of_text:
        edit_dialect(scope, own, seldom, actor=SYSTEM, now=now)
    assert of_text.value.field == "text"


def test_an_identifier_is_taken_in_the_whole_cloud(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = two_isps
    with tenant_scope(database, charlie) as scope:
        mine = add(scope, name="r1").identifier
        with pytest.raises(IdentifierTaken):
            add(scope, identifier=mine)
    with tenant_scope(database, alice) as scope:
        with pytest.raises(IdentifierOutsidePrefix):
            add(scope, identifier=mine)
        with pytest.raises(NasNotFound):
            find_nas(scope, mine)
        assert list_nas(scope) == []
        assert scope.registry.scalar(select(func.count()).select_from(Nas)) == 0


def test_a_longer_prefix_belongs_to_its_own_tenant(database: Database, make_tenant: MakeTenant) -> None:
    short = make_tenant()
    make_tenant(f"{short.slug}-west")
    with tenant_scope(database, short) as scope:
        with pytest.raises(IdentifierTaken):
            add(scope, identifier=f"{short.slug}-west-r1")
        assert add(scope, identifier=f"{short.slug}-westend").identifier


def test_two_who_add_the_same_at_once(database: Database, tenant: TenantRef) -> None:
    def go(number: int) -> str:
        try:
            with tenant_scope(database, tenant) as scope:
                return add(scope, name=f"r{number}", identifier=f"{tenant.slug}-same").identifier
        except BusinessError as error:
            return error.code

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(go, range(4)))
    assert answers.count("nas_identifier_taken") == 3


@pytest.mark.parametrize("renames", [False, True])
def test_two_who_give_one_name_at_once(database: Database, tenant: TenantRef, renames: bool) -> None:
    """Neither sees the other's before it is committed; the database decides, and the later one is told in words."""
    with tenant_scope(database, tenant) as scope:
        other = add(scope, name="other").nas_id
        delete_nas(scope, add(scope, name="Roof").nas_id, actor=SYSTEM, now=clock.now())  # its name is free again

    def late() -> str:
        with tenant_scope(database, tenant) as scope:
            try:
                if renames:
                    edit_nas(scope, replace(form(scope, other), name="Roof"), actor=SYSTEM, now=clock.now())
                else:
                    add(scope, name="Roof", identifier=f"{tenant.slug}-late")
            except BusinessError as error:
                still = find_nas(scope, other).name  # the form can be shown again
                return f"{error.code} {error.field} {still}"
            return ""

    with ThreadPoolExecutor(1) as pool:
        with tenant_scope(database, tenant) as scope:
            add(scope, name="Roof")
            scope.registry.flush()
            answer = pool.submit(late)
            waits = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
            wait_for(lambda: answer.done() or scope.registry.scalar(text(waits)))
        assert answer.result() == "nas_name_taken name other"


def test_a_fixed_address_names_one_router(database: Database, two_isps: tuple[TenantRef, TenantRef]) -> None:
    charlie, alice = two_isps
    address = f"198.51.100.{charlie.id % 250 + 1}"
    with tenant_scope(database, charlie) as scope:
        add(scope, name="a", address=address, auth_mode="address")
    with tenant_scope(database, alice) as scope:
        with pytest.raises(AddressTaken):
            add(scope, name="b", address=address, auth_mode="address")
        add(scope, name="c", address=address)  # recognised by its identifier: no conflict


def test_editing_and_deleting(scope: TenantScope) -> None:
    one, two = add(scope, name="one"), add(scope, name="two")
    region = add_region(scope, RegionForm("West"), actor=SYSTEM, now=clock.now())
    wanted = replace(form(scope, one.nas_id), name="First", region_id=region, address="203.0.113.7", coa_port=1700)
    edit_nas(scope, wanted, actor=SYSTEM, now=clock.now())
    assert [row.region for row in list_nas(scope) if row.id == one.nas_id] == ["West"]
    with pytest.raises(IdentifierTaken):
        edit_nas(scope, replace(wanted, identifier=two.identifier), actor=SYSTEM, now=clock.now())
    with pytest.raises(RegionNotFound):
        edit_nas(scope, replace(wanted, region_id=999), actor=SYSTEM, now=clock.now())
    with pytest.raises(RegionInUse):
        delete_region(scope, region, actor=SYSTEM, now=clock.now())
    delete_nas(scope, one.nas_id, actor=SYSTEM, now=clock.now())
    with pytest.raises(NasNotFound):
        find_nas(scope, one.identifier)
    assert add(scope, identifier=one.identifier).nas_id != one.nas_id  # the name is free again
    delete_region(scope, region, actor=SYSTEM, now=clock.now())
    entry = scope.session.scalars(select(AuditEntry).where(AuditEntry.action == "nas.edit")).one()
    assert entry.after == {"name": "First", "region_id": region, "address": "203.0.113.7", "coa_port": 1700}
    assert "secret" not in str(entry.before)


def test_rights(scope: TenantScope) -> None:
    with pytest.raises(Forbidden):
        add_nas(scope, AddNas("mikrotik"), actor=Actor("operator", 1, "x"), now=clock.now())
    nas_id = add_nas(scope, AddNas("mikrotik"), actor=OPERATOR, now=clock.now()).nas_id
    for refused in (delete_nas, renew_secret):
        with pytest.raises(Forbidden):
            refused(scope, nas_id, actor=OPERATOR, now=clock.now())


def test_the_secret_is_shown_freely_only_until_the_first_packet(scope: TenantScope) -> None:
    added = add_nas(scope, AddNas("mikrotik"), actor=OPERATOR, now=clock.now())
    assert reveal_secret(scope, added.nas_id, actor=OPERATOR, now=clock.now()) == added.secret
    find_nas(scope, added.nas_id).first_packet_at = clock.now()
    with pytest.raises(Forbidden):
        reveal_secret(scope, added.nas_id, actor=OPERATOR, now=clock.now())
    assert reveal_secret(scope, added.nas_id, actor=SYSTEM, now=clock.now()) == added.secret
    seen = select(func.count()).where(AuditEntry.action == "nas.reveal_secret")
    assert scope.session.scalar(seen) == 1
    new = renew_secret(scope, added.nas_id, actor=SYSTEM, now=clock.now())
    assert new != added.secret
    assert find_nas(scope, added.nas_id).first_packet_at is None  # the onboarding begins again


def test_the_tier_limits_routers(database: Database, make_tenant: MakeTenant) -> None:
    with tenant_scope(database, make_tenant(tier="free")) as scope:
        add(scope)
        add(scope)
        with pytest.raises(TierLimitReached, match="Free includes 2 nas, and 2 exist already"):
            add(scope)


def test_onboarding_tells_how_far_a_router_is(scope: TenantScope) -> None:
    before = clock.now()
    added, now = add(scope, name="hap"), clock.now()
    other = add(scope, name="other")
    seen = onboarding(scope, added.nas_id, now=now + timedelta(seconds=90))
    assert [step.state for step in seen.steps] == ["done", "now", "later", "later"]
    assert 89 <= seen.waiting_seconds <= 90 + (now - before).total_seconds()
    mark_script_copied(scope, added.nas_id, actor=SYSTEM, now=now)
    packet = {"tenant_id": scope.tenant_id, "at": now + timedelta(seconds=5), "source": "192.0.2.7:49152", "code": 1}
    scope.session.add_all(
        [
            RefusedPacket(
                **packet, nas_id=added.nas_id, nas_identifier=added.identifier, reason="wrong_secret", repeats=4
            ),
            RefusedPacket(**packet, nas_identifier=f"{scope.tenant.slug}-happ", reason="unknown_nas"),
            RefusedPacket(**packet, nas_id=other.nas_id, nas_identifier=other.identifier, reason="wrong_secret"),
        ]
    )
    seen = onboarding(scope, added.nas_id, now=now + timedelta(seconds=90))
    assert [step.state for step in seen.steps] == ["done", "done", "now", "later"]
    assert seen.refused_count == 5
    assert {attempt.reason for attempt in seen.refused} == {"wrong_secret", "unknown_nas"}
    assert all(attempt.words is not None for attempt in seen.refused)
    find_nas(scope, added.nas_id).first_packet_at = now
    seen = onboarding(scope, added.nas_id, now=now + timedelta(seconds=90))
    assert [step.state for step in seen.steps] == ["done", "done", "done", "now"]
    assert seen.waiting_seconds == 0
    find_nas(scope, added.nas_id).first_online_at = now
    assert onboarding(scope, added.nas_id, now=now).finished


def test_regions(scope: TenantScope) -> None:
    first = default_region(scope)
    with pytest.raises(LastRegion):
        delete_region(scope, first.id, actor=SYSTEM, now=clock.now())
    west = add_region(scope, RegionForm("West", phone="123456"), actor=SYSTEM, now=clock.now())
    with pytest.raises(RegionNameTaken):
        edit_region(scope, west, RegionForm(first.name), actor=SYSTEM, now=clock.now())
    edit_region(scope, west, RegionForm("West End"), actor=SYSTEM, now=clock.now())
    assert find_region(scope, "West End").id == find_region(scope, str(west)).id == west
    with pytest.raises(RegionInUse, match="3 accounts"):
        delete_region(scope, west, actor=SYSTEM, now=clock.now(), accounts=3)
    with pytest.raises(Forbidden):
        add_region(scope, RegionForm("X"), actor=OPERATOR, now=clock.now())


def test_a_suspended_name_stays_with_its_tenant(database: Database, tenant: TenantRef) -> None:
    """Registry rows of one tenant cannot be changed from another's scope, whatever the statement says."""
    with tenant_scope(database, tenant) as scope:
        changed = scope.registry.execute(update(Tenant).values(directory_version=Tenant.directory_version + 1)).rowcount
        assert changed == 1
