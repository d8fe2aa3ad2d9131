"""Wrong data files: exit code 2, one line with file, place and remedy, and no product.

A request that is wrong by itself is in `test_wrong_request`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import savemat

from command import call, launch, one_line
from small_requests import DROP, activity, bearing, change, line_of, monitoring

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from command import Said

SWING = "p0_swing_0.csv"
DIGEST = "0" * 64
UNDECLARED = {"delimiter": DROP, "decimal": DROP}


def _unknown_column(folder: Path) -> Path:
    return activity(folder, data={0: {"channels": {0: {"column": "xx"}}}})


def _empty_file(folder: Path) -> Path:
    request = activity(folder)
    (folder / "raw" / SWING).write_text("")
    return request


def _header_only(folder: Path) -> Path:
    request = activity(folder)
    (folder / "raw" / SWING).write_text("x,y\n")
    return request


def _no_readings(folder: Path) -> Path:
    request = activity(folder)
    lines = (folder / "raw" / SWING).read_text().splitlines()
    rows = [f"NaN,{line.split(',')[1]}" for line in lines[1:]]
    (folder / "raw" / SWING).write_text("\n".join([lines[0], *rows]) + "\n")
    return request


def _one_id_twice(folder: Path) -> Path:
    return activity(folder, data={0: {"recordings": {"id": "{person}-{exercise}"}}})


def _ambiguous_dialect(folder: Path) -> Path:
    request = activity(folder, data={0: {"read": UNDECLARED}})
    for number, file in enumerate((folder / "raw").iterdir()):
        # A thousand or one? Both marks explain every number. No two files are equal.
        file.write_text("x;y\n" + "1,234;2,345\n" * (20 + number))
    return request


def _truncated_mat(folder: Path) -> Path:
    read = {"variables": {"v": "v"}} | UNDECLARED
    request = bearing(folder, data={0: {"source": "raw/*.mat", "format": "mat5", "read": read}})
    for file in (folder / "raw").iterdir():
        savemat(file.with_suffix(".mat"), {"v": np.loadtxt(file, skiprows=1)})
        file.unlink()
    cut = folder / "raw" / "IR_14.mat"
    cut.write_bytes(cut.read_bytes()[:5000])
    return request


def _unnamed_value(folder: Path) -> Path:
    names = {"swing": "arm swing"}
    return activity(folder, data={0: {"labels": {"exercise": {"values": names}}}})


def _wrong_digest(folder: Path) -> Path:
    return monitoring(folder, data={0: {"sha256": DIGEST}})


def _unmatched_pattern(folder: Path) -> Path:
    return activity(folder, data={0: {"recordings": {"pattern": r"(?P<person>q\d)"}}})


def _unknown_field(folder: Path) -> Path:
    return activity(folder, data={0: {"recordings": {"unit": "{village}"}}})


def _text_in_numbers(folder: Path) -> Path:
    request = monitoring(folder)
    file = folder / "raw" / "plant.csv"
    lines = file.read_text().splitlines()
    lines[7] = "broken," + lines[7].split(",", 1)[1]
    file.write_text("\n".join(lines) + "\n")
    return request


def _short_row(folder: Path) -> Path:
    request = monitoring(folder)
    file = folder / "raw" / "plant.csv"
    file.write_text(file.read_text() + "1.0,2.0\n")
    return request


def _out_of_range(folder: Path) -> Path:
    return monitoring(folder, data={0: {"channels": {2: {"range": [-0.01, 0.01]}}}})


def _too_many_files(folder: Path) -> Path:
    return activity(folder, prepare={"most_files": 5})


# Name: the request; the begin of the line in question in it, or the data file that the message
# names; and what the message says.
CASES: dict[str, tuple[Callable[[Path], Path], str, str]] = {
    "unknown column": (
        _unknown_column,
        SWING.replace("swing", "shake"),
        ": has no column xx; did you mean x? its columns: x, y",
    ),
    "empty file": (_empty_file, SWING, ": is empty; remove the file, or fetch it again"),
    "header only": (_header_only, SWING, ": has a header but no rows; remove the file"),
    "channel without readings": (_no_readings, SWING, ": channel acc_x: has no reading at all; "),
    "two recordings of one id": (
        _one_id_twice,
        "p0_shake_0.csv and p0_shake_1.csv",
        "both give recording p0-shake",
    ),
    "ambiguous dialect": (_ambiguous_dialect, "p0_shake_0.csv", "2 dialects explain every number"),
    "truncated mat": (_truncated_mat, "IR_14.mat", ""),
    "value without a name": (_unnamed_value, "exercise:", "has the value 'shake', which values "),
    "wrong digest": (_wrong_digest, "plant.csv", f"declared is {DIGEST}; fetch the declared"),
    "pattern that does not match": (_unmatched_pattern, "pattern:", "does not match the file p0_"),
    "unknown field": (_unknown_field, "unit: '{village}'", "asks for village, which is not known"),
    "text among numbers": (
        _text_in_numbers,
        "plant.csv",
        ":8: column a holds 'broken', not a number; ",
    ),
    "short row": (_short_row, "plant.csv", ":62: the row has 2 cells, expected are 5; mend"),
    "out of range": (_out_of_range, "plant.csv", "channel c: line "),
    "too many files": (_too_many_files, "most_files:", "5 are allowed"),
}


def check(request: Path, said: Said, place: str, message: str) -> None:
    """The line names the place and the message; at most what was read well is left."""
    left = [path.name for path in request.parent.glob("**/prepare/*")]
    assert left in ([], [".pieces"])
    if not left:
        assert sorted(path.name for path in request.parent.iterdir()) == ["raw", request.name]
    line = one_line(said)
    assert message in line
    if place.endswith((".csv", ".mat")):
        assert place in line.split(": ", 1)[0], line  # a file of the data
    else:
        assert line.startswith(f"{request}:{line_of(request, place)}: "), line


@pytest.mark.parametrize("name", CASES)
def test_prepare_refuses_wrong_data(tmp_path: Path, name: str) -> None:
    make, place, message = CASES[name]
    request = make(tmp_path)
    check(request, call("prepare", request, "--out", tmp_path / "out"), place, message)


def test_run_refuses_a_wrong_digest_before_it_starts_anything(tmp_path: Path) -> None:
    make, place, message = CASES["wrong digest"]
    request = make(tmp_path)
    check(request, call("run", request, "--out", tmp_path / "out"), place, message)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "ranks"),
    [
        ("truncated mat", 1),
        pytest.param("channel without readings", 2, marks=pytest.mark.mpi),
    ],
)
def test_run_refuses_wrong_data_in_the_same_words(tmp_path: Path, name: str, ranks: int) -> None:
    make, place, message = CASES[name]
    request = change(make(tmp_path), compute={"ranks": ranks})
    # The folder above is made by the run as well, so it goes as well.
    said = launch("run", request, "--out", tmp_path / "results" / "out")
    check(request, said, place, message)
