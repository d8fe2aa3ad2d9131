"""Delimited text: the dialect is proven on every cell, and faults name line, column, text."""

from __future__ import annotations

import gzip
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.delimited import Options, read

if TYPE_CHECKING:
    from lumipipe.readers.tables import Table

# The same numbers as Finnish, Swedish, German and British instruments write them (case C49).
NUMBERS = np.array([[1234.56, 7.5, -0.25], [12.0, 1000000.125, 3e-5]])
WRITTEN = {
    "finnish": "a;b;c\n1 234,56;7,5;-0,25\n12,0;1 000 000,125;3e-5\n",
    "finnish no-break": "a;b;c\n1\u00a0234,56;7,5;-0,25\n12,0;1\u00a0000\u00a0000,125;3e-5\n",
    "finnish narrow": "a;b;c\n1\u202f234,56;7,5;-0,25\n12,0;1\u202f000\u202f000,125;3e-5\n",
    "swedish tab": "a\tb\tc\n1234,56\t7,5\t-0,25\n12,0\t1000000,125\t3e-5\n",
    "german": "a;b;c\n1.234,56;7,5;-0,25\n12,0;1.000.000,125;3e-5\n",
    "german quoted": 'a,b,c\n"1.234,56","7,5","-0,25"\n"12,0","1.000.000,125",3e-5\n',
    "swiss": "a;b;c\n1'234.56;7.5;-0.25\n12.0;1'000'000.125;3e-5\n",
    "british": 'a,b,c\n"1,234.56",7.5,-0.25\n12.0,"1,000,000.125",3e-5\n',
    "plain": "a,b,c\n1234.56,7.5,-0.25\n12.0,1000000.125,3e-5\n",
}


def table(path: Path, content: str | bytes, **options: object) -> Table:
    """The table that the reader makes of a file with this content."""
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    (found,) = read(path, Options.model_validate(options))
    return found


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file name for the content of a test."""
    return tmp_path / "pump.csv"


@pytest.mark.parametrize("dialect", WRITTEN)
def test_same_numbers_from_all_dialects(file: Path, dialect: str) -> None:
    found = table(file, WRITTEN[dialect])
    assert list(found.columns) == ["a", "b", "c"]
    np.testing.assert_array_equal(np.stack(list(found.columns.values()), axis=1), NUMBERS)
    assert "encoding utf-8" in found.attributes["dialect"]


def test_ambiguous_file_is_asked_about(file: Path) -> None:
    with pytest.raises(InputError, match=r"2 dialects.*set decimal and thousands in read"):
        table(file, "a;b\n1,234;5,678\n")
    as_decimal = table(file, "a;b\n1,234;5,678\n", decimal=",")
    assert as_decimal.columns["a"][0] == 1.234
    as_thousands = table(file, "a;b\n1,234;5,678\n", thousands=",")
    assert as_thousands.columns["a"][0] == 1234


def test_one_column_or_two_is_asked_about(file: Path) -> None:
    with pytest.raises(InputError, match="set delimiter"):
        table(file, "1,5\n2,5\n", header=0)
    assert table(file, "1,5\n2,5\n", header=0, names=["x"]).columns["x"].tolist() == [1.5, 2.5]


def test_commas_inside_text_are_text(file: Path) -> None:
    found = table(file, "temp;label\n20,5;a,1\n21,5;b,2\n")
    assert found.columns["temp"].tolist() == [20.5, 21.5]
    assert found.columns["label"].tolist() == ["a,1", "b,2"]
    quoted = table(file, 'x,place\n1.5,"Hall 3, 12"\n')
    assert quoted.columns["place"].tolist() == ["Hall 3, 12"]


def test_ragged_file_is_no_column_of_decimals(file: Path) -> None:
    with pytest.raises(RecordingError, match=r"pump.csv:3: the row has 1 cells"):
        table(file, "a,b\n1,2\n3\n")


def test_whole_numbers_and_leading_zeros_need_no_answer(file: Path) -> None:
    found = table(file, "t;x\n1657533977810;0.250\n1657533977811;0.125\n")
    assert found.columns["t"].dtype == np.int64
    assert found.columns["t"][1] == 1657533977811
    assert found.columns["x"].tolist() == [0.25, 0.125]


def test_declared_dialect_is_checked_too(file: Path) -> None:
    # pandas alone would read 252300 here, silently.
    with pytest.raises(RecordingError, match=r"pump.csv:2: column b: '2523,00' is no number"):
        table(file, 'a,b\n1,"2523,00"\n', delimiter=",", decimal=".", thousands=",")


def test_contradicting_cells_are_named(file: Path) -> None:
    with pytest.raises(RecordingError, match=r"pump.csv:3: column b: '2,75'"):
        table(file, "a;b\n1.5;2.5\n1.75;2,75\n")


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False)] * 2), min_size=1, max_size=6
    )
)
def test_round_trip_is_exact(rows: list[tuple[float, float]]) -> None:
    text = "a;b\n" + "".join(f"{a!r};{b!r}\n" for a, b in rows)
    with TemporaryDirectory() as folder:
        found = table(Path(folder) / "x.csv", text, decimal=".", thousands="")
    np.testing.assert_array_equal(np.stack(list(found.columns.values()), axis=1), np.array(rows))


def test_names_units_and_encodings(file: Path) -> None:
    text = "Lämpötila (°C);nopeus (µm/s);Å\n1,5;2,5;3,5\n"
    expected = ["Lämpötila (°C)", "nopeus (µm/s)", "Å"]
    for raw, options in (
        (text.encode(), {}),
        (text.encode("utf-8-sig"), {}),
        (text.encode("utf-16"), {"encoding": "utf-16"}),
        (text.encode("cp1252"), {"encoding": "cp1252"}),
        (text.encode("latin-1"), {"encoding": "latin-1"}),
    ):
        assert list(table(file, raw, **options).columns) == expected


def test_undeclared_and_mixed_encodings(file: Path) -> None:
    with pytest.raises(InputError, match=r"pump.csv:2: byte 3 .*set read.encoding"):
        table(file, "a;b\n1;\xe4\n".encode("cp1252"))
    mixed = "a;b\n1;ä\n".encode() + "2;ä\n".encode("cp1252")
    with pytest.raises(InputError, match=r"pump.csv:2: byte 3 .*UTF-8 in part"):
        table(file, mixed, encoding="cp1252")
    with pytest.raises(InputError, match="is not text in UTF-8"):
        table(file, "a;b\n1;2\n".encode("utf-16-le"))


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        ("", {}, "pump.csv: is empty"),
        ("a;b\n", {}, "has a header but no rows"),
        ("a;b\n1;2\n3\n", {}, "pump.csv:3: the row has 1 cells, expected are 2"),
        ("a;b\n1;2;3\n4;5;6\n", {}, "pump.csv:2: the row has 3 cells, expected are 2"),
        ("a,b\n1,2\n3,off\n", {}, "pump.csv:3: column b holds 'off', not a number"),
        ("a,b,a\n1,2,3\n", {}, "pump.csv:1: the column name a stands twice"),
        ("a,,b\n1,2,3\n", {}, "pump.csv:1: column 2 has no name"),
        ("a,b\n1,2\n\n3,4\n", {}, "pump.csv:3: is a blank line"),
        ('a,b\n1,"2\n3"\n', {}, "pump.csv:2: has a line break inside a cell"),
        ('a,b\n1,"2"3\n', {}, "pump.csv:2: cannot be split"),
        ("1,2\n", {"header": 0, "names": ["a"], "delimiter": ","}, "names has 1"),
        ("a;b\n1;2\n", {"columns": ["a", "bb"]}, "has no column bb; did you mean b?"),
    ],
)
def test_faults_name_their_place(file: Path, text: str, options: dict, message: str) -> None:
    with pytest.raises(InputError) as caught:
        table(file, text, **options)
    assert message in str(caught.value)


def test_missing_cells_text_columns_and_blanks(file: Path) -> None:
    text = " time , x ,state,code\n 08:00 , 1.5 ,up,007\n09:00,?,down,008\n10:00,,up,009\n"
    found = table(file, text, missing=["", "?"], text=["code"])
    assert found.columns["time"].tolist() == ["08:00", "09:00", "10:00"]
    np.testing.assert_array_equal(found.columns["x"], [1.5, np.nan, np.nan])
    assert found.columns["state"].tolist() == ["up", "down", "up"]
    assert found.columns["code"].tolist() == ["007", "008", "009"]
    assert found.first_line == 2


def test_unused_columns_may_mix(file: Path) -> None:
    text = "x,place\n1.5,12\n2.5,CS0\n"
    with pytest.raises(RecordingError, match="column place holds 'CS0'"):
        table(file, text)
    options = Options().for_columns({"x"}, set())
    file.write_text(text)
    (found,) = read(file, options)
    assert list(found.columns) == ["x"]


def test_several_header_lines_and_empty_ends(file: Path) -> None:
    text = "logger 7\npressure;flow;;\nbar;l/min;;\n1,5;2,5;;\n3,5;4,5;;\n"
    found = table(file, text, header=3, names_line=2, empty_trailing=True)
    assert {name: column.tolist() for name, column in found.columns.items()} == {
        "pressure": [1.5, 3.5],
        "flow": [2.5, 4.5],
    }
    with pytest.raises(ValueError, match="names_line"):
        Options(header=3)


def test_truncated_gzip(file: Path) -> None:
    packed = file.with_suffix(".csv.gz")
    with pytest.raises(RecordingError, match=r"truncated or damaged as a \.gz file"):
        table(packed, gzip.compress(b"a;b\n1;2\n" * 1000)[:-20])
    with pytest.raises(RecordingError, match="is empty"):
        table(packed, b"")


def test_wide_number_is_no_whole_number(file: Path) -> None:
    # 19 digits may not fit int64; such a column is float64.
    assert table(file, "a;b\n1234567890123456789;1\n").columns["a"].dtype == np.float64


@pytest.mark.parametrize(
    ("text", "options", "line"),
    [
        ("a;b\n164,573;8,793\n", {"decimal": "."}, 2),
        ("a;b\n164,573;8,793\n165.716;8,793\n", {"decimal": ","}, 3),
    ],
)
def test_a_mark_is_no_thousands_mark_unless_a_cell_proves_it(tmp_path, text, options, line):
    with pytest.raises(InputError, match=rf":{line}: .*no cell proves that"):
        table(tmp_path / "x.csv", text, delimiter=";", **options)


def test_a_cell_with_both_marks_proves_the_thousands_mark(tmp_path):
    found = table(tmp_path / "x.csv", "a;b\n1.234,5;2.500\n", delimiter=";")
    assert found.columns["a"][0] == 1234.5
    assert found.columns["b"][0] == 2500
