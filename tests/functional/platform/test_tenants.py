"""Finding a tenant, looking at it, suspending and resuming it (TEN-5)."""

from infra.tenant_scope import tenant_scope
from tests.fixtures.accounts import go_online, open_one, sell
from tests.fixtures.tenants import OWNER_PASSWORD
from tests.fixtures.web import Web


def furnish(database, tenant, accounts=2):
    with tenant_scope(database, tenant) as scope:
        plan = sell(scope)
        for number in range(accounts):
            account_id = open_one(scope, f"u{number}", plan)
        go_online(scope, account_id)


def test_the_list_finds_a_tenant_and_counts_what_it_holds(ops, make_tenant):
    tenant = make_tenant(name="Findable Net", tier="free")
    furnish(ops.database, tenant)
    page = ops.get(f"tenants/?q={tenant.slug}")
    assert "Findable Net" in page
    assert "2 / 100" in page
    assert "1 tenant" in page
    assert "Nothing fits these conditions." in ops.get("tenants/?q=no-such-tenant")
    assert "Findable Net" not in ops.get(f"tenants/?q={tenant.slug}&state=suspended")


def test_the_list_is_walked_page_by_page(ops, make_tenant):
    for number in range(3):
        make_tenant(name=f"Walk {number}", database=ops.database)
    page = ops.get("tenants/?q=Walk&size=25&sort=-created")
    assert page.index("Walk 2") < page.index("Walk 0")


def test_a_tenants_page_tells_sizes_addresses_and_its_schema(ops, make_tenant):
    tenant = make_tenant()
    furnish(ops.database, tenant, accounts=3)
    page = ops.get(f"tenants/{tenant.id}")
    assert "Accounts 3" in page
    assert f"/t/{tenant.slug}/admin/" in page
    assert f"t_{tenant.id}" in page
    assert f"owner@{tenant.slug}.example" in page
    ops.get("tenants/999999")
    assert ops.status == 404


def test_suspending_asks_for_a_reason_and_the_address_typed(ops, tenant):
    path = f"tenants/{tenant.id}/suspend"
    assert "Fill this in." in ops.submit(path, {"reason": "", "typed": tenant.slug})
    page = ops.submit(path, {"reason": "9 days overdue", "typed": "something"})
    assert ops.status == 422
    assert f"Type exactly {tenant.slug}." in page
    assert "9 days overdue" in ops.web.last.get_data(as_text=True)  # what was typed stays
    page = ops.submit(path, {"reason": "9 days overdue", "typed": tenant.slug})
    assert "is suspended. Nobody of it can work until it is resumed." in page
    assert "Reason: 9 days overdue" in page
    assert ops.log()[-1] == "tenant.suspend"


def test_staff_of_a_suspended_tenant_read_the_reason_and_work_again_after_it(ops, tenant):
    staff = Web(ops.app)
    login = {"username": f"owner@{tenant.slug}.example", "password": OWNER_PASSWORD}
    staff.submit(f"/t/{tenant.slug}/admin/login", login)
    ops.submit(f"tenants/{tenant.id}/suspend", {"reason": "9 days overdue", "typed": tenant.slug})
    assert staff.get(f"/t/{tenant.slug}/admin/").status_code == 403
    assert "The platform suspended them: 9 days overdue" in staff.text()
    assert "The tenant works again." in ops.submit(f"tenants/{tenant.id}", to=f"tenants/{tenant.id}/resume")
    assert staff.get(f"/t/{tenant.slug}/admin/").status_code == 200
    assert ops.log()[-1] == "tenant.resume"


def test_resuming_one_that_runs_is_refused_in_words(ops, tenant):
    page = ops.submit(f"tenants/{tenant.id}", to=f"tenants/{tenant.id}/resume")
    assert ops.status == 409
    assert f"The tenant {tenant.slug} is active already." in page
