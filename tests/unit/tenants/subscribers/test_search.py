"""The searchable text (SUB-6)."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenants.subscribers.search import pattern, searchable, words_of


def found(query: str, *parts: str) -> bool:
    text = searchable(*parts)
    return all(like(text, pattern(word)) for word in words_of(query))


def like(text: str, pattern_text: str) -> bool:
    """PostgreSQL's LIKE with a backslash as its escape character."""
    expression, index = "", 0
    while index < len(pattern_text):
        char = pattern_text[index]
        if char == "\\":
            index += 1
            expression += re.escape(pattern_text[index])
        else:
            expression += {"%": ".*", "_": "."}.get(char, re.escape(char))
        index += 1
    return re.fullmatch(expression, text, re.DOTALL) is not None


@pytest.mark.parametrize(
    "query",
    [
        "sz28",
        "SZ28403",
        "建国",
        "陈建国",
        "陈",
        "s",
        "13802655",
        "五和",
        "28栋 403",
        "栋403",
        "陈 sz",
        "aa:bb",
        "AA-BB-CC-DD-EE-0F",
    ],
)
def test_what_finds_a_subscriber(query: str) -> None:
    assert found(query, "sz28403", "陈建国", "13802655019", "五和小区 28栋403", "", "aa:bb:cc:dd:ee:0f")


@pytest.mark.parametrize("query", ["建军", "sz9", "%", "_", "sz%03", "\\", "陈 sz9", "国", "z2"])
def test_what_does_not(query: str) -> None:
    assert not found(query, "sz28403", "陈建国")


def test_wildcards_are_letters_like_any_other() -> None:
    assert found("100%", "100% fibre")
    assert found("a_b", "a_b")
    assert not found("a_b", "axb")
    assert found("c:\\x", "c:\\x")


@given(st.text(min_size=3, max_size=20).filter(lambda t: t.strip() and "\x00" not in t), st.data())
def test_any_part_of_a_word_finds_it(text: str, data: st.DataObject) -> None:
    word = data.draw(st.sampled_from(text.split() or [text]))
    part = word[data.draw(st.integers(0, max(0, len(word) - 3))) :] if len(word) > 3 else word
    assert found(part, "u1", text, "end") or len(words_of(part)) == 0
