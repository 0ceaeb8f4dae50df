"""Cursors are opaque, come back as they were, and rubbish is the first page."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from infra.keyset import decode_cursor, encode_cursor

INSTANT = datetime(2026, 11, 22, 16, 10, 24, 123456, tzinfo=UTC)


@pytest.mark.parametrize("backwards", [False, True])
def test_a_cursor_comes_back_as_it_was(backwards):
    values = ("sz28403 陈", 17, INSTANT, Decimal("20.00"))
    cursor = encode_cursor(values, backwards=backwards)
    assert cursor.isascii()
    assert decode_cursor(cursor, (str, int, datetime, Decimal)) == (backwards, values)


@pytest.mark.parametrize(
    "cursor", ["", "x", "n", "nGARBAGE", "p====", "n" + "A" * 2000, encode_cursor(("a",)), encode_cursor(("a", "b"))]
)
def test_what_no_list_gave_out_is_the_first_page(cursor):
    assert decode_cursor(cursor, (str, int)) is None


def test_a_number_that_is_none_is_refused():
    assert decode_cursor(encode_cursor(("NaN",)), (Decimal,)) is None
