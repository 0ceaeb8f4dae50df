"""Other ways of writing a user name, and texts that are no UTF-8."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from radius_cluster.wire.foreign_text import read_text
from radius_cluster.wire.user_names import changes_letters, in_small_letters, other_spellings


@pytest.mark.parametrize(
    ("written", "ways"),
    [
        ("alice", []),
        ("Alice", ["alice"]),
        (" alice ", ["alice"]),
        ("alice\ufffd", ["alice"]),  # a zero at the end
        ("alice@isp", ["alice"]),
        ("Alice@isp.example", ["alice@isp.example", "Alice", "alice"]),
        ("ISP\\alice", ["isp\\alice", "alice"]),
        ("isp\\alice@pppoe", ["alice"]),
        ("alice@mail.example@isp", ["alice@mail.example"]),
        ("alice @isp", ["alice"]),
        ("02-00-00-AA-BB-CC", ["02:00:00:aa:bb:cc", "02-00-00-aa-bb-cc"]),
        ("02:00:00:aa:bb:cc", []),
        ("1:2:0:0:aa:bb:cc", ["02:00:00:aa:bb:cc"]),
        ("@isp", []),
        ("isp\\", []),
        ("", []),
        ("张三@宽带", ["张三"]),
    ],
)
def test_other_spellings(written: str, ways: list[str]) -> None:
    assert other_spellings(written) == ways


@pytest.mark.parametrize(
    ("written", "small", "changed"),
    [
        ("carol", ["carol"], []),
        (" CAROL ", ["carol"], ["carol"]),
        ("Carol@Isp", ["carol@isp", "carol"], ["carol@isp", "carol"]),
        ("ISP\\carol", ["isp\\carol", "carol"], ["isp\\carol"]),
        ("02-00-00-AA-BB-CC", ["02-00-00-aa-bb-cc"], ["02-00-00-aa-bb-cc"]),  # its MAC is no other name
        ("É", ["É"], []),
        (" ", [], []),
    ],
)
def test_small_letters(written: str, small: list[str], changed: list[str]) -> None:
    assert in_small_letters(written) == small
    assert [way for way in other_spellings(written) if changes_letters(written, way)] == changed


@given(st.text(max_size=60))
def test_none_is_the_name_itself_or_nothing(name: str) -> None:
    found = other_spellings(name)
    assert name not in found
    assert "" not in found
    assert len(found) == len(set(found)) <= 5


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (b"alice", "alice"),
        ("张三".encode(), "张三"),
        ("张三".encode("gbk"), "张三"),
        ("宽带-101".encode("gbk"), "宽带-101"),
        (b"ali\0ce", "ali\ufffdce"),
        (b"\xff\xfealice", "\ufffd\ufffdalice"),
        (b"Jos\xe9", "Jos\ufffd"),
        (b"\x81\x30\x81\x30", "\ufffd0\ufffd0"),  # a character of GB 18030, but no Chinese one
    ],
)
def test_texts(value: bytes, text: str) -> None:
    assert read_text(value) == text


@given(st.binary(max_size=60))
def test_any_octets_are_a_text_that_can_be_stored(value: bytes) -> None:
    text = read_text(value)
    assert "\0" not in text
    text.encode()
