"""HDF5: vectors, matrices, records; what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.hdf5 import Options, read

if TYPE_CHECKING:
    from pathlib import Path

h5py = pytest.importorskip("h5py", reason="HDF5 is the extra instruments")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with two vectors and a state in a group, a matrix, records, and what is none."""
    path = tmp_path / "run.h5"
    with h5py.File(path, "w") as store:
        store.attrs["load"] = 2.0
        store["run/acc"] = np.arange(4.0, dtype=np.float32)
        store["run/acc"].attrs["units"] = "m/s2"
        store["run/on"] = np.array([True, False, True, True])
        store["run/state"] = np.array(["a", "b", "c", "ä"], dtype=h5py.string_dtype())
        store["speed"] = 1500
        store["matrix"] = np.arange(6, dtype=">i2").reshape(3, 2)
        store["records"] = np.array([(1, 0.5), (2, 1.5)], dtype=[("n", "u1"), ("x", "f8")])
        store["cube"] = np.zeros((2, 2, 2))
    return path


def test_tables_of_a_file(file: Path) -> None:
    tables = {table.name: table for table in read(file, Options())}
    assert list(tables) == ["run", "matrix", "records"]
    run = tables["run"]
    assert {name: str(values.dtype) for name, values in run.columns.items()} == {
        "acc": "float32",
        "on": "uint8",
        "state": "object",
    }
    assert run.columns["state"].tolist() == ["a", "b", "c", "ä"]
    assert run.attributes["unit:acc"] == "m/s2"
    assert run.attributes["not_read"] == "cube (float64, shape (2, 2, 2))"
    assert tables["matrix"].columns["c2"].tolist() == [1, 3, 5]
    assert tables["matrix"].columns["c2"].dtype == np.int16
    assert tables["records"].columns["x"].tolist() == [0.5, 1.5]


def test_only_what_is_asked_for(file: Path) -> None:
    options = Options(table="run", attributes={"load": "@load", "speed": "speed", "x?": "@x"})
    (table,) = read(file, options.for_columns({"acc"}, set()))
    assert (table.name, list(table.columns)) == ("run", ["acc"])
    assert {key: table.attributes[key] for key in ("load", "speed")} == {
        "load": "2",
        "speed": "1500",
    }
    with pytest.raises(InputError, match="has no scalar @nothing"):
        list(read(file, Options(attributes={"x": "@nothing"})))


def test_a_cut_file_is_refused(file: Path) -> None:
    content = file.read_bytes()
    for end in (0, 4, 100, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError):
            list(read(file, Options()))


def test_what_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.h5"
    with h5py.File(file, "w") as store:
        store.create_dataset("x", (10**10,), "f8", chunks=(1000,), compression="gzip")
    with pytest.raises(RecordingError, match="its headers promise 80000000000 bytes"):
        list(read(file, Options()))
    with h5py.File(file, "w") as store:
        store.create_dataset("x", (1000,), "f8", chunks=(1000,))
    with pytest.raises(RecordingError, match="was never written"):
        list(read(file, Options()))


def test_links_to_other_files_are_not_followed(tmp_path: Path) -> None:
    secret = tmp_path / "secret.bin"
    secret.write_bytes(np.arange(4.0).tobytes())
    file = tmp_path / "link.h5"
    with h5py.File(file, "w") as store:
        store.create_dataset("x", (4,), "f8", external=[(str(secret), 0, 32)])
    with pytest.raises(RecordingError, match="x: keeps its values in other files"):
        list(read(file, Options()))
    with h5py.File(file, "w") as store:
        store["y"] = h5py.ExternalLink(str(tmp_path / "other.h5"), "/x")
    with pytest.raises(RecordingError, match="has no rows"):
        list(read(file, Options()))
