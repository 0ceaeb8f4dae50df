"""A FreeRADIUS clients.conf becomes rows of routers, or says in which line what is wrong (NET-2)."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.kernel.errors import BusinessError
from tenants.network.errors import BadImport, ClientNotTakenOver
from tenants.network.freeradius_clients import is_clients_conf, read_clients

FILE = r"""
# -*- text -*-
##
## clients.conf -- client configuration directives
##
client localhost {
	ipaddr = 127.0.0.1
	secret = testing123
	require_message_authenticator = auto
	limit {
		max_connections = 16
	}
}
client localhost_ipv6 {
	ipv6addr	= ::1
	secret		= testing123
}
client bras-1 { # the big one
	ipaddr = 203.0.113.5/32
	secret = "geheim \"7391\" #1"
	shortname = 'BRAS one'
	nas_type = Huawei
	require_message_authenticator = yes
	coa_server = bras-coa
}
home_server bras-coa {
	type = coa
	ipaddr = 203.0.113.5
	port = 3800
	secret = another
	coa { irt = 2 }
}
client 198.51.100.7 {
	secret = long-secret-1
	nastype = mikrotik
	require_message_authenticator = no
}
server virtual {
	listen { type = auth }
	client inner { ipv4addr = * secret = long-secret-2 }
}
clients per_socket_clients {
	client home.dyn.example {
		secret = long-\
secret-3
	}
	client six { ipv6addr = 2001:db8::7 ; secret = x }
}
"""


def rows(text: str) -> list[dict[str, str] | str]:
    return [found if isinstance(found, dict) else found.sentence() for _line, found in read_clients(text)]


def test_a_file_as_it_is_found() -> None:
    assert is_clients_conf(FILE)
    found = rows(FILE.replace(" ; secret = x", "\nsecret = long-secret-4"))
    assert found == [
        {"name": "BRAS one", "secret": 'geheim "7391" #1', "vendor": "huawei", "message_authenticator": "required",
         "coa_port": "3800", "auth_mode": "address", "address": "203.0.113.5"},
        {"name": "198.51.100.7", "secret": "long-secret-1", "vendor": "mikrotik", "message_authenticator": "optional",
         "auth_mode": "address", "address": "198.51.100.7"},
        {"name": "inner", "secret": "long-secret-2", "vendor": "standard", "message_authenticator": "required",
         "auth_mode": "identifier"},
        {"name": "home.dyn.example", "secret": "long-secret-3", "vendor": "standard",
         "message_authenticator": "required", "auth_mode": "ddns", "ddns_name": "home.dyn.example"},
        {"name": "six", "secret": "long-secret-4", "vendor": "standard", "message_authenticator": "required",
         "auth_mode": "address", "address": "2001:db8::7"},
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("client", "sentence"),
    [
        ("client net { ipaddr = 10.0.0.0/24\n secret = geheim-1 }", "10.0.0.0/24 is a network"),
        ("client net { ipaddr = 10.0.0.0\n netmask = 24\n secret = geheim-1 }", "10.0.0.0/24 is a network"),
        ("client a { ipaddr = 10.0.0.1 }", "it has no secret"),
        ("client a { ipaddr = 10.0.0.1\n secret = ${gate_secret} }", "${gate_secret} is a variable"),
        ("client a { ipaddr = 10.0.0.999\n secret = geheim-1 }", "10.0.0.999 is no address"),
        ("$INCLUDE more.conf", "more.conf is another file"),
    ],
)
def test_what_cannot_be_taken_over_is_told_of_each(client: str, sentence: str) -> None:
    assert is_clients_conf(client)
    text = f"{client}\nclient good {{\n secret = long-secret\n ipaddr = 10.9.9.9\n}}\n"
    (line, refused), (_, good) = read_clients(text)
    assert line == 1
    assert isinstance(refused, ClientNotTakenOver)
    assert sentence in refused.sentence()
    assert isinstance(good, dict)
    assert good["address"] == "10.9.9.9"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("client a {\n secret = x\n", "the brace of line 1 is not closed"),
        ("client a {\n}\n}\n", "line 3 closes a brace too many"),
        ('client a {\n secret = "x\n}\n', "the quotation marks of line 2 do not close"),
        ("client a {\n secret = ab=cd\n}\n", "line 2 cannot be read"),
        ("client a {\n secret = two words\n}\n", "line 2 cannot be read"),
        ("client a {" * 40, "too many braces"),
        ("client localhost { ipaddr = 127.0.0.1\n secret = testing123 }", "it has no rows"),
    ],
)
def test_a_file_that_cannot_be_read_says_where(text: str, sentence: str) -> None:
    with pytest.raises(BadImport) as refused:
        read_clients(text)
    assert sentence in refused.value.sentence()


@pytest.mark.parametrize(
    "text", ["name,vendor\nclient one,huawei\n", "名称\n网关\n", "", "client,server\n", "client;x\n"]
)
def test_a_table_is_none(text: str) -> None:
    assert not is_clients_conf(text)


@given(st.text(alphabet="client {}=\"'\\#\n\t$INCLUDE.0/1:*a", max_size=200))
def test_odd_files_are_read_or_refused(text: str) -> None:
    with contextlib.suppress(BusinessError):
        read_clients("client " + text)
