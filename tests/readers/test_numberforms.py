"""Shapes of written numbers."""

from __future__ import annotations

import pytest

from lumipipe.readers.numberforms import forms_of, is_whole, shapes


def marks(cell: str) -> set[tuple[str, str | None]]:
    """Decimal and thousands marks under which a cell is a number."""
    (shape,) = shapes([cell])
    return {(form.decimal, form.thousands) for form in forms_of(shape)}


@pytest.mark.parametrize(
    "text",
    ["", "up", "03.09.2024", "2020-03-09", "10:14:33", "1.4.4", "-", "e5", "1 23", "12,34,56", "."],
)
def test_text_is_a_number_in_no_form(text: str) -> None:
    assert marks(text) == set()


def test_forms_of_numbers() -> None:
    assert marks("1.234,5") == {(",", ".")}
    assert marks("1,234.5") == {(".", ",")}
    assert marks("1 234,5") == {(",", " ")}
    assert (".", None) in marks("0.250")
    assert (",", ".") not in marks("0.250")
    assert {(",", "."), (".", None)} <= marks("1.250")
    assert len(marks("-12")) == len(marks("+1e-5")) == 8


def test_whole_numbers() -> None:
    assert all(is_whole(shape) for shape in shapes(["12", "-3", "007"]))
    assert not any(is_whole(shape) for shape in shapes(["1.0", "1e3", "9" * 19]))
