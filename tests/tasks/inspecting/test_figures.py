"""Numbers, durations and lines of signs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lumipipe.tasks.inspecting.figures import duration, number, plain, sparkline


@given(st.floats(-1e12, 1e12))
def test_a_number_is_short_and_near(value: float) -> None:
    text = number(value)
    assert len(text) <= 9
    # Four digits, two where there is a power of ten.
    assert abs(float(text) - value) <= 0.06 * abs(value)


def test_durations() -> None:
    assert duration(59.0) == "59 s"
    assert duration(90_061.0) == "1 d 1:01:01"


def test_a_sparkline_rises_with_its_values() -> None:
    rising = tuple((float(at), float(at)) for at in range(80))
    line = sparkline(rising, 8)
    assert line == "▁▂▃▄▅▆▇█"
    assert sparkline((), 8) == ""
    assert sparkline(((1.0, 1.0), (1.0, 1.0)), 2) == "▅▅"


def test_signs_that_steer_a_terminal_are_taken_out() -> None:
    assert plain("a\x1b[2Jb\nc") == "a\ufffd[2Jb c"
