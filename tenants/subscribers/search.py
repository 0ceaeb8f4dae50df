"""The searchable text of accounts and customers: one text, one trigram index, Chinese included (SUB-6). Pure.

A trigram index finds nothing of two characters, and most Chinese words and names have two. So each ideograph is
stored as itself plus one filler letter: two of them become four characters, which trigrams find. What is shorter still
(one ideograph, two letters) is looked for at the beginnings of words only: those have trigrams of their own.
"""

import re

FILLER = "ø"  # a letter (the index skips anything else), and one that nobody types in an address
_WIDE = re.compile(r"([\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\U00020000-\U0003ffff])")
_SHORTEST = 3  # of a trigram
_BLANKS = re.compile(r"\s+")
MAC = re.compile(r"^[0-9a-fA-F]{2}([:\-. ]?[0-9a-fA-F]{2}){2}([:\-. ]?[0-9a-fA-F]{2}){3}$")


def searchable(*parts: object) -> str:
    """The parts in one lower-case line, in the form that :func:`pattern` searches."""
    words = (_BLANKS.sub(" ", str(part)).strip() for part in parts if part not in (None, ""))
    text = " ".join(word for word in words if word)
    return " " + _widen(text) if text else ""  # the blank makes the first word begin like all others


def pattern(word: str) -> str:
    """The LIKE pattern (escape character backslash) of one word; a very short one must begin a word of the text."""
    text = _widen(word)
    begins = " " if len(text) < _SHORTEST else ""
    for special in ("\\", "%", "_"):
        text = text.replace(special, "\\" + special)
    return f"%{begins}{text}%"


def words_of(query: str) -> list[str]:
    """The words of what somebody typed: all must be found. A MAC in any notation is one word with colons."""
    text = query.strip()
    digits = re.sub(r"[^0-9a-f]", "", text.lower())
    if MAC.match(text) and len(digits) == 12 and re.search(r"[:\-.]", text):
        return [":".join(digits[i : i + 2] for i in range(0, 12, 2))]
    return text.split()[:8]


def _widen(text: str) -> str:
    return _WIDE.sub(rf"\1{FILLER}", text.lower())
