"""NumPy's ``.npy`` files: plain and structured arrays, and a pickled dictionary of series.

Pickles are opened only where the request says so and the file's digest was checked, and by
a loader that can build arrays and plain containers but nothing else.
"""

from __future__ import annotations

import io
import math
import pickle
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import numpy as np
from pydantic import Field, model_validator

from lumipipe.config import Settings
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, plain_name, shown
from lumipipe.readers.libraries import damage, refuse_size
from lumipipe.readers.salvage import Whole
from lumipipe.readers.tables import (
    ReaderOptions,
    Table,
    column_names,
    number_text,
    refuse_width,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_FORMAT: Any = np.lib.format  # its functions carry no types in some releases of NumPy


class Layout(Settings):
    """Where a dictionary of series keeps what."""

    series: str
    """Key of the list of series, each of shape (row, channel)."""
    channels: str | list[str]
    """Key of the list of channel names, or the names themselves."""
    attributes: list[str] = []
    """Keys of lists with one value for each series."""
    names: dict[str, str] = {}
    """Attribute to the key of a list in which its numbers find their names."""


class Options(ReaderOptions):
    """Keys of an .npy file."""

    names: Annotated[list[str], Field(min_length=1)] | None = None
    """Names of the columns of a plain array; c1 to cN where absent."""
    pickle: bool = False
    """Whether the file holds a pickle; the source must then declare its sha256."""
    layout: Layout | None = None
    """Layout of a pickled dictionary of series."""

    @property
    def needs_digest(self) -> bool:
        """Whether the file may only be opened after its declared digest was checked."""
        return self.pickle

    @model_validator(mode="after")
    def _pickle_with_layout(self) -> Options:
        if self.pickle != (self.layout is not None):
            raise ValueError("pickle and layout belong together; give both or none")
        return self


def read(file: Path, options: Options) -> Iterator[Table]:
    """The table of a plain array, or one table for each series of a pickled dictionary.

    Parameters
    ----------
    file : Path
        An .npy file; .npy.gz and .npy.xz too.
    options : Options
        Names, and the layout of a pickle.

    Yields
    ------
    Table
        Columns in the array's own number type.

    Raises
    ------
    InputError
        If the file holds a pickle that was not declared, or anything but arrays and plain
        containers, or the layout's keys are not there.
    RecordingError
        If the file is damaged.
    """
    with open_binary(file, options.most_bytes) as stream:
        content = _load(file, stream, pickled=options.pickle)
    if options.layout is not None:
        yield from _series(file, content, options.layout)
    else:
        yield _plain(file, content, options.names)


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The rows that are whole of an array whose end was cut; None of pickles and by columns."""
    stream = io.BytesIO(content)
    shape, by_columns, dtype = _header(stream)
    first = stream.tell()
    row_bytes = math.prod(shape[1:]) * dtype.itemsize
    by_columns = by_columns and len(shape) > 1
    if dtype.hasobject or by_columns or not shape or row_bytes <= 0:
        return None
    rows = (len(content) - first) // row_bytes
    if not 0 < rows < shape[0]:
        return None
    mended, end = io.BytesIO(), first + rows * row_bytes
    _FORMAT.write_array_header_2_0(
        mended,
        {
            "descr": _FORMAT.dtype_to_descr(dtype),
            "fortran_order": False,
            "shape": (rows, *shape[1:]),
        },
    )
    fault = finding(f"{rows} of {shape[0]} rows are whole")
    return Whole(mended.getvalue() + content[first:end], end, len(content), fault)


def _header(stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, whether columns lie together, and type of an array."""
    if _FORMAT.read_magic(stream) == (1, 0):
        found = _FORMAT.read_array_header_1_0(stream)
    else:
        found = _FORMAT.read_array_header_2_0(stream)
    shape, by_columns, dtype = found
    if any(length < 0 for length in shape):
        raise ValueError(f"its shape is {shape}")
    return shape, by_columns, dtype


def _load(file: Path, stream: BinaryIO, *, pickled: bool) -> Any:
    """The array of an .npy file, or the object that its pickle describes."""
    with damage(file, finding(".npy file")):
        shape, _, dtype = _header(stream)
        if not dtype.hasobject:
            if pickled:
                raise InputError(shown(file), "holds no pickle", "remove pickle and layout")
            _refuse_shape(file, stream, shape, dtype)
            stream.seek(0)
            return _FORMAT.read_array(stream, allow_pickle=False)
    if not pickled:
        raise InputError(
            shown(file),
            "holds a pickle, which can run code",
            "if you trust it, declare its sha256 and set read.pickle and read.layout",
        )
    return _unpickle(file, stream, shape)


def _refuse_shape(
    file: Path, stream: BinaryIO, shape: tuple[int, ...], dtype: np.dtype[Any]
) -> None:
    """Refuse a shape without rows, or of more bytes than come after it."""
    first = stream.tell()
    held = stream.seek(0, 2) - first
    refuse_size(file, math.prod(shape) * dtype.itemsize, held)
    if not math.prod(shape) * dtype.itemsize:
        raise RecordingError(shown(file), "has no rows", "remove the file or fetch it again")


def _unpickle(file: Path, stream: BinaryIO, shape: tuple[int, ...]) -> Any:
    """The one object in a pickled array, built by the restricted loader."""
    try:
        array = _Unpickler(stream).load()
    except _RefusedError as error:
        raise InputError(
            shown(file),
            f"its pickle is refused ({error})",
            "save the data as plain arrays without pickle",
        ) from error
    except Exception as error:  # a damaged pickle may raise anything
        raise RecordingError(
            shown(file), f"its pickle is damaged ({error})", "fetch the file again"
        ) from error
    if shape != () or not isinstance(array, np.ndarray) or array.shape != ():
        raise InputError(shown(file), "holds no single dictionary", "save one dictionary")
    return array.item()


def _encode(text: str, encoding: str = "latin1") -> bytes:
    """Bytes that a pickle of protocol 2 keeps as text; no other codec is let in."""
    if encoding not in ("latin1", "latin-1"):
        raise _RefusedError(f"codec {encoding}")
    return text.encode("latin1")


def _allowed() -> dict[tuple[str, str], Callable[..., object]]:
    """What a pickle may call, under the names that NumPy 1 and 2 wrote."""
    reconstruct = np.empty(0).__reduce__()[0]
    scalar = np.float64(0).__reduce__()[0]
    allowed: dict[tuple[str, str], Callable[..., object]] = {
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("_codecs", "encode"): _encode,
    }
    for package in ("numpy.core", "numpy._core"):
        allowed[(f"{package}.multiarray", "_reconstruct")] = reconstruct  # type: ignore[assignment]
        allowed[(f"{package}.multiarray", "scalar")] = scalar  # type: ignore[assignment]
    return allowed


class _RefusedError(pickle.UnpicklingError):
    """A pickle asks for something that is not on the list."""


class _Unpickler(pickle.Unpickler):
    """A loader that knows arrays and plain containers only."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """The allowed callable of that name."""
        found = _allowed().get((module_name, global_name))
        if found is None:
            raise _RefusedError(f"it asks for {module_name}.{global_name}")
        return found


def _plain(file: Path, array: np.ndarray, names: list[str] | None) -> Table:
    """The table of a structured array, or of a plain one of shape (row,) or (row, channel)."""
    if array.dtype.names:
        if array.ndim != 1:
            raise InputError(shown(file), f"has shape {array.shape}", "save one row a record")
        columns = {name: _native(array[name]) for name in array.dtype.names}
    else:
        if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
            raise InputError(
                shown(file),
                f"has shape {array.shape} and type {array.dtype}",
                "save numbers as one row a sample and one column a channel",
            )
        array = array.reshape(len(array), -1)
        refuse_width(file, array.shape[1])
        found = column_names(names, array.shape[1])
        if found is None:
            raise InputError(
                shown(file),
                f"has {array.shape[1]} columns, names has {len(names or [])}",
                "give one name for each column",
            )
        columns = {name: _native(array[:, at]) for at, name in enumerate(found)}
    return Table(plain_name(file), columns, {}, None)


def _native(column: np.ndarray) -> np.ndarray:
    """A contiguous copy in this machine's byte order."""
    return np.ascontiguousarray(column, dtype=column.dtype.newbyteorder("="))


def _series(file: Path, content: Any, layout: Layout) -> Iterator[Table]:
    """One table for each series of a dictionary."""
    if not isinstance(content, dict):
        raise InputError(shown(file), "holds no dictionary", "remove pickle and layout")
    series = _entry(file, content, layout.series)
    names = layout.channels
    channels = [
        str(name) for name in (_entry(file, content, names) if isinstance(names, str) else names)
    ]
    attributes = {key: _entry(file, content, key) for key in layout.attributes}
    codes = {key: _entry(file, content, layout.names[key]) for key in layout.names}
    for key, values in attributes.items():
        if len(values) != len(series):
            raise InputError(
                shown(file),
                f"{key} has {len(values)} values for {len(series)} series",
                "name only keys with one value for each series",
            )
    width = max(3, len(str(len(series) - 1)))
    for number, item in enumerate(series):
        array = np.asarray(item)
        if array.shape[1:] != (len(channels),) or array.dtype.kind not in "iuf":
            raise RecordingError(
                f"{shown(file)}: series {number}",
                f"has shape {array.shape}, not (row, {len(channels)}) of numbers",
                "mend the series or the layout's channels",
            )
        columns = {name: _native(array[:, at]) for at, name in enumerate(channels)}
        said = {
            key: _name_of(file, key, values[number], codes) for key, values in attributes.items()
        }
        yield Table(f"{number:0{width}d}", columns, said, None)


def _entry(file: Path, content: dict[Any, Any], key: str) -> Any:
    """The entry `key` of the dictionary."""
    if key not in content:
        raise InputError(
            shown(file), f"has no entry {key}", f"its entries: {', '.join(map(str, content))}"
        )
    return content[key]


def _name_of(file: Path, key: str, value: object, codes: dict[str, Any]) -> str:
    """An attribute as text; a number is looked up where the layout names a list for it."""
    if key not in codes:
        return number_text(value)
    try:
        return str(codes[key][int(value)])  # type: ignore[call-overload]
    except (ValueError, TypeError, IndexError) as error:
        raise InputError(
            shown(file), f"{key} {value!r} has no name in the layout's list", "mend layout.names"
        ) from error
