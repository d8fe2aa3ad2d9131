"""Activity files with some bytes changed: a table or one line, never a traceback, never a hang.

``python tests/readers/test_mutated_activity_files.py 10000`` tries so many on the files made here.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lumipipe.errors import InputError
from lumipipe.readers import READERS
from readers.activity_files import (
    NEW_SEGMENT,
    fit_file,
    gpx,
    hrm,
    hrv,
    lap,
    ride,
    session,
    tcx,
    timer,
    trackpoint,
    trkpt,
    wfdb_record,
)
from readers.test_fit import DESCRIBED

if TYPE_CHECKING:
    from collections.abc import Iterator

for name, extra in {
    "fitdecode": "activity-files",
    "gpxpy": "activity-files",
    "wfdb": "ecg",
}.items():
    pytest.importorskip(name, reason=f"these files are the extra {extra}")

LONGEST_S = 10.0


def whole_files() -> dict[str, bytes]:
    """A small file of each format with as much in it as such files have."""
    stop, start = timer(7, starts=False), timer(9, starts=True)
    rows = ride(20)
    content = [
        *DESCRIBED,
        *rows[:9],
        hrv(0.8, 0.7),
        stop,
        start,
        *rows[11:],
        session("running", 15, 9),
    ]
    hr = "<extensions><g:TrackPointExtension><g:hr>140</g:hr></g:TrackPointExtension></extensions>"
    space = 'xmlns:g="http://www.garmin.com/xmlschemas/TrackPointExtension/v1"'
    first, second = "".join(trkpt(t, hr) for t in range(4)), "".join(map(trkpt, range(6, 9)))
    tracks = ("".join(map(trackpoint, range(3))), "".join(map(trackpoint, range(5, 7))))
    files = {
        "a.fit": fit_file(content) + fit_file(rows),
        "a.gpx": gpx(first + NEW_SEGMENT + second, space).encode(),
        "a.tcx": tcx(lap(0, 4, *tracks)).encode(),
        "a.hrm": hrm("95\t166\t76\t285\n" * 4).encode("latin-1"),
        "b.hrm": hrm("800\n900\n810\n", interval=238, length="00:00:02.5").encode("latin-1"),
        "a.rr": b"800\n810\n820\n",
        "b.rr": b"0.8 0.8\n1.6 0.8\n9.6 0.8\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        head = wfdb_record(Path(folder))
        for suffix in (".hea", ".dat", ".atr"):
            files[f"r1{suffix}"] = head.with_suffix(suffix).read_bytes()
    return files


FILES = whole_files()
MUTATED = [name for name in FILES if name != "r1.dat"]


def read_all(name: str, content: bytes) -> Iterator[object]:
    """What the readers make of a file, strictly and salvaging."""
    suffix = name.rpartition(".")[2]
    form = "wfdb" if name.startswith("r1") else suffix
    several = (
        [{"table": "beats"}, {"table": "signals"}]
        if form == "wfdb"
        else [{"salvage": False}, {"salvage": True, "positions": True}]
    )
    if form == "fit":
        several.append({"salvage": True, "table": "rr"})
    with tempfile.TemporaryDirectory() as folder:
        for other in FILES if form == "wfdb" else ():
            (Path(folder) / other).write_bytes(FILES[other])
        (Path(folder) / name).write_bytes(content)
        file = Path(folder) / ("r1.hea" if form == "wfdb" else name)
        for options in several:
            reader = READERS[form]
            try:
                yield list(reader.read(file, reader.Options.model_validate(options)))
            except InputError as error:
                yield str(error)


def check(name: str, content: bytes) -> None:
    """A table whose columns have one length, or one line; within the time."""
    begun = time.monotonic()
    for found in read_all(name, content):
        if isinstance(found, str):
            assert "\n" not in found
            continue
        for table in found:
            lengths = {len(column) for column in table.columns.values()}
            assert len(lengths) == 1
            assert all(0 < row < max(lengths) for row in table.breaks)
            assert all(isinstance(column, np.ndarray) for column in table.columns.values())
    assert time.monotonic() - begun < LONGEST_S


def mutated(content: bytes, places: list[float], values: bytes, how: int) -> bytes:
    """The content with bytes replaced (0), put in (1) or taken out (2), or its end cut off (3)."""
    raw = bytearray(content)
    for place, value in zip(places, values, strict=False):
        at = min(int(place * len(raw)), max(len(raw) - 1, 0))
        if how == 0 and raw:
            raw[at] = value
        elif how == 1:
            raw[at:at] = bytes([value]) * (1 + value % 5)
        elif how == 2:
            del raw[at : at + 1 + value % 5]
        elif how == 3:
            del raw[at:]
    return bytes(raw)


@pytest.mark.parametrize("name", MUTATED)
@given(
    places=st.lists(st.floats(0, 1, exclude_max=True), min_size=1, max_size=6),
    values=st.binary(min_size=6, max_size=6),
    how=st.integers(0, 3),
)
def test_a_table_or_one_line(name: str, places: list[float], values: bytes, how: int) -> None:
    check(name, mutated(FILES[name], places, values, how))


@pytest.mark.parametrize("name", MUTATED)
def test_the_files_are_whole_before_they_are_changed(name: str) -> None:
    strictly = next(read_all(name, FILES[name]))
    assert not isinstance(strictly, str)
    check(name, FILES[name])


if __name__ == "__main__":
    draw = random.Random(1)
    for number in range(int(sys.argv[1])):
        chosen = MUTATED[number % len(MUTATED)]
        places = [draw.random() for _ in range(draw.randint(1, 6))]
        changed = mutated(FILES[chosen], places, draw.randbytes(6), draw.randint(0, 3))
        try:
            check(chosen, changed)
        except Exception:
            Path(f"mutation-{number}.{chosen}").write_bytes(changed)
            raise
    print(f"{sys.argv[1]} changed files: each a table or one line")
