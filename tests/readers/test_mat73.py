"""MATLAB 7.3: axes, classes, structs, cells, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from lumipipe.errors import InputError, RecordingError
from lumipipe.readers.mat73 import Options, read

if TYPE_CHECKING:
    from pathlib import Path

h5py = pytest.importorskip("h5py", reason="MATLAB 7.3 is the extra instruments")

_CLASSES = {"f8": "double", "f4": "single", "i2": "int16", "u1": "logical", "c16": "double"}


def put(group: Any, name: str, values: Any) -> Any:
    """A variable as MATLAB would store it: axes turned round, with its class."""
    if isinstance(values, str):
        item = group.create_dataset(name, data=np.array([[ord(sign)] for sign in values], "u2"))
        kind = "char"
    elif isinstance(values, list):
        pool = group.file.require_group("#refs#")
        links = [put(pool, f"r{len(pool)}", value).ref for value in values]
        item = group.create_dataset(name, data=np.array([links], dtype=h5py.ref_dtype).T)
        kind = "cell"
    elif isinstance(values, dict):
        item = group.create_group(name)
        kind = "struct"
        for key, value in values.items():
            put(item, key, value)
    else:
        array = np.atleast_2d(values)
        kind = _CLASSES[array.dtype.str[1:]]
        if array.dtype.kind == "c":
            array = array.view([("real", "f8"), ("imag", "f8")])
        item = group.create_dataset(name, data=array.T)
    item.attrs["MATLAB_class"] = np.bytes_(kind)
    return item


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A file with what instruments' scripts save."""
    path = tmp_path / "run.mat"
    with h5py.File(path, "w", userblock_size=512) as store:
        long = np.arange(12.0).reshape(4, 3)
        put(store, "data", {"acc": long, "t": np.arange(4.0)[:, None], "fs": 100.0})
        put(store, "wide", np.arange(8, dtype=np.int16).reshape(2, 4))
        put(store, "spectrum", np.array([1 + 2j, 3 + 4j, 5j, 6]))
        put(store, "on", np.array([1, 0, 1, 1], np.uint8))
        put(store, "who", "Kämmerer")
        put(store, "states", ["a", "", "c", "d"])
        put(store, "mixed", [np.arange(4.0), "text"])
        put(store, "cube", np.zeros((2, 2, 2)))
        store["table"] = np.zeros((1, 6), np.uint32)
        store["table"].attrs["MATLAB_class"] = np.bytes_("table")
    return path


def test_names_axes_and_types_are_those_of_matlab(file: Path) -> None:
    (table,) = read(file, Options())
    kinds = {name: str(values.dtype) for name, values in table.columns.items()}
    assert kinds == {
        "data.acc(:,1)": "float64",
        "data.acc(:,2)": "float64",
        "data.acc(:,3)": "float64",
        "data.t": "float64",
        "mixed{1}": "float64",
        "on": "uint8",
        "spectrum.re": "float64",
        "spectrum.im": "float64",
        "states": "object",
        "wide(1,:)": "int16",
        "wide(2,:)": "int16",
    }
    assert table.columns["data.acc(:,2)"].tolist() == [1, 4, 7, 10]
    assert table.columns["wide(2,:)"].tolist() == [4, 5, 6, 7]
    assert table.columns["spectrum.im"].tolist() == [2, 4, 5, 0]
    assert table.columns["states"].tolist() == ["a", "", "c", "d"]
    assert table.attributes["not_read"] == "cube (shape (2, 2, 2)), table (table)"


def test_variables_and_scalars_as_for_older_files(file: Path) -> None:
    options = Options(
        variables={"x": "data.acc(:,1)", "t": "*.t"}, scalars={"fs": ".fs", "who": "who", "n?": "n"}
    )
    (table,) = read(file, options)
    assert table.name == "run"
    assert {name: values.tolist() for name, values in table.columns.items()} == {
        "x": [0, 3, 6, 9],
        "t": [0, 1, 2, 3],
    }
    assert table.attributes["fs"] == "100"
    assert table.attributes["who"] == "Kämmerer"
    (table,) = read(file, options.for_columns({"t"}, set()))
    assert list(table.columns) == ["t"]


def test_what_is_not_there_once_is_named(file: Path) -> None:
    with pytest.raises(InputError, match="variable acc: 0 variables match for x"):
        list(read(file, Options(variables={"x": "acc"})))
    with pytest.raises(InputError, match=r"variable \*acc\*: 3 variables match for x"):
        list(read(file, Options(variables={"x": "*acc*"})))


def test_vectors_of_two_lengths(tmp_path: Path) -> None:
    file = tmp_path / "run.mat"
    with h5py.File(file, "w") as store:
        put(store, "a", np.arange(3.0))
        put(store, "b", np.arange(5.0))
        put(store, "square", np.arange(9.0).reshape(3, 3))
    tables = {table.name: list(table.columns) for table in read(file, Options())}
    both = [f"square(:,{k})" for k in (1, 2, 3)] + [f"square({k},:)" for k in (1, 2, 3)]
    assert tables == {"3 rows": ["a", *both], "5 rows": ["b"]}
    with pytest.raises(RecordingError, match="differ in length: a 3, b 5"):
        list(read(file, Options(variables={"a": "a", "b": "b"})))


def test_a_struct_that_contains_itself_and_a_file_without_vectors(tmp_path: Path) -> None:
    file = tmp_path / "run.mat"
    with h5py.File(file, "w") as store:
        put(store, "a", {"x": 1.0})
        store["a"]["again"] = store["a"]
    with pytest.raises(RecordingError, match="contain themselves"):
        list(read(file, Options()))
    with h5py.File(file, "w") as store:
        put(store, "a", 1.0)
    with pytest.raises(RecordingError, match="holds no vector; it has a"):
        list(read(file, Options()))


def test_a_cut_file_is_refused(file: Path) -> None:
    content = file.read_bytes()
    for end in (0, 200, 600, len(content) // 2, len(content) - 1):
        file.write_bytes(content[:end])
        with pytest.raises(RecordingError):
            list(read(file, Options()))
