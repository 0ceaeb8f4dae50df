"""What goes to the spool while the database is away: all that the database will need, and each request its answer."""

import asyncio
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from infra.radius_text.dialects import dialect_for
from radius_cluster.counters import Counters
from radius_cluster.listen.receive import Request
from radius_cluster.process.accounting_record import KIND, OCTETS_IN, SESSION
from radius_cluster.process.accounting_request import Accounting
from radius_cluster.process.spool import Line, Spool
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.packet import Packet, parse

MAC, PORT, PREFIX = "02:00:00:00:00:07", "ether2", b"\0\x40\x20\x01\x0d\xb8\0\0\0\x01"
DETAILS = encode.text(codes.CALLING_STATION_ID, MAC) + encode.text(codes.NAS_PORT_ID, PORT)


class Way:
    """Where answers go."""

    def __init__(self) -> None:
        self.duplicates = SimpleNamespace(answers={})
        self.answered: list[int] = []

    def send(self, reply: bytes, _destination: Any) -> None:
        assert reply[0] == codes.ACCOUNTING_RESPONSE
        self.answered.append(reply[1])


class Router:
    """Its reports, in the order of their identifiers."""

    def __init__(self) -> None:
        self.way = Way()
        tenant = SimpleNamespace(id=7, slug="one", day_number=lambda at: int(at // 86_400))
        self.nas: Any = SimpleNamespace(
            id=3, secret=b"radius-secret", tenant=tenant, counts={}, touched=False, stored=0, invert=False,
            dialect=dialect_for("mikrotik"), seen=7,
        )  # fmt: skip
        self._next = 0

    def report(self, kind: int, session: str = "", octets: int = 0, more: bytes = b"") -> Request:
        self._next += 1
        body = encode.number(codes.ACCT_STATUS_TYPE, kind) + more
        if session:
            body += encode.text(codes.ACCT_SESSION_ID, session) + encode.text(codes.USER_NAME, "alice") + DETAILS
            body += encode.number(codes.ACCT_INPUT_OCTETS, octets) + encode.number(codes.ACCT_SESSION_TIME, octets)
        packet = parse(
            bytes((codes.ACCOUNTING_REQUEST, self._next)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
        )
        assert isinstance(packet, Packet)
        return Request(packet, self.nas, self.way, ("192.0.2.1", 1), b"%d" % self._next, time.time())


def spooled(folder: Path, *reports: Request) -> list[Line]:
    """The lines of these reports, as a replay finds them."""

    async def write() -> list[Line]:
        spool = Spool(folder, "main")
        accounting = Accounting("postgresql://nobody@127.0.0.1:1/none", "main", Counters(), spool)
        accounting._spooling = True
        for report in reports:
            accounting.submit(report)
        writing = accounting._writing
        assert writing is not None
        await writing
        lines = spool.next_lines(0.0)
        accounting.close()
        return lines

    return asyncio.run(write())


def test_every_report_is_answered_also_those_that_were_merged_and_an_accounting_on(tmp_path: Path) -> None:
    router = Router()
    lines = spooled(
        tmp_path, router.report(codes.ACCT_START, "s1"), router.report(codes.ACCT_INTERIM, "s1", 60),
        router.report(codes.ACCT_INTERIM, "s1", 120), router.report(codes.ACCT_ON),
        router.report(codes.ACCT_START, "s2"),
    )  # fmt: skip
    assert sorted(router.way.answered) == [1, 2, 3, 4, 5]
    start, interim, on, after = lines
    assert [(row[SESSION], row[KIND], row[OCTETS_IN]) for row in (*start, *interim, *after)] == [
        ("s1", codes.ACCT_START, 0), ("s1", codes.ACCT_INTERIM, 120), ("s2", codes.ACCT_START, 0),
    ]  # fmt: skip
    assert on[:3] == ["close", 7, 3]
    assert abs(on[3] - time.time()) < 60
    assert on[4:] == [101]  # the history's cause: the router began anew


def test_a_report_whose_start_may_be_lost_goes_with_all_that_it_says_of_its_session(tmp_path: Path) -> None:
    """Also with what only the earlier of two that were merged said."""
    router = Router()
    first = router.report(codes.ACCT_INTERIM, "s1", 60, encode.octets(codes.FRAMED_IPV6_PREFIX, PREFIX))
    [[row]] = spooled(tmp_path, first, router.report(codes.ACCT_INTERIM, "s1", 120))
    assert row[14:] == [MAC, None, None, PORT, None, "2001:db8:0:1::/64", None]
    assert row[OCTETS_IN] == 120


def test_an_accounting_on_that_waited_at_the_router_closes_what_was_there_when_it_began(tmp_path: Path) -> None:
    router = Router()
    [on] = spooled(tmp_path, router.report(codes.ACCT_ON, more=encode.number(codes.ACCT_DELAY_TIME, 600)))
    assert abs(on[3] - (time.time() - 600)) < 60
