"""CSV that a spreadsheet program opens without running anything."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.reporting.spreadsheet import harmless, spreadsheet_csv


def rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode(), newline="")))


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n@x", "\uff1dHYPERLINK()"],
)
def test_no_cell_of_text_is_a_formula(text: str) -> None:
    ((head,), (cell,)) = rows(spreadsheet_csv({text: np.array([text], dtype=object)}))
    assert head == cell == f"'{text}"


@given(st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\x00")), min_size=1))
def test_text_comes_back_but_for_the_apostrophe(texts: list[str]) -> None:
    column = np.array([*texts, "last"], dtype=object)
    found = [row[0] if row else "" for row in rows(spreadsheet_csv({"a": column}))[1:]]
    assert found == [harmless(text) for text in [*texts, "last"]]
    pairs = zip(found, texts, strict=False)
    assert all(cell.replace("'", "") == text.replace("'", "") for cell, text in pairs)
    assert not any(cell.lstrip().startswith(("=", "+", "-", "@")) for cell in found)


def test_numbers_are_no_text_and_keep_every_bit() -> None:
    values = np.array([-0.1, 1 / 3, np.nan, 1e-300])
    table = {"x": values, "n": np.arange(-1, 3), "yes": np.array([True, False, True, True])}
    first, *others = rows(spreadsheet_csv(table))
    assert first == ["x", "n", "yes"]
    assert [row[1:] for row in others] == [
        ["-1", "true"],
        ["0", "false"],
        ["1", "true"],
        ["2", "true"],
    ]
    assert [row[0] for row in others][2] == ""
    assert [float(row[0] or "nan") for row in others] == pytest.approx(
        list(values), rel=0, nan_ok=True
    )
