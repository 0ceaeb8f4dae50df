"""User names as routers and people write them: with a realm, a domain, capitals, blanks, in GB 18030 (RAD-2)."""

import secrets

import pytest

from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes, mschap
from radius_cluster.wire.user_names import other_spellings
from tests.fixtures.radius import Client, Processes, World, wait_for
from tests.integration.radius.test_eap_logins import Device

ACCEPT, REJECT = codes.ACCESS_ACCEPT, codes.ACCESS_REJECT
SPELLINGS = ("Alice", "alice@pppoe", "ISP\\alice", "alice ", "ALICE@Isp")


def account_of(answer) -> bytes:
    assert answer is not None
    return answer.value(codes.CLASS).rpartition(b".")[2].lstrip(b"0")


def by_mschap(router: Client, name: str, hashed_name: bytes) -> int:
    """Logs in by MS-CHAPv2 as somebody whose computer hashed this name."""
    challenge, peer = secrets.token_bytes(16), secrets.token_bytes(16)
    eight = mschap.challenge_hash(peer, challenge, hashed_name)
    response = mschap.challenge_response(eight, mschap.nt_hash("secret"))
    extra = encode.vendor(codes.VENDOR_MICROSOFT, codes.MS_CHAP_CHALLENGE, challenge)
    extra += encode.vendor(codes.VENDOR_MICROSOFT, codes.MS_CHAP2_RESPONSE, b"\1\0" + peer + bytes(8) + response)
    answer = router.ask(router.access(name, method="none", extra=extra))
    assert answer is not None
    return answer.code


def test_an_account_is_found_in_other_spellings(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    alice = world.subscriber(tenant, "alice", max_sessions=0)
    bob = world.subscriber(tenant, "bob", max_sessions=0)
    whole = world.subscriber(tenant, "bob@isp", max_sessions=0)
    carol = world.subscriber(tenant, "Carol", max_sessions=0)
    dave = world.subscriber(tenant, "Dave@Isp", max_sessions=0)
    for name in ("eve", "Eve", "Fred", "FRED"):
        world.subscriber(tenant, name, max_sessions=0)
    world.subscriber(world.tenant(), "Grace", max_sessions=0)  # another provider's
    processes.start()
    router = client(identifier)
    for name in SPELLINGS:
        assert account_of(router.log_in(name)) == b"%d" % alice, name
        assert account_of(router.log_in(name, method="chap")) == b"%d" % alice, name
    assert by_mschap(router, "ISP\\alice", b"alice") == ACCEPT
    assert by_mschap(router, "alice@isp", b"alice@isp") == ACCEPT
    assert Device(client(identifier), "alice@isp").log_in("secret").code == ACCEPT
    assert account_of(router.log_in("bob@isp")) == b"%d" % whole  # the very name goes before
    assert account_of(router.log_in("bob@other")) == b"%d" % bob
    for name in ("carol", "CAROL", "Carol@other", "isp\\carol "):
        assert account_of(router.log_in(name)) == b"%d" % carol, name
    assert by_mschap(router, "ISP\\carol", b"carol") == ACCEPT
    assert account_of(router.log_in("dave@isp")) == b"%d" % dave
    for name in ("eve", "Eve", "Fred@isp", "isp\\FRED"):
        assert router.log_in(name).code == ACCEPT, name
    unknown = ("EVE", "eVe@isp", "fred", "Fred2", "grace", "bobby@isp", "@isp", "isp\\")  # or: which of two?
    nobody = [client(identifier).access(name) for name in unknown]
    asked = [client(identifier) for _ in nobody]
    for one, request in zip(asked, nobody, strict=True):
        one.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    assert [one.socket.recvfrom(4096)[0][0] for one in asked] == [REJECT] * len(nobody)


def test_guesses_in_many_spellings_are_guesses_of_one_name(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    guesses = [client(identifier) for _ in range(10)]  # of a router that names no device
    for number, router in enumerate(guesses):
        request = router.access(f"Alice@isp{number}", "guess")
        router.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    assert [router.socket.recvfrom(4096)[0][0] for router in guesses] == [REJECT] * 10
    for name in ("alice@another", "alice"):
        answer = client(identifier).log_in(name)
        assert answer.text(codes.REPLY_MESSAGE) == "Too many attempts, try again later"


def test_names_in_gb_18030(world: World, processes: Processes, client) -> None:
    """Windows and many routers in China write them so."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    account = world.subscriber(tenant, "张三", max_sessions=0)
    processes.start()
    router = client(identifier)
    for written in ("张三".encode("gbk"), "张三@宽带".encode("gbk"), "张三".encode()):
        answer = router.ask(router.access("", extra=encode.octets(codes.USER_NAME, written)))
        assert account_of(answer) == b"%d" % account
    name = encode.octets(codes.USER_NAME, "张三".encode("gbk"))
    assert router.account(codes.ACCT_START, "s1", "", extra=name)
    assert router.account(codes.ACCT_STOP, "s1", "", seconds=9, octets_in=5, octets_out=6, extra=name)
    assert [(row["username"], row["account_id"]) for row in world.history(tenant)] == [("张三", account)]


def test_sessions_are_their_accounts_however_the_name_is_written(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    accounts = (
        "alice",
        "bob",
        "bob@isp",
        "02:00:00:aa:bb:cc",
        "张三",
        "Carol",
        "Dave@Isp",
        "eve",
        "Eve",
        "Fred",
        "FRED",
    )
    names = {name: world.subscriber(tenant, name) for name in accounts}
    in_capitals = {
        "carol": "Carol", "CAROL@other": "Carol", "ISP\\cArol": "Carol", "dave@isp": "Dave@Isp", "DAVE@ISP": "Dave@Isp",
        "Eve@isp": "Eve", "isp\\eve": "eve", "EVE": "", "eVE@isp": "", "fred": "", "Fred ": "Fred", "dave": "",
    }  # fmt: skip
    processes.start()
    router = client(identifier)
    written = (
        *SPELLINGS, "bob@isp", "Bob@ISP", "bob@other", "isp\\bob@x", "bobby", "@isp", "isp\\", "a@b@c", "张三@isp",
        "1:2:0:0:AA:BB:CC", "01:02:00:00:aa:bb:cc", "0102.0000.aabb.cc", "01020000AABBCC", "0102-0000-aabb-cc",
        "1:02:00:00:aa:bb:c", "\t Bob \t", "ALICE\\", "alice@", "É", "bob\\alice", "Alice @isp",
        *in_capitals,
    )  # fmt: skip
    for number, name in enumerate(written):
        assert router.account(codes.ACCT_START, f"s{number}", name)
    assert router.account(codes.ACCT_INTERIM, "no start", "Alice@isp", seconds=60, octets_in=7, octets_out=8)
    owners = {row["session_id"]: row["account_id"] for row in world.sessions(tenant)}
    for number, name in enumerate(written):
        ways = [name, *other_spellings(name)]
        wanted = in_capitals.get(name) or next((way for way in ways if way in names and name not in in_capitals), "")
        assert owners[f"s{number}"] == names.get(wanted, 0), name
    assert owners["no start"] == names["alice"]
    assert world.usage(tenant) == (7, 8, 60)


def test_sessions_named_in_octets_stay_apart(world: World, processes: Processes, client) -> None:
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=0)
    processes.start()
    router = client(identifier)
    for name in (b"\xff\x01", b"\xfe\x01", b"\xff\0"):
        assert router.account(codes.ACCT_START, "", "alice", extra=encode.octets(codes.ACCT_SESSION_ID, name))
    assert {row["session_id"] for row in world.sessions(tenant)} == {"\\xff\x01", "\\xfe\x01", "\\xff\\x00"}


@pytest.mark.parametrize("written", ["02:00:00:AA:BB:CC", "0200.00aa.bbcc", "020000aabbcc"])
def test_a_device_logs_in_by_chap(world: World, processes: Processes, client, written: str) -> None:
    """Hotspots do; the password is the MAC as they write it."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "02:00:00:aa:bb:cc", "02-00-00-AA-BB-CC", max_sessions=0)
    world.subscriber(tenant, "02:00:00:aa:bb:dd", "a secret of its own", max_sessions=0)
    processes.start()
    router = client(identifier)
    assert router.log_in(written, written, method="chap").code == ACCEPT
    refused = [client(identifier) for _ in range(2)]
    asked = [refused[0].access(written, "another", method="chap")]
    other = written.lower().replace("cc", "dd")
    asked.append(refused[1].access(other, other, method="chap"))
    for one, request in zip(refused, asked, strict=True):
        one.socket.sendto(request, (processes.settings.bind, processes.settings.radius_auth_port))
    assert [one.socket.recvfrom(4096)[0][0] for one in refused] == [REJECT] * 2


def test_a_dhcp_server_names_its_clients_by_their_identifiers(world: World, processes: Processes, client) -> None:
    """MikroTik's: the MAC as User-Name, the client's identifier as Calling-Station-Id, no password."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant, options={"mac_auth": True})
    world.subscriber(tenant, "02:00:00:aa:bb:cc", max_sessions=0, bind_mac="02:00:00:aa:bb:cc")
    processes.start()
    router = client(identifier)
    calling = encode.text(codes.CALLING_STATION_ID, "1:2:0:0:aa:bb:cc")
    assert router.log_in("02:00:00:AA:BB:CC", "", extra=calling).code == ACCEPT
    assert router.log_in("02:00:00:AA:BB:CC", "", method="chap", extra=calling).code == ACCEPT
    assert router.account(codes.ACCT_START, "s1", "02:00:00:AA:BB:CC", extra=calling)
    assert [row["mac"] for row in wait_for(lambda: world.sessions(tenant))] == ["02:00:00:aa:bb:cc"]


def test_a_device_that_only_the_vendors_attribute_names(world: World, processes: Processes, client) -> None:
    """IOS: its Calling-Station-Id is the port, or is missing."""
    tenant = world.tenant()
    _, identifier = world.nas(tenant)
    world.subscriber(tenant, "alice", max_sessions=1, bind_mac="02:00:00:aa:bb:cc")
    processes.start()
    router, other = client(identifier), client(identifier)
    port = encode.text(codes.CALLING_STATION_ID, "GigabitEthernet0/0/1.100")
    device = encode.vendor_text(9, 1, "client-mac-address=0200.00aa.bbcc")
    assert router.log_in("alice", extra=device).code == ACCEPT
    assert router.account(codes.ACCT_START, "s1", "alice", extra=port + device)
    assert [row["mac"] for row in world.sessions(tenant)] == ["02:00:00:aa:bb:cc"]
    assert router.log_in("alice", extra=device).code == ACCEPT  # it dials again: the old session is dead
    another = encode.vendor_text(9, 1, "client-mac-address=0200.00aa.bbdd")
    refused = other.log_in("alice", extra=another)
    assert (refused.code, refused.text(codes.REPLY_MESSAGE)) == (REJECT, "Device not registered")
