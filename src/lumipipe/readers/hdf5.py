"""HDF5 files, by h5py: the vectors of a group as one table, matrices and records as one each.

MATLAB 7.3 files are HDF5, but keep their arrays in MATLAB's way: `lumipipe.readers.mat73`.
"""

from __future__ import annotations

import io
import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import (
    ALWAYS_BYTES,
    MOST_DEFLATED,
    inflated_size,
    plain_file,
    shown,
)
from lumipipe.readers.containers import (
    ContainerOptions,
    Part,
    chosen,
    container_table,
    plain_column,
    unique,
)
from lumipipe.readers.libraries import damage, library, refuse_size
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_KIND = finding("HDF5 file")
_MOST_OBJECTS = 100_000  # groups and datasets
_DEEPEST = 64  # groups in groups
_WIDEST = 4096  # columns of a matrix
# Filters that unpack, by their numbers: deflate, szip, and lzf of h5py.
_DEFLATE, _UNPACK = 1, {1, 4, 32000}
_SPARE_BYTES = 2**16  # that a chunk may hold beside its values, such as check sums
_MOST_LISTED = 10


class Options(ContainerOptions):
    """Keys of an HDF5 file; groups with vectors, matrices and records are its tables."""

    attributes: dict[str, str] = {}
    """Attribute to GROUP@NAME or a scalar dataset; a key such as load? may find none."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """The tables of an HDF5 file.

    Parameters
    ----------
    file : Path
        An HDF5 file; links to other files are refused.
    options : Options
        Table and attributes.

    Yields
    ------
    Table
        Vectors of equal length in a group (named by its path), the columns of a matrix (c1 to
        cN), the fields of records. An attribute ``unit`` or ``units`` of a dataset becomes
        ``unit:NAME``; what is none of these is named in ``not_read``.

    Raises
    ------
    InputError
        If h5py is not installed, or a table, column or attribute is not there.
    RecordingError
        If the file is truncated or damaged, or would fill the memory.
    """
    with open_hdf5(file, options.most_bytes) as opened:
        _refuse_matlab(file, opened)
        with damage(file, _KIND):
            objects = _objects(opened)
            parts, unread = _parts(objects)
            said = {
                key.rstrip("?"): found
                for key, path in options.attributes.items()
                if (found := _attribute(file, objects, key, path, options)) is not None
            }
        if unread:
            said["not_read"] = listed(unread)
        for name, part, columns in chosen(file, options, parts):
            with damage(file, _KIND):
                table = _table(file, name, part, columns, (said, options))
            yield table


@contextmanager
def open_hdf5(file: Path, most_bytes: int | None = None) -> Iterator[Any]:
    """An open HDF5 file.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    most_bytes : int or None, bytes
        What a compressed file may unpack to, as in `lumipipe.readers.compressed.open_binary`.

    Yields
    ------
    h5py.File
        Open for reading, without a lock: file systems of clusters may know none.

    Raises
    ------
    InputError
        If h5py is not installed.
    RecordingError
        If the file is no HDF5 file or truncated.
    """
    h5py = library(file, "h5py", "h5py")
    with plain_file(file, most_bytes) as plain:
        with damage(file, _KIND):
            opened = h5py.File(plain, "r", locking=False)
        try:
            yield opened
        finally:
            opened.close()


def members(group: Any) -> Iterator[tuple[str, Any]]:
    """Name and object of what lies in a group of this file; links to others are not followed."""
    import h5py

    for name in group:
        if isinstance(group.get(name, getlink=True), h5py.HardLink):
            yield name, group[name]


def _objects(opened: Any) -> dict[str, Any]:
    """All groups and datasets by path, each once; links to other files are not followed."""
    import h5py

    found: dict[str, Any] = {"": opened}
    seen = {h5py.h5o.get_info(opened.id).addr}
    left = [(0, "", opened)]
    while left:
        depth, path, group = left.pop()
        if depth > _DEEPEST:
            raise ValueError(f"groups are nested deeper than {_DEEPEST}")
        inside = []
        for name, item in members(group):
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                continue
            seen.add(address)
            found[f"{path}{name}"] = item
            if len(found) > _MOST_OBJECTS:
                raise ValueError(f"more than {_MOST_OBJECTS} objects")
            if isinstance(item, h5py.Group):
                inside.append((depth + 1, f"{path}{name}/", item))
        left += inside[::-1]
    return found


def samples(file: Path, dataset: Any, most_bytes: int | None = None) -> np.ndarray:
    """All values of a dataset, after its size was held against the file's.

    Parameters
    ----------
    file : Path
        For messages.
    dataset : h5py.Dataset
        Its values must lie in this file.
    most_bytes : int or None, bytes
        What compressed values may unpack to; 64 MiB or 100 times the file where None.

    Returns
    -------
    np.ndarray
        In the dataset's shape and type.

    Raises
    ------
    RecordingError
        If the values lie in other files, or would fill the memory.
    """
    if dataset.external or dataset.is_virtual:
        raise RecordingError(
            f"{shown(file)}: {dataset.name}", "keeps its values in other files", "copy them into it"
        )
    held = dataset.file.id.get_filesize()
    packed = dataset.chunks is not None
    refuse_size(file, int(dataset.nbytes), held, packed=packed, most_bytes=most_bytes)
    if dataset.size and not dataset.id.get_storage_size():
        raise RecordingError(
            f"{shown(file)}: {dataset.name}", "was never written", "copy the file again"
        )
    if packed:
        _refuse_chunks(file, dataset, most_bytes)
    values: np.ndarray = dataset[()]
    return values


def _refuse_chunks(file: Path, dataset: Any, most_bytes: int | None) -> None:
    """Refuse chunks that unpack to more than their values, before the library unpacks them.

    HDF5 makes room for whatever comes out of deflate, whatever the size of a chunk.
    """
    held, values = (
        dataset.file.id.get_filesize(),
        math.prod(dataset.chunks) * dataset.dtype.itemsize,
    )
    refuse_size(file, values, held, packed=True, most_bytes=most_bytes)
    made = dataset.id.get_create_plist()
    filters = [made.get_filter(at)[0] for at in range(made.get_nfilters())]
    if sum(number in _UNPACK for number in filters) > 1:
        raise RecordingError(
            f"{shown(file)}: {dataset.name}", "is compressed twice", "save it compressed once"
        )
    stored = dataset.id.get_storage_size()
    if _DEFLATE not in filters or MOST_DEFLATED * stored <= ALWAYS_BYTES:
        return
    for number in range(dataset.id.get_num_chunks()):
        place = dataset.id.get_chunk_info(number).chunk_offset
        packed = dataset.id.read_direct_chunk(place)[1]
        found = inflated_size(io.BytesIO(packed), len(packed), values + _SPARE_BYTES)
        if found > values + _SPARE_BYTES:
            raise RecordingError(
                f"{shown(file)}: {dataset.name}",
                f"a chunk of {values} bytes unpacks to more, as those of bombs do",
                "check where it is from",
            )


def listed(names: list[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(names[:_MOST_LISTED]) + more


def _refuse_matlab(file: Path, opened: Any) -> None:
    """Refuse files of MATLAB, whose arrays lie in the other order."""
    with damage(file, _KIND):
        is_matlab = any("MATLAB_class" in item.attrs for _, item in members(opened))
    if is_matlab:
        raise InputError(shown(file), "is a MATLAB 7.3 file", "set format: mat73")


def _parts(objects: dict[str, Any]) -> tuple[list[Part], list[str]]:
    """The tables of a file, and the paths of what is none."""
    vectors: dict[tuple[str, int], list[tuple[str, Any]]] = {}
    alone: list[Part] = []
    unread: list[str] = []
    for path, item in objects.items():
        if not hasattr(item, "shape"):
            continue
        group, _, name = path.rpartition("/")
        shape, kind = item.shape, item.dtype
        if shape is None or item.size == 0 or len(shape) == 0:
            continue
        if len(shape) == 1 and kind.names:
            alone.append(Part(path, tuple(kind.names), item))
        elif len(shape) == 1 and _is_plain(item):
            vectors.setdefault((group, shape[0]), []).append((name, item))
        elif len(shape) == 2 and shape[1] <= _WIDEST and kind.kind in "biuf":  # noqa: PLR2004
            alone.append(Part(path, tuple(f"c{at + 1}" for at in range(shape[1])), item))
        else:
            unread.append(f"{path} ({kind}, shape {shape})")
    names = unique(group or "/" for group, _ in vectors)
    grouped = [
        Part(name, tuple(column for column, _ in items), [item for _, item in items])
        for name, items in zip(names, vectors.values(), strict=True)
    ]
    return grouped + alone, unread


def _is_plain(item: Any) -> bool:
    """Whether a dataset holds numbers or text."""
    import h5py

    return item.dtype.kind in "biufSU" or h5py.check_string_dtype(item.dtype) is not None


def _table(
    file: Path, name: str, part: Part, columns: list[str], how: tuple[dict[str, Any], Options]
) -> Table:
    """The values of a table's columns."""
    said, options = dict(how[0]), how[1]
    found: dict[str, np.ndarray] = {}
    if isinstance(part.held, list):
        for column, item in zip(part.columns, part.held, strict=True):
            if column in columns:
                found[column] = samples(file, item, options.most_bytes)
                said[f"unit:{column}"] = _unit(item)
    else:
        values = samples(file, part.held, options.most_bytes)
        for at, column in enumerate(part.columns):
            if column in columns:
                found[column] = values[column] if values.dtype.names else values[:, at]
                said[f"unit:{column}"] = _unit(part.held)
    plain: dict[str, np.ndarray] = {}
    for column, raw in found.items():
        usable = plain_column(raw)
        if usable is None:
            raise ValueError(f"{part.name}: {column} is neither numbers nor text")
        plain[column] = usable
    return container_table(name, part, plain, said)


def _unit(item: Any) -> str | None:
    """What a dataset says about its unit."""
    for key in ("unit", "units"):
        if key in item.attrs:
            return _scalar(item.attrs[key])
    return None


def _attribute(
    file: Path, objects: dict[str, Any], key: str, path: str, options: Options
) -> str | None:
    """An attribute of a group or dataset, or a scalar dataset, as text."""
    owner, at, name = path.partition("@")
    owner = owner.strip("/")
    if at and owner in objects and name in objects[owner].attrs:
        return _scalar(objects[owner].attrs[name])
    if not at and getattr(objects.get(owner), "size", 0) == 1:
        return _scalar(samples(file, objects[owner], options.most_bytes))
    if key.endswith("?"):
        return None
    raise InputError(
        shown(file), f"has no scalar {path}", "write GROUP@NAME for an attribute, or drop it"
    )


def _scalar(value: Any) -> str:
    """One number or text of h5py as text."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return number_text(value)
