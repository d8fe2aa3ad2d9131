"""The .ts layout, and agreement with an independent loader."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError
from lumipipe.readers.ts import Options, read

if TYPE_CHECKING:
    from pathlib import Path

HEADER = "# note\n@problemName x\n@univariate false\n@classLabel true a b\n@data\n"


def write(tmp_path: Path, text: str) -> Path:
    """A .ts file with this content."""
    file = tmp_path / "x.ts"
    file.write_text(text)
    return file


def test_unequal_lengths_and_missing(tmp_path: Path) -> None:
    file = write(tmp_path, HEADER + "1,2,?:4,5,6:a\n\n7:8:b\n")
    first, second = read(file, Options(names=["x", "y"]))
    np.testing.assert_array_equal(first.columns["x"], [1.0, 2.0, np.nan])
    assert first.attributes == {"class": "a"}
    assert (second.name, second.columns["y"].tolist()) == ("001", [8.0])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEADER, "has no series"),
        (HEADER.replace("@data\n", ""), "has no line @data"),
        ("1,2:a\n", "x.ts:1: is data before @data"),
        (HEADER + "1,2:3,4:c\n", "x.ts:6: its class 'c' is not in the header"),
        (HEADER + "1,2:3,x:a\n", "x.ts:6: dimension 2 holds 'x'"),
        (HEADER + "1,2:3:a\n", "its dimensions have [1, 2] values"),
        (HEADER + "1:2:a\n1:a\n", "x.ts:7: has 1 dimensions, not 2"),
        ("@equalLength true\n" + HEADER + "1:2:a\n1,1:2,2:a\n", "x.ts:8: has 2 values, not 1"),
        ("@timeStamps true\n" + HEADER + "1:2:a\n", "has @timestamps"),
        ("@dimensions two\n" + HEADER + "1:2:a\n", "@dimensions or @seriesLength"),
    ],
)
def test_faults(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        list(read(write(tmp_path, text), Options()))
    assert message in str(caught.value)


@pytest.mark.parametrize("name", ["BasicMotions_TRAIN", "PickupGestureWiimoteZ_TEST"])
def test_agrees_with_aeon(real_data: Path, name: str) -> None:
    file = real_data / "uea-ts" / f"{name}.ts"
    aeon = pytest.importorskip("aeon.datasets", reason="aeon is not installed: it fits few NumPys")
    series, classes = aeon.load_from_ts_file(str(file))
    tables = list(read(file, Options()))
    assert len(tables) == len(series)
    for table, values, label in zip(tables, series, classes, strict=True):
        np.testing.assert_array_equal(np.stack(list(table.columns.values())), values)
        assert table.attributes["class"].lower() == label.lower()
