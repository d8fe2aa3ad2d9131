"""Columns of a file as channels: many columns named at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydantic import ValidationError

from lumipipe.config import Channel, Prepare, Source
from lumipipe.errors import InputError
from lumipipe.readers.recording import Recording, read_recordings
from lumipipe.store.dataset import open_dataset
from lumipipe.store.manifest import read_manifest
from preparing import request, run, stage_of

if TYPE_CHECKING:
    from pathlib import Path

SPECTRUM = {"name": "a", "columns": "[0-9.]+", "quantity": "absorbance", "unit": "1"}
OTHER = {"name": "t", "column": "1", "quantity": "temperature", "unit": "degC"}
TEXT = "note,428.0,1,429.5,430\nx,0.1,20,0.2,0.3\ny,0.4,21,0.5,0.6\n"


def source(**changes: Any) -> dict[str, Any]:
    plain = {
        "id": "probe",
        "source": "raw/*.csv",
        "format": "csv",
        "read": {"delimiter": ",", "decimal": "."},
        "time": {"kind": "order", "row": "one sample"},
        "channels": [SPECTRUM, OTHER],
    }
    return plain | changes


def recording(tmp_path: Path, **changes: Any) -> Recording:
    (tmp_path / "p.csv").write_text(TEXT)
    made = Source.model_validate(source(source="p.csv", **changes))
    return read_recordings(made, tmp_path / "p.csv", Prepare(), "r.yaml:1")[0]


def test_each_matching_column_is_a_channel_in_the_order_of_the_file(tmp_path: Path) -> None:
    stream = recording(tmp_path).streams["main"]
    # The column that the other channel names is no member; text is not looked at.
    assert stream.channels == ("a[428.0]", "a[429.5]", "a[430]", "t")
    np.testing.assert_array_equal(stream.values, [[0.1, 0.2, 0.3, 20], [0.4, 0.5, 0.6, 21]])


def test_a_name_must_match_whole(tmp_path: Path) -> None:
    only = recording(tmp_path, channels=[SPECTRUM | {"columns": r"42\d\.0"}])
    assert only.streams["main"].channels == ("a[428.0]",)


def test_what_no_column_matches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"p.csv: has no column b\\d; .*columns: note, 428.0"):
        recording(tmp_path, channels=[SPECTRUM | {"columns": r"b\d"}])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"columns": "["}, "no regular expression"),
        ({"column": "428.0"}, "give one of the two"),
        ({"columns": None, "axis": "wavenumber, 1/cm"}, "give columns, too"),
    ],
)
def test_wrong_declarations(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Channel.model_validate(SPECTRUM | change)


def write(base: Path, header: str, name: str, first: int = 0) -> None:
    (base / "raw").mkdir(parents=True, exist_ok=True)
    width = header.count(",") + 1
    rows = [",".join(f"{first + 10 * r + c}" for c in range(width)) for r in range(3)]
    (base / "raw" / name).write_text("\n".join([header, *rows]) + "\n")


def test_a_dataset_knows_group_and_axis(tmp_path: Path) -> None:
    write(tmp_path, "428,1,429", "p.csv")
    write(tmp_path, "428,1,429", "q.csv", first=100)
    form = request(source(channels=[SPECTRUM | {"axis": "wavenumber, 1/cm"}, OTHER]))
    assert run(form, tmp_path, tmp_path / "out") == 0
    manifest = stage_of(tmp_path / "out").manifest
    stream = open_dataset(manifest).streams["main"]
    names = [(row.name, row.group, row.axis) for row in stream.channels]
    axis = "wavenumber, 1/cm"
    assert names == [("a[428]", "a", axis), ("a[429]", "a", axis), ("t", None, None)]
    assert stream.read_rows(0, 6)[:, 1].tolist() == [2, 12, 22, 102, 112, 122]
    assert read_manifest(manifest).record["recordings"] == 2


def test_recordings_with_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "428,1,429", "p.csv")
    write(tmp_path, "428,1,430", "q.csv")
    with pytest.raises(InputError, match=r"p.csv and q.csv: their columns of stream main differ"):
        run(request(source()), tmp_path, tmp_path / "out")
