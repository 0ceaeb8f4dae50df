"""A table as a workbook: texts stay texts, numbers are numbers, nothing is lost (SUB-7)."""

import io

from hypothesis import given
from hypothesis import strategies as st
from openpyxl import load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE

from tenants.tasks import write_workbook
from tenants.tasks.write_workbook import workbook

CELLS = st.text("=+-@'\"<>&; a07中\n\t\x01", max_size=12)


def read(body: bytes) -> list[list[tuple[object, ...]]]:
    return [list(sheet.iter_rows(values_only=True)) for sheet in load_workbook(io.BytesIO(body)).worksheets]


@given(st.lists(st.tuples(CELLS, CELLS), max_size=6))
def test_texts_come_back_as_they_were(rows: list[tuple[str, str]]) -> None:
    table = [["a", "b"], *([first, second] for first, second in rows)]
    [sheet] = read(workbook(table, frozenset()))
    wanted = [tuple(ILLEGAL_CHARACTERS_RE.sub("", cell) or None for cell in row) for row in table]
    assert [tuple(cell or None for cell in row) for row in sheet] == wanted


def test_numbers_are_numbers_only_in_their_columns() -> None:
    table = [["phone", "sum"], ["013800138000", "12.50"], ["007", "-3"], ["1", "not yet"], ["2", "1" * 16]]
    [sheet] = read(workbook(table, frozenset({1})))
    assert sheet[1:] == [("013800138000", 12.5), ("007", -3), ("1", "not yet"), ("2", "1" * 16)]


def test_more_rows_than_a_sheet_holds_go_on_in_the_next(monkeypatch) -> None:
    monkeypatch.setattr(write_workbook, "SHEET_ROWS", 2)
    sheets = read(workbook([["n"], *([str(n)] for n in range(5))], frozenset({0})))
    assert sheets == [[("n",), (0,), (1,)], [("n",), (2,), (3,)], [("n",), (4,)]]


def test_an_empty_table_is_a_sheet_with_heads() -> None:
    assert read(workbook([["n"]], frozenset())) == [[("n",)]]
