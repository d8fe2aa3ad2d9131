"""Recordings that share one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.config import Prepare, Recordings, Source
from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.grouping import tables_by
from lumipipe.readers.recording import Recording, Unusable, read_recordings, usable_recordings
from lumipipe.readers.tables import Table

if TYPE_CHECKING:
    from pathlib import Path

CHANNEL = {"name": "x", "quantity": "ratio", "unit": "1"}
STAMPS = {"kind": "column", "column": "t", "unit": "s"}
# Blanks at line ends and no header, as in the C-MAPSS files.
RUNS = "1 1 0.5  \n1 2 0.75  \n2 1 1.5  \n10 1 2.5  \n10 2 3.5  \n10 3 4.5  \n"
SORTED = "t,pump,x\n0,A,1\n1,A,2\n2,B,3\n3,B,4\n"
MIXED = "t,pump,x\n0,A,1\n0,B,2\n1,A,3\n1,B,4\n2,A,5\n"


def make(folder: Path, content: str, name: str = "fleet.csv", **changes: object) -> Source:
    (folder / name).write_text(content)
    plain = {
        "id": "fleet",
        "source": name,
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "time": STAMPS,
        "channels": [CHANNEL],
        "recordings": {"column": "pump"},
    }
    return Source.model_validate(plain | changes)


def text(folder: Path, content: str = RUNS, **changes: object) -> Source:
    keys = {
        "format": "text",
        "read": {"names": ["engine", "cycle", "x"]},
        "time": {"kind": "order", "row": "flight"},
        "recordings": {"column": "engine", "id": "{file}-{engine:03}", "unit": "{engine}"},
    }
    return make(folder, content, "fd.txt", **(keys | changes))


def load(folder: Path, source: Source) -> list[Recording]:
    return read_recordings(source, folder / source.source, Prepare(), "r.yaml:7")


def values(recording: Recording) -> list[float]:
    found: list[float] = recording.streams["main"].values[:, 0].tolist()
    return found


def test_runs_of_a_blank_separated_table_are_recordings(tmp_path: Path) -> None:
    found = load(tmp_path, text(tmp_path))
    assert [item.id for item in found] == ["fd-001", "fd-002", "fd-010"]
    assert [item.unit for item in found] == ["1", "2", "10"]
    assert [values(item) for item in found] == [[0.5, 0.75], [1.5], [2.5, 3.5, 4.5]]
    assert found[2].attributes == {"name": "10", "file": "fd", "engine": "10"}
    assert {item.file for item in found} == {"fd.txt"}


def test_without_templates_the_value_names_recording_and_unit(tmp_path: Path) -> None:
    found = load(tmp_path, make(tmp_path, SORTED))
    assert [(item.id, item.unit, values(item)) for item in found] == [
        ("A", "A", [1.0, 2.0]),
        ("B", "B", [3.0, 4.0]),
    ]


def test_with_stamps_values_may_come_back(tmp_path: Path) -> None:
    found = load(tmp_path, make(tmp_path, MIXED))
    assert [(item.id, values(item)) for item in found] == [
        ("A", [1.0, 3.0, 5.0]),
        ("B", [2.0, 4.0]),
    ]
    stamps = found[0].streams["main"].time_ns
    assert stamps is not None
    assert (stamps // 10**9).tolist() == [0, 1, 2]


@pytest.mark.parametrize("time", [{"kind": "order", "row": "r"}, {"kind": "regular", "rate_hz": 1}])
def test_without_stamps_a_value_that_comes_back_is_refused(
    tmp_path: Path, time: dict[str, object]
) -> None:
    with pytest.raises(RecordingError) as caught:
        load(tmp_path, make(tmp_path, MIXED, time=time))
    assert str(caught.value) == (
        "fleet.csv: line 4 goes back to pump A after other rows; sort the rows by pump, "
        "or declare their time stamps with time: {kind: column}"
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("t,pump,x\n0,A,1\n1,,2\n2,,2\n", "fleet.csv: line 3 has no pump; 2 such rows"),
        ("t,pumps,x\n0,A,1\n", "fleet.csv: has no column pump; did you mean pumps?"),
        ("t,pump,x\n0,A,1\n1,B,2\n0,A,3\n-1,B,4\n", "line 5"),  # time goes back within B
        ("t,pump,x\n0,A,1\n1,B,2\n1,A,oops\n2,B,4\n", "fleet.csv:4: column x holds 'oops'"),
    ],
)
def test_wrong_rows_are_named_by_their_line_in_the_file(
    tmp_path: Path, content: str, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        load(tmp_path, make(tmp_path, content))
    assert message in str(caught.value)


def test_one_bad_recording_leaves_the_others(tmp_path: Path) -> None:
    content = "t,pump,x\n0,A,1\n1,A,2\n0,B,3\n1,B,77\n0,C,5\n"
    source = make(tmp_path, content, channels=[CHANNEL | {"range": [0, 10]}])
    first, bad, last = usable_recordings(source, tmp_path / "fleet.csv", Prepare(), "r.yaml:7")
    assert isinstance(first, Recording)
    assert isinstance(last, Recording)
    assert isinstance(bad, Unusable)
    assert (first.id, bad.id, last.id) == ("A", "B", "C")
    assert bad.sha256 == first.sha256
    assert str(bad.error).startswith("fleet.csv#B: channel x: line 5 has 77, outside the range")


def test_rows_are_kept_of_each_recording(tmp_path: Path) -> None:
    found = load(tmp_path, make(tmp_path, MIXED, rows=(1, None)))
    assert [values(item) for item in found] == [[3.0, 5.0], [4.0]]
    with pytest.raises(
        RecordingError, match=r"fleet\.csv#B: has 2 rows, asked for are rows 2 to 3"
    ):
        load(tmp_path, make(tmp_path, MIXED, rows=(2, 3)))


def test_names_stay_as_they_are_written(tmp_path: Path) -> None:
    content = SORTED.replace("A", "007").replace("B", "7")
    assert [item.id for item in load(tmp_path, make(tmp_path, content))] == ["007", "7"]


def test_series_of_a_file_are_told_apart_further(tmp_path: Path) -> None:
    content = (
        "@univariate false\n@dimensions 2\n@classLabel false\n@data\n1,1,2:5,6,7\n1,2,2:8,9,3\n"
    )
    source = make(
        tmp_path,
        content,
        "s.ts",
        format="ts",
        read={"names": ["step", "x"]},
        time={"kind": "order", "row": "r"},
        recordings={"column": "step"},
    )
    found = load(tmp_path, source)
    assert [item.id for item in found] == ["000-1", "000-2", "001-1", "001-2"]
    assert [values(item) for item in found] == [[5.0, 6.0], [7.0], [8.0], [9.0, 3.0]]


def test_a_group_of_the_pattern_may_not_take_the_columns_name() -> None:
    with pytest.raises(ValueError, match="both give the attribute pump; rename the group"):
        Recordings(column="pump", pattern="(?P<pump>x)")


UNITS = st.lists(st.integers(0, 5), min_size=1, max_size=40)


@given(UNITS | UNITS.map(sorted))
def test_each_row_is_in_one_recording_in_its_order(units: list[int]) -> None:
    rows = np.arange(len(units), dtype=np.float64)
    whole = Table("t", {"u": np.array(units), "row": rows}, {"a": "b"}, 5)
    parts = list(tables_by(whole, "u", "t.csv", may_return=True))
    assert [part.name for part in parts] == [str(u) for u in dict.fromkeys(units)]
    for part in parts:
        expected = [row for row, unit in enumerate(units) if str(unit) == part.name]
        assert part.columns["row"].tolist() == expected
        assert [part.row_place(i) for i in range(len(expected))] == [
            f"line {5 + row}" for row in expected
        ]
        assert part.attributes == {"a": "b", "u": part.name}


def test_breaks_stay_before_their_rows() -> None:
    columns = {"pump": np.array(["a", "a", "b", "a", "b", "b"], dtype=object), "x": np.arange(6.0)}
    whole = Table("log", columns, {}, 1, breaks={1: "pause", 3: "stop", 4: "pause"})
    first, second = tables_by(whole, "pump", "log.csv", may_return=True)
    # a holds rows 0, 1, 3; b holds rows 2, 4, 5, and the stop before row 3 parts 2 from 4.
    assert first.breaks == {1: "pause", 2: "stop"}
    assert second.breaks == {1: "pause"}
