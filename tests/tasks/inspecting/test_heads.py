"""Heads of tables as instruments and spreadsheets write them."""

from __future__ import annotations

import pytest

from lumipipe.tasks.inspecting.heads import Head, head_of_text

ROWS = "\n".join(f"{t},{t * 0.5},{t * 2}" for t in range(20)) + "\n"


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ("t,a,b\n" + ROWS, Head(1, 1, {})),
        (ROWS, Head(0, 0, {})),
        ("t,a,b\ns,V,A\n" + ROWS, Head(2, 1, {"t": "s", "a": "V", "b": "A"})),
        ("made by X\nserial;7\n\nt,a,b\n" + ROWS, Head(4, 4, {})),
        # An oscilloscope: more names than columns, numbers of its own in the head.
        (
            "X,CH1,CH2,Start,\nSequence,Volt,Volt,-0.5,\n" + ROWS,
            Head(2, 0, {"CH1": "Volt", "CH2": "Volt"}, names=["X", "CH1", "CH2"]),
        ),
        ("one line\nanother\n" + ROWS, Head(2, 0, {}, names=["c1", "c2", "c3"])),
        ("t,a,\n" + "".join(f"{t},{t},\n" for t in range(9)), Head(1, 1, {}, empty_trailing=True)),
        # No reading in the first row is no reason to take it for a head.
        ("t,a,b\n0,--,--\n1,--,3\n" + ROWS, Head(1, 1, {})),
        ("who,what\nann,left\nbob,right\n", Head(1, 1, {})),
        ("", Head(1, 1, {})),
    ],
)
def test_head(text: str, head: Head) -> None:
    assert head_of_text(text) == head


def test_wavelengths_are_names_and_not_a_row() -> None:
    waves = ",".join(str(400.0 + at) for at in range(12))
    rows = "".join(",".join(str((at * 7 + row) % 5) for at in range(12)) + "\n" for row in range(9))
    assert head_of_text(f"{waves}\n{rows}").names_line == 1
    assert head_of_text(rows).names_line == 0


def test_a_decimal_comma_and_a_semicolon() -> None:
    rows = "".join(f"{t},5;{t},25\n" for t in range(9))
    assert head_of_text("time;level\n" + rows) == Head(1, 1, {})
