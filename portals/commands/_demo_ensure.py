"""The two demonstration tenants that ``broadloom up`` makes: complete, in all states, with logins that it prints."""

import random
from datetime import datetime, timedelta
from decimal import Decimal

from infra import clock
from infra.db import MAIN_CELL, Database
from infra.settings import Settings
from infra.tenant_scope import TenantRef, TenantScope, tenant_scope
from portals.commands._demo_facts import DemoFacts, Login
from tenants.catalog.add_promotion import AddPromotion, add_promotion
from tenants.catalog.queries import list_plans
from tenants.kernel.actor import SYSTEM, Actor
from tenants.network.add_nas import AddNas, add_nas
from tenants.network.add_pool import PoolForm, add_pool
from tenants.network.add_region import RegionForm, add_region, edit_region
from tenants.network.edit_nas import reveal_secret
from tenants.network.find import default_region, find_nas
from tenants.onboarding.create_tenant import NewTenant, create_tenant
from tenants.onboarding.demo_activity import keep_online, tell_activity
from tenants.onboarding.demo_people import LAKESIDE, OWNER_PASSWORD, QINGTENG, STAFF_PASSWORD, DemoIsp
from tenants.onboarding.demo_story import FIRST_NUMBER, Stage, tell_story
from tenants.registry.directory import find_tenant
from tenants.registry.errors import TenantNotFound
from tenants.registry.keys import configure
from tenants.registry.settings import write_many
from tenants.staff.actor import actor_named
from tenants.staff.add_operator import AddOperator, add_operator
from tenants.staff.find import find_role
from tenants.subscribers.errors import AccountNotFound
from tenants.subscribers.find import find_account

ISPS = (QINGTENG, LAKESIDE)
_POOLS = (PoolForm("pppoe", remark="100.64.0.0/16"), PoolForm("expired", "expired", remark="10.99.0.0/16"))
_STORY_DAYS = 400  # how long ago the tenants "were made"


def ensure_demo(settings: Settings) -> DemoFacts:
    """Make what is missing of the demonstration; fast when all is there. A killed run is finished by the next."""
    configure(settings.require_secret_key())
    database = Database(settings.database_url, settings.cells())
    try:
        now = clock.now()
        for isp in ISPS:
            _ensure_isp(database, isp, now)
        return _facts(database, settings, now)
    finally:
        database.dispose()


def _ensure_isp(database: Database, isp: DemoIsp, now: datetime) -> None:
    long_ago = now - timedelta(days=_STORY_DAYS)
    try:
        tenant = find_tenant(database, isp.slug)
    except TenantNotFound:
        tenant = _create(database, isp, long_ago)
    with tenant_scope(database, tenant) as scope:
        shown = f"{isp.username_prefix}{FIRST_NUMBER}"
        if _has_subscribers(scope, isp):
            keep_online(scope, now, keep_offline=shown)
            return
        owner = actor_named(scope, "admin")
        write_many(
            scope,
            {"contact_phone": isp.phone, "contact_name": isp.contact, "system_name": isp.name},
            actor=owner,
            now=long_ago,
        )
        region_ids = [default_region(scope).id]
        edit_region(scope, region_ids[0], RegionForm(isp.regions[0], phone=isp.phone), actor=owner, now=long_ago)
        region_ids += [
            add_region(scope, RegionForm(name, phone=isp.phone), actor=owner, now=long_ago) for name in isp.regions[1:]
        ]
        for pool in _POOLS:
            add_pool(scope, pool, actor=owner, now=long_ago)
        for name, vendor, region in isp.routers:
            command = AddNas(vendor, name=name, region_id=region_ids[region], address="")
            add_nas(scope, command, actor=owner, now=long_ago)
        for username, name in isp.cashiers:
            role_id = find_role(scope, "cashier").id
            cashier = AddOperator(username, STAFF_PASSWORD, role_id, name=name, must_change_password=False)
            add_operator(scope, cashier, actor=owner, now=long_ago)
        stage = Stage(
            scope=scope,
            isp=isp,
            owner=owner,
            cashiers=[actor_named(scope, username) for username, _ in isp.cashiers],
            plans=_plans_by_kind(scope),
            region_ids=region_ids,
            now=now,
            chance=random.Random(isp.slug),
        )
        tell_story(stage)
        tell_activity(scope, now, keep_offline=shown)
        _make_offer(scope, isp, stage.plans["quarter"], owner, now)


def _make_offer(scope: TenantScope, isp: DemoIsp, plan_ids: list[int], owner: Actor, now: datetime) -> None:
    """A promotion that runs, and the notice of it in self-service; past orders know nothing of it."""
    name, notice = isp.offer
    for plan_id in plan_ids:
        offer = AddPromotion(plan_id, name, "amount", Decimal("10.00"), now, now + timedelta(days=8))
        add_promotion(scope, offer, actor=owner, now=now)
    write_many(scope, {"selfcare_notice": notice}, actor=owner, now=now)


def _has_subscribers(scope: TenantScope, isp: DemoIsp) -> bool:
    try:
        find_account(scope, f"{isp.username_prefix}{FIRST_NUMBER}")
    except AccountNotFound:
        return False
    return True


def _plans_by_kind(scope: TenantScope) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for plan in list_plans(scope):
        found.setdefault(plan.kind, []).append(plan.id)
    return found


def _create(database: Database, isp: DemoIsp, now: datetime) -> TenantRef:
    new = NewTenant(
        slug=isp.slug,
        name=isp.name,
        email=f"owner@{isp.slug}.example",
        password=OWNER_PASSWORD,
        contact_name=isp.contact,
        locale=isp.locale,
        timezone="Asia/Shanghai" if isp.locale == "zh" else "America/New_York",
        currency="CNY" if isp.locale == "zh" else "USD",
        cell=MAIN_CELL,
    )
    return create_tenant(database, new, now=now).tenant


def _facts(database: Database, settings: Settings, now: datetime) -> DemoFacts:
    facts = DemoFacts(logins=[login for isp in ISPS for login in _logins(settings, isp)])
    with tenant_scope(database, find_tenant(database, QINGTENG.slug)) as scope:
        router = find_nas(scope, f"{QINGTENG.slug}-{QINGTENG.routers[0][0]}")
        secret = reveal_secret(scope, router.id, actor=SYSTEM, now=now)
    subscriber = FIRST_NUMBER
    return DemoFacts(
        logins=facts.logins,
        radius_user=f"{QINGTENG.username_prefix}{subscriber}",
        radius_password=f"net-{subscriber}",
        nas_identifier=router.identifier,
        nas_secret=secret,
    )


def _logins(settings: Settings, isp: DemoIsp) -> list[Login]:
    base = f"{settings.site_url}/t/{isp.slug}"
    counter = isp.cashiers[0][0]
    return [
        Login(f"{isp.name} · owner", f"{base}/admin/", "admin", OWNER_PASSWORD),
        Login(f"{isp.name} · cashier", f"{base}/admin/", counter, STAFF_PASSWORD),
        Login(f"{isp.name} · subscriber", f"{base}/", f"{isp.username_prefix}{FIRST_NUMBER}", f"net-{FIRST_NUMBER}"),
    ]
