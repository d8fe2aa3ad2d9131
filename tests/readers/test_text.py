"""Numbers between blanks."""

from __future__ import annotations

import lzma
from typing import TYPE_CHECKING

import numpy as np
import pytest
from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.readers.text import Options, read

if TYPE_CHECKING:
    from pathlib import Path


def test_columns_and_transposed(tmp_path: Path) -> None:
    file = tmp_path / "d01.dat.xz"
    file.write_bytes(lzma.compress(b"  1.0e+00 2.0  \r\n3 4  \n5 6\n\n"))
    (rows,) = read(file, Options())
    assert rows.name == "d01"
    assert {name: column.tolist() for name, column in rows.columns.items()} == {
        "c1": [1.0, 3.0, 5.0],
        "c2": [2.0, 4.0, 6.0],
    }
    (turned,) = read(file, Options(transpose=True, names=["a", "b", "c"]))
    assert turned.columns["b"].tolist() == [3.0, 4.0]
    assert all(column.flags.c_contiguous for column in turned.columns.values())


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", {}, "has no rows"),
        (b"head\n", {"header": 1}, "has no rows"),
        (b"1 2\n3\n", {}, "x.txt:2: the row has 1 cells, the first has 2"),
        (b"1 2\n\n3 4\n", {}, "x.txt:2: the row has 0 cells"),
        (b"1 2\n3 4,5\n", {}, "x.txt:2: column 2 holds '4,5'"),
        (b"1 2\n3 \xe4\n", {}, "x.txt:2: column 2 holds"),
        (b"1 2\n", {"names": ["a"]}, "has 2 columns, names has 1"),
    ],
)
def test_faults(tmp_path: Path, content: bytes, options: dict, message: str) -> None:
    file = tmp_path / "x.txt"
    file.write_bytes(content)
    with pytest.raises(InputError) as caught:
        list(read(file, Options(**options)))
    assert message in str(caught.value)


def test_exact_values(tmp_path: Path) -> None:
    values = np.random.default_rng(1).normal(size=(20, 3)) * 10.0 ** np.arange(-3, 6, 4)
    file = tmp_path / "x.txt"
    file.write_text("\n".join(" ".join(repr(float(x)) for x in row) for row in values))
    (found,) = read(file, Options())
    np.testing.assert_array_equal(np.stack(list(found.columns.values()), axis=1), values)


def test_each_line_may_be_a_recording(tmp_path: Path) -> None:
    file = tmp_path / "cycles.txt"
    file.write_text("1 2 3\n4 5 6\n7 8 9\n", encoding="utf-8")
    tables = list(read(file, Options(each_line=True, block_lines=2, names=["t"])))
    assert [table.name for table in tables] == ["1", "2", "3"]
    assert [table.attributes["block"] for table in tables] == ["0", "0", "1"]
    assert tables[1].columns["t"].tolist() == [4.0, 5.0, 6.0]
    assert tables[1].columns["sample"].tolist() == [0.0, 1.0, 2.0]
    with pytest.raises(InputError, match="each line is one column"):
        next(read(file, Options(each_line=True, names=["a", "b", "c"])))


@pytest.mark.parametrize("wrong", [{"each_line": True, "transpose": True}, {"block_lines": 2}])
def test_lines_and_columns_exclude_each_other(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="each_line"):
        Options.model_validate(wrong)
