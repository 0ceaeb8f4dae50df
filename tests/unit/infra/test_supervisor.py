"""The supervisor's rules without processes; with processes: tests/integration/infra."""

import io

from infra.supervisor import Output, restart_delay


def test_the_first_restart_is_quick_and_the_later_ones_slow_down() -> None:
    assert [restart_delay(deaths) for deaths in (1, 2, 3, 4)] == [0.2, 0.4, 0.8, 1.6]
    assert restart_delay(50) == 30.0


def test_lines_carry_aligned_names_without_colours_in_a_file() -> None:
    stream = io.StringIO()
    output = Output(["web", "radius-1"], stream)
    output.line("web", "hello")
    output.line("radius-1", "world")
    assert stream.getvalue() == "web       | hello\nradius-1  | world\n"


def test_a_reader_that_went_away_is_no_failure() -> None:
    stream = io.StringIO()
    stream.close()
    output = Output.__new__(Output)
    output._stream, output._width, output._colours, output._is_terminal = stream, 3, {}, False
    output.line("web", "hello")
