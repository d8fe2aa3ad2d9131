"""NumPy files: plain arrays, and pickles under lock and key."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.npy import Options, read

if TYPE_CHECKING:
    from pathlib import Path

LAYOUT = {"series": "X", "channels": "names", "attributes": ["y"], "names": {"y": "y_names"}}


def test_plain_and_structured(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.arange(6, dtype=">f4").reshape(3, 2))
    (table,) = read(file, Options(names=["x", "y"]))
    assert table.columns["y"].dtype == np.float32
    assert table.columns["y"].tolist() == [1.0, 3.0, 5.0]
    np.save(file, np.array([(1, 2.5)], dtype=[("n", "i4"), ("v", "f8")]))
    (table,) = read(file, Options())
    assert {name: column.tolist() for name, column in table.columns.items()} == {
        "n": [1],
        "v": [2.5],
    }
    np.save(file, np.arange(3.0))
    assert list(next(read(file, Options())).columns) == ["c1"]


@pytest.mark.parametrize("array", [np.zeros((2, 2, 2)), np.array(["a"]), np.zeros(2, complex)])
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "a.npy", array)
    with pytest.raises(InputError, match="save numbers as one row"):
        list(read(tmp_path / "a.npy", Options()))


def test_damaged(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    np.save(file, np.zeros((100, 2)))
    file.write_bytes(file.read_bytes()[:-10])
    with pytest.raises(RecordingError, match="damaged"):
        list(read(file, Options()))
    file.write_bytes(b"PK\x03\x04 something else")
    with pytest.raises(RecordingError, match=r"no .npy file"):
        list(read(file, Options()))


def save_dictionary(file: Path, **more: object) -> None:
    """A dictionary of two series as a pickled .npy file."""
    series = [np.arange(6.0).reshape(3, 2), np.ones((4, 2))]
    content = {"X": series, "names": ["ax", "ay"], "y": np.array([1, 0]), "y_names": ["no", "yes"]}
    np.save(file, np.array(content | more, dtype=object), allow_pickle=True)


def test_dictionary_of_series(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    save_dictionary(file, spare=np.float64(2.0))
    with pytest.raises(InputError, match="holds a pickle, which can run code"):
        list(read(file, Options()))
    options = Options.model_validate({"pickle": True, "layout": LAYOUT})
    assert options.needs_digest
    first, second = read(file, options)
    assert (first.name, second.name) == ("000", "001")
    assert (first.attributes, second.attributes) == ({"y": "yes"}, {"y": "no"})
    assert first.columns["ay"].tolist() == [1.0, 3.0, 5.0]
    assert len(second.columns["ax"]) == 4


class _Evil:
    """An object whose pickle would run a command."""

    def __reduce__(self) -> tuple:
        return os.system, ("true",)


def test_pickle_that_calls_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.npy"
    save_dictionary(file, evil=_Evil())
    options = Options.model_validate({"pickle": True, "layout": LAYOUT})
    with pytest.raises(InputError, match=r"its pickle is refused \(it asks for .*system"):
        list(read(file, options))
    save_dictionary(file)
    file.write_bytes(file.read_bytes()[:-5])
    with pytest.raises(RecordingError, match="its pickle is damaged"):
        list(read(file, options))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"y": [1]}, "y has 1 values for 2 series"),
        ({"y": [1, 7]}, "y 7 has no name"),
        ({"names": ["ax"]}, "series 0: has shape"),
    ],
)
def test_layout_that_does_not_fit(tmp_path: Path, change: dict, message: str) -> None:
    file = tmp_path / "a.npy"
    save_dictionary(file, **change)
    with pytest.raises(InputError, match=message):
        list(read(file, Options.model_validate({"pickle": True, "layout": LAYOUT})))


def test_layout_needs_pickle() -> None:
    with pytest.raises(ValueError, match="belong together"):
        Options(pickle=True)
