"""Many routers from a table, or from the configuration of a FreeRADIUS (NET-2)."""

from io import BytesIO

from sqlalchemy import select

from infra import clock
from portals.shared import uploads
from tenants.network.edit_nas import reveal_secret
from tenants.registry.models import Nas
from tests.fixtures.accounts import OWNER


def test_a_table_may_come_as_a_file_of_a_chinese_spreadsheet(desk, monkeypatch):
    monkeypatch.setattr(uploads, "_LARGEST_OCTETS", 2_000)
    wanted = "名称,厂商,备注\r\n楼顶,huawei,三号楼\r\n"

    def send(data: bytes) -> str:
        return desk.submit("/routers/import", {"table": "", "table_file": (BytesIO(data), "r.csv")}).get_data(
            as_text=True
        )

    assert "Save the spreadsheet as CSV first." in send(b"PK\x03\x04rest")
    assert "This is no text file." in send(b"\x00\x01")
    assert "The file is larger than 1 MB." in send(b"name\n" * 500)
    assert "it has no rows" in send("名称".encode())
    assert "楼顶" in send(wanted.encode("gb18030"))
    with desk.scope() as scope:
        nas = scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).one()
        assert (nas.name, nas.vendor, nas.remark) == ("楼顶", "huawei", "三号楼")


def test_many_routers_at_once(desk):
    rows = ("North;huawei;;;", "South;toaster;;;", "West;mikrotik;x;;", "East;zte;;nowhere;")
    table = "\n".join(("name;vendor;coa_port;region;timezone", *rows))
    answer = desk.submit("/routers/import", {"table": table})
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert page.count('class="bad"') == 3
    good = "name;vendor;address;timezone\nNorth;huawei;203.0.113.201;Asia/Tokyo\nSouth;;;\n"
    assert desk.submit("/routers/import", {"table": good, "do": "check"}).status_code == 200
    with desk.scope() as scope:
        assert scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).all() == []
    written = desk.submit("/routers/import", {"table": good}).get_data(as_text=True)
    with desk.scope() as scope:
        found = scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id).order_by(Nas.id)).all()
        assert [(nas.name, nas.vendor, nas.timezone) for nas in found] == [
            ("North", "huawei", "Asia/Tokyo"),
            ("South", "mikrotik", ""),
        ]
        assert all(nas.identifier in written for nas in found)
    for table in ("colour\nred\n", "", "name\n" + "x\n" * 2_001):
        assert desk.submit("/routers/import", {"table": table}).status_code == 422


def test_the_clients_of_a_freeradius(desk):
    good = "client one {\n ipaddr = 203.0.113.77\n secret = geheim-7391\n nas_type = huawei\n}\n"
    bad = "client net {\n ipaddr = 10.0.0.0/24\n secret = geheim-7391\n}\n"
    bad += "client short {\n ipaddr = *\n secret = short\n}\n"
    answer = desk.submit("/routers/import", {"table": good + bad})
    assert answer.status_code == 422
    assert "10.0.0.0/24 is a network" in desk.text()
    assert "A shared secret has 8 to 60" in desk.text()
    desk.submit("/routers/import", {"table": "", "table_file": (BytesIO(good.encode()), "clients.conf")})
    with desk.scope() as scope:
        nas = scope.registry.scalars(select(Nas).where(Nas.tenant_id == scope.tenant_id)).one()
        assert (nas.name, nas.vendor, nas.auth_mode, str(nas.address)) == ("one", "huawei", "address", "203.0.113.77")
        assert reveal_secret(scope, nas.id, actor=OWNER, now=clock.now()) == "geheim-7391"
