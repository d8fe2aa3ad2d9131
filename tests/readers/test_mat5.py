"""MATLAB files: variables by ending, truncation, version 7.3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy.io import savemat

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.mat5 import Options, read

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = {
    "X048_DE_time": np.arange(5.0)[:, None],
    "X048_FE_time": np.arange(5, dtype=np.int16)[None, :],
    "X048RPM": 1796,
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file like those of the bearing data centre."""
    savemat(tmp_path / "B028.mat", CONTENT)
    return tmp_path / "B028.mat"


@pytest.mark.parametrize("pattern", ["*_DE_time", "_DE_time", "X048_DE_time", "X???_DE_time"])
def test_variables_by_name_ending_and_glob(file: Path, pattern: str) -> None:
    options = Options(variables={"DE": pattern}, scalars={"rpm": "RPM", "load?": "*load"})
    (table,) = read(file, options)
    assert table.columns["DE"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0]
    assert table.attributes == {"rpm": "1796"}
    assert table.name == "B028"


@pytest.mark.parametrize("pattern", ["*_BA_time", "*_time"])
def test_no_match_or_two_list_the_candidates(file: Path, pattern: str) -> None:
    with pytest.raises(InputError, match=r"variables match for DE; name one of: X048_DE_time"):
        list(read(file, Options(variables={"DE": pattern})))
    with pytest.raises(InputError, match="match for load"):
        list(read(file, Options(variables={"DE": "_DE_time"}, scalars={"load": "load"})))


def test_wrong_shapes(tmp_path: Path) -> None:
    file = tmp_path / "x.mat"
    savemat(file, {"a": np.zeros(4), "b": np.zeros(5), "c": np.zeros((2, 2)), "d": "text"})
    with pytest.raises(RecordingError, match="differ in length: a 4, b 5"):
        list(read(file, Options(variables={"a": "a", "b": "b"})))
    with pytest.raises(RecordingError, match="variable c: has shape"):
        list(read(file, Options(variables={"c": "c"})))
    with pytest.raises(RecordingError, match=r"variable b: has shape .*no single number"):
        list(read(file, Options(variables={"a": "a"}, scalars={"b": "b"})))


@pytest.mark.parametrize("compressed", [False, True])
def test_truncated_anywhere(tmp_path: Path, *, compressed: bool) -> None:
    whole, file = tmp_path / "w.mat", tmp_path / "cut.mat"
    savemat(
        whole, {"X1_DE_time": np.random.default_rng(1).normal(size=300)}, do_compression=compressed
    )
    content = whole.read_bytes()
    for end in [0, 3, 50, 127, 130, 140, 180, 200, len(content) // 2, len(content) - 1]:
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError, match=r"cut.mat.*byte"):
            list(read(file, Options(variables={"DE": "_DE_time"})))
    if not compressed:
        file.write_bytes(content[:-1])
        with pytest.raises(RecordingError, match="variable X1_DE_time"):
            list(read(file, Options(variables={"DE": "_DE_time"})))


def test_version_73_is_refused_with_the_remedy(tmp_path: Path, real_data: Path) -> None:
    file = tmp_path / "new.mat"
    file.write_bytes(b"MATLAB 7.3 MAT-file, Platform".ljust(512) + b"\x89HDF\r\n\x1a\n")
    for path in [file, *sorted((real_data / "mat73").glob("*.mat"))]:
        with pytest.raises(InputError, match="set format: mat73"):
            list(read(path, Options(variables={"DE": "x"})))


def test_whole_doubles_stay_doubles(tmp_path: Path) -> None:
    # MATLAB stores whole doubles as small integers; they must come back as doubles.
    savemat(tmp_path / "x.mat", {"a": np.arange(3.0)})
    (table,) = read(tmp_path / "x.mat", Options(variables={"a": "a"}))
    assert table.columns["a"].dtype == np.float64
