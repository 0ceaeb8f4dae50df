"""Own dialects and what a router is told beyond its make's: written, checked line by line, tried (NET-2…4)."""

import re
from datetime import timedelta

from sqlalchemy import select

from infra import clock
from infra.radius_text.dialects import dialect_text
from tenants.network.models import OwnDialect
from tenants.registry.models import Nas
from tests.fixtures.accounts import open_one, sell, set_expiry

GOOD = "title Our OLT\nrate-unit kbit/s\n[accept]\nFilter-Id = {up}-{down}\n"


def dialects(desk) -> list[OwnDialect]:
    with desk.scope() as scope:
        return list(scope.registry.scalars(select(OwnDialect).where(OwnDialect.tenant_id == scope.tenant_id)))


def test_a_dialect_from_a_makes_text_to_a_router(desk):
    assert "Huawei-Input-Average-Rate = {up}" in desk.get("/dialects/new?make=huawei").get_data(as_text=True)
    with desk.scope() as scope:
        account_id = open_one(scope, "alice", sell(scope))

    wrong = GOOD + "Nonsense = 1\nFramed-Pool = {pol}\n"
    answer = desk.submit("/dialects/new", {"name": "olt", "text": wrong, "do": "preview"})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert '<td class="num b">5</td><td class="two"><code>Nonsense = 1</code>' in page
    assert '<td class="num b">6</td>' in page
    assert dialects(desk) == []

    page = desk.submit("/dialects/new", {"name": "olt", "text": GOOD, "account": "alice", "do": "preview"})
    assert "Filter-Id</td>" in page.get_data(as_text=True)
    assert (
        desk.submit("/dialects/new", {"name": "olt", "text": GOOD, "account": "nobody", "do": "preview"}).status_code
        == 422
    )
    desk.submit("/dialects/new", {"name": "OLT", "text": GOOD})
    [row] = dialects(desk)
    assert (row.key, row.version) == ("own-olt", 1)
    assert desk.submit("/dialects/new", {"name": "olt", "text": GOOD}).status_code == 422
    assert desk.submit("/dialects/new", {"name": "o l t", "text": GOOD}).status_code == 422

    fields = {"name": "OLT 1", "vendor": "own-olt", "auth_mode": "identifier", "message_authenticator": "required"}
    desk.submit("/routers/new", fields)
    with desk.scope() as scope:
        nas = scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).one()
        nas_id, vendor = nas.id, nas.vendor
    assert vendor == "own-olt"
    assert "Our OLT" in desk.get(f"/routers/{nas_id}/edit").get_data(as_text=True)
    desk.submit(f"/dialects/{row.id}/edit", {"text": dialect_text("zte")})
    [row] = dialects(desk)
    assert (row.version, row.text.split()[1]) == (2, "ZTE")
    desk.submit(f"/dialects/{row.id}/edit", {}, to=f"/dialects/{row.id}/delete")  # a router speaks it
    assert len(dialects(desk)) == 1

    replies = f"/routers/{nas_id}/replies"
    trial = {"account": "alice", "do": "preview"}
    late = {"expired_pool": "late", "expired_down": "1M", "expired_up": "1M"}
    soon = {"expiring_days": "3", "expiring_pool": "soon"}
    assert "Framed-Pool" not in desk.submit(replies, trial | late | soon).get_data(as_text=True)
    for left, told in ((timedelta(days=1), "soon"), (timedelta(hours=-1), "late")):
        with desk.scope() as scope:
            set_expiry(scope, account_id, clock.now() + left)
        page = desk.submit(replies, trial | late | soon).get_data(as_text=True)
        assert re.search(rf"Framed-Pool</td><td[^>]*>{told}<", page)
    refused = desk.submit(replies, trial | soon)
    assert refused.status_code == 422
    assert "The account alice has expired: its login would be refused." in refused.get_data(as_text=True)
    with desk.scope() as scope:
        set_expiry(scope, account_id, clock.now() + timedelta(days=30))
    bad = desk.submit(replies, {"extra": "Session-Timeout = 60\nUser-Password = x"})
    assert bad.status_code == 422
    assert '<td class="num b">2</td>' in bad.get_data(as_text=True)
    assert desk.submit(replies, {"expired_redirect_url": "not a url"}).status_code == 422
    assert desk.submit(replies, {"expired_dns1": "x"}).status_code == 422
    tried = desk.submit(replies, {"extra": "Session-Timeout = 60", "account": "alice", "do": "preview"})
    assert "Session-Timeout</td>" in tried.get_data(as_text=True)
    wanted = {
        "extra": "Session-Timeout = 60", "rate_unit": "kbit/s", "expired_pool": "late", "expired_down": "1M",
        "expired_up": "512k", "expiring_days": "3", "expiring_address_list": "soon", "region_only": "1",
        "coa_rate": "9",
    }  # fmt: skip
    desk.submit(replies, wanted)
    with desk.scope() as scope:
        options = scope.registry.scalar(select(Nas.options).where(Nas.id == nas_id))
    assert options == {
        "extra": "Session-Timeout = 60", "rate_unit": "kbit/s", "region_only": True, "coa_rate": 9,
        "expired": {"pool": "late", "up_bps": 512_000, "down_bps": 1_000_000},
        "expiring": {"address_list": "soon"}, "expiring_days": 3,
    }  # fmt: skip
    assert 'value="late"' in desk.get(replies).get_data(as_text=True)
