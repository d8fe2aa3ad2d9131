"""Files of audits: known layouts, named columns, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.readers.audits import read_audits
from lumipipe.readers.delimited import Options

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "FACILITY_NAME,T_VALUE,MEAN_DIFF,STND_DEV_DIFF,UNIT,COMMENT"


def made(folder: Path, text: str) -> Path:
    file = folder / "audits.csv"
    file.write_text(text, encoding="utf-8")
    return file


def test_a_known_layout_with_mixed_columns_beside_it(tmp_path: Path) -> None:
    """System names such as 596 and AA3 stand in one column of the EPA's records."""
    file = made(tmp_path, f"\ufeff{HEAD}\nBarry,2.306,-0.50,0.1,596,x\n42,2.262,,0.25,AA3,7\n")
    rows = read_audits(file, {}, Options())
    assert rows.columns == {
        "plant": "FACILITY_NAME",
        "t_value": "T_VALUE",
        "mean_difference": "MEAN_DIFF",
        "deviation": "STND_DEV_DIFF",
    }
    assert rows.texts["plant"].tolist() == ["Barry", "42"]
    np.testing.assert_array_equal(rows.numbers["mean_difference"], [-0.5, np.nan])
    np.testing.assert_array_equal(rows.decimals["mean_difference"], [2, 0])
    assert rows.lines.tolist() == [2, 3]


def test_a_named_column_goes_before_the_known_one(tmp_path: Path) -> None:
    file = made(tmp_path, "T_VALUE,STND_DEV_DIFF,s\n2.306,0.1,0.2\n")
    rows = read_audits(file, {"deviation": "s"}, Options())
    assert rows.numbers["deviation"].tolist() == [0.2]


@pytest.mark.parametrize(
    ("text", "given", "said"),
    [
        ("a,b\n1,2\n", {}, "do not suffice for any figure of an audit; found: none"),
        ("a,b\n1,2\n", {"deviation": "a"}, "found: deviation (a)"),
        ("a,b\n1,2\n", {"deviation": "c"}, "has no column c"),
        ("a,b\n1,2\n", {"sd": "a"}, "no field is called sd; name one of plant,"),
        ("a,b\nx,2\n", {"deviation": "a", "runs": "b"}, "line 2 holds 'x', not a number"),
        ("a,b\n1,2\n1e999,2\n", {"deviation": "a", "runs": "b"}, "line 3 holds an infinite"),
        ("a,b\n1,2\nx,2\n", {"deviation": "a", "runs": "b"}, "column a holds 'x', not a number"),
        ("a,b\n1,2\n1\n", {"deviation": "a", "runs": "b"}, "the row has 1 cells"),
        ("a,b\n", {"deviation": "a", "runs": "b"}, "has a header but no rows"),
        ("", {}, "is empty"),
    ],
)
def test_what_is_wrong_is_named(
    tmp_path: Path, text: str, given: dict[str, str], said: str
) -> None:
    with pytest.raises(InputError) as caught:
        read_audits(made(tmp_path, text), given, Options())
    assert said in str(caught.value)
