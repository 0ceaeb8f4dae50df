"""The same packets through pyrad, an independent codec: it reads what we write, and we read what it writes."""

from importlib.resources import files
from io import StringIO

import pytest
from pyrad.dictionary import Dictionary
from pyrad.packet import AcctPacket, AuthPacket, CoAPacket
from pyrad.packet import Packet as PyradPacket

from infra.radius_text.dialects import dialect_for
from infra.radius_text.dictionary import shipped
from infra.radius_text.lines import encode_lines
from infra.radius_text.profile import ReplyProfile
from radius_cluster.wire import attributes as encode
from radius_cluster.wire import codes
from radius_cluster.wire.coa import encode_dynamic_request
from radius_cluster.wire.dialects import encode_profile
from radius_cluster.wire.packet import (
    Packet,
    encode_access_response,
    encode_accounting_response,
    parse,
    verify_request,
)
from radius_cluster.wire.passwords import decode_pap

SECRET = b"radius-secret"


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    folder = files("infra.radius_text") / "dictionaries"
    names = sorted(
        (entry.name for entry in folder.iterdir()), key=lambda name: (not name.startswith("dictionary.rfc"), name)
    )
    loaded = Dictionary()
    for name in names:
        loaded.ReadDictionary(StringIO((folder / name).read_text("utf-8")))
    return loaded


def test_both_read_the_dictionaries_alike(dictionary: Dictionary) -> None:
    compared = 0
    for name in shipped().names():
        ours = shipped().named(name)
        assert ours is not None
        if name not in dictionary.attributes:
            continue  # types that pyrad does not know
        theirs = dictionary.attributes[name]
        vendor = dictionary.vendors.GetForward(theirs.vendor) if theirs.vendor else 0
        assert (ours.vendor, ours.number) == (vendor or 0, theirs.code), name
        compared += 1
    assert compared > 1400


def test_a_login_of_pyrad(dictionary: Dictionary) -> None:
    sent = AuthPacket(code=1, id=9, secret=SECRET, dict=dictionary, message_authenticator=True)
    sent["User-Name"] = "alice"
    sent["User-Password"] = sent.PwCrypt("correct horse battery")
    sent["NAS-Identifier"] = "isp1-bras"
    packet = parse(sent.RequestPacket())
    assert isinstance(packet, Packet)
    assert verify_request(packet, SECRET) == ""
    assert decode_pap(packet.attributes[2], packet.authenticator, SECRET) == b"correct horse battery"
    profile = ReplyProfile(up_bps=20_000_000, down_bps=100_000_000, pool="pool-100m")
    answer = encode_access_response(2, packet, SECRET, encode_profile(dialect_for("mikrotik"), profile))
    reply = sent.CreateReply(packet=answer)
    assert sent.VerifyReply(reply, answer)
    assert reply["Mikrotik-Rate-Limit"] == ["20M/100M"]
    assert reply["Framed-Pool"] == ["pool-100m"]
    assert reply.verify_message_authenticator(original_authenticator=sent.authenticator)


def test_accounting_of_pyrad(dictionary: Dictionary) -> None:
    sent = AcctPacket(id=3, secret=SECRET, dict=dictionary)
    sent["Acct-Status-Type"] = "Start"
    sent["Acct-Session-Id"] = "8100001a"
    raw = sent.RequestPacket()
    packet = parse(raw)
    assert isinstance(packet, Packet)
    assert verify_request(packet, SECRET) == ""
    assert packet.number(codes.ACCT_STATUS_TYPE) == codes.ACCT_START
    answer = encode_accounting_response(packet, SECRET)
    assert sent.VerifyReply(sent.CreateReply(packet=answer), answer)


def test_pyrad_believes_our_disconnect(dictionary: Dictionary) -> None:
    raw = encode_dynamic_request(codes.DISCONNECT_REQUEST, 4, SECRET, encode.text(1, "alice"), 1_767_225_600)
    read = CoAPacket(code=40, secret=SECRET, dict=dictionary, packet=raw)
    assert read.VerifyCoARequest()
    assert read.verify_message_authenticator()
    assert read["User-Name"] == ["alice"]


@pytest.mark.parametrize(
    ("line", "name", "value"),
    [
        ("Session-Timeout = 3600", "Session-Timeout", 3600),
        ("Service-Type = Framed-User", "Service-Type", "Framed-User"),
        ("Framed-IPv6-Prefix = 2001:db8:1::/48", "Framed-IPv6-Prefix", "2001:db8:1::/48"),
        ("Framed-IP-Address = 10.0.0.7", "Framed-IP-Address", "10.0.0.7"),
        ("Huawei-Output-Average-Rate = 100000000", "Huawei-Output-Average-Rate", 100_000_000),
        ("Cisco-AVPair = ip:addr-pool=p", "Cisco-AVPair", "ip:addr-pool=p"),
    ],
)
def test_pyrad_reads_our_text_form(dictionary: Dictionary, line: str, name: str, value: str | int) -> None:
    (vendor, number, encoded) = encode_lines(line)[0]
    body = encode.vendor(vendor, number, encoded) if vendor else encode.octets(number, encoded)
    raw = bytes((2, 0)) + (20 + len(body)).to_bytes(2, "big") + bytes(16) + body
    assert PyradPacket(code=2, secret=SECRET, dict=dictionary, packet=raw)[name] == [value]
