"""Decimals of written numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.readers.delimited import Options
from lumipipe.readers.numberforms import NumberForm
from lumipipe.readers.written import decimals_of, decimals_written

if TYPE_CHECKING:
    from pathlib import Path

POINT = NumberForm(".", None)


@pytest.mark.parametrize(
    ("cell", "decimals"),
    [
        ("0", 0),
        ("11", 0),
        ("11.0", 1),
        ("-0.522", 3),
        ("+.5", 1),
        ("5.", 0),
        ("1.5e-3", 4),
        ("1.5e3", -2),
        ("10.700000000000001", 1),
        ("0.04172499999999995", 6),
        ("0.12345678901234567", 13),  # what is cut off is below the noise, whatever it says
        ("123456789012345678", 0),
        ("1e999", -30),
    ],
)
def test_decimals_of_a_cell(cell: str, decimals: int) -> None:
    assert decimals_of(cell, POINT) == decimals


@given(st.integers(-(10**7), 10**7), st.integers(0, 6), st.integers(0, 10**5))
def test_noise_of_binary_sums_is_seen_through(number: int, decimals: int, other: int) -> None:
    """A number with few decimals that went through a sum and was printed to the last bit."""
    value = number / 10**decimals
    printed = repr((value + other / 8) - other / 8)
    if "e" in printed or len(printed.strip("-").replace(".", "").lstrip("0")) < 15:
        return
    if abs(float(printed) - value) > 1e-12 * abs(value):
        return  # so much was lost that it is another number
    assert decimals_of(printed, POINT) <= decimals


def test_a_file_in_other_marks(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("name;x;y\na;1.234,50;7\nb;0,125;\n", encoding="utf-8")
    found = decimals_written(file, Options(text=["name"]), ["x", "y"])
    np.testing.assert_array_equal(found["x"], [2, 3])
    np.testing.assert_array_equal(found["y"], [0, 0])
