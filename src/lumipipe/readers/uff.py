"""Universal files (UFF): functions of set 58, as text or binary, by pyuff.

Geometry and other sets are not read; a file that holds nothing else is refused.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import plain_file, shown
from lumipipe.readers.containers import (
    TIME,
    ContainerOptions,
    Part,
    chosen,
    container_table,
    rate_text,
    unique,
)
from lumipipe.readers.libraries import damage, library
from lumipipe.readers.salvage import Whole
from lumipipe.readers.uffsets import whole_sets

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lumipipe.readers.tables import Table
    from lumipipe.readers.uffsets import Set

_KIND = finding("universal file")
_FUNCTION = 58
_LEAST_BYTES = 4  # of a point
_MARK = b"-1"  # the last line of each set
_SINGLE, _COMPLEX, _COMPLEX_SINGLE = (2, 5), (5, 6), 5  # ordinate data types
_TIME_AXIS, _FREQUENCY_AXIS = 17, 18  # specific data types of an abscissa
_UNEVEN = 0
_NONE = ("", "NONE")
_DIRECTIONS = {
    0: "",
    **{
        sign * (axis + turn): f"{'+' if sign > 0 else '-'}{'R' if turn else ''}{'XYZ'[axis - 1]}"
        for sign in (1, -1)
        for axis in (1, 2, 3)
        for turn in (0, 3)
    },
}
_NAMES = {
    0: "general",
    1: "time response",
    2: "auto spectrum",
    3: "cross spectrum",
    4: "frequency response",
    5: "transmissibility",
    6: "coherence",
    7: "auto correlation",
    8: "cross correlation",
    9: "power spectral density",
    10: "energy spectral density",
    12: "spectrum",
}


class Options(ContainerOptions):
    """Keys of a universal file; its tables are the functions of one kind on one axis."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for all functions of one kind (time response, spectrum, ...) on one axis.

    Parameters
    ----------
    file : Path
        A .uff or .unv file.
    options : Options
        Name or glob of the table.

    Yields
    ------
    Table
        A column for each function, named by response and reference (node and direction), or
        by its axis label where there is no node; complex ones as NAME.re and NAME.im. Even time
        axes give the attribute ``rate_hz``; others the column time, frequency or abscissa.

    Raises
    ------
    InputError
        If pyuff is not installed, or a table or column is not there.
    RecordingError
        If the file is truncated or damaged, has points that its headers do not promise, or holds
        no function.
    """
    pyuff = library(file, "pyuff", "pyuff")
    with plain_file(file, options.most_bytes) as plain:
        _refuse_end(file, plain)
        with damage(file, _KIND):
            opened = pyuff.UFF(str(plain))
            parts = _parts(file, plain.stat().st_size, opened)
        for name, part, columns in chosen(file, options, parts):
            with damage(file, _KIND):
                table = _table(file, name, part, columns, opened)
            yield table


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The sets that are whole and can be read each by itself."""
    sets = whole_sets(content)
    broken = [str(at + 1) for at, one in enumerate(sets) if one is None or not _is_read(file, one)]
    kept = [one.content for at, one in enumerate(sets) if one and str(at + 1) not in broken]
    if not kept or not broken:
        return None
    fault = finding(f"left out as damaged: set {', '.join(broken)} of {len(sets)}")
    return Whole(b"".join(kept), sum(map(len, kept)), len(content), fault)


def _is_read(file: Path, one: Set) -> bool:
    """Whether a set alone is read; true of those that are no functions."""
    if one.number != _FUNCTION:
        return True
    with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
        alone = Path(folder) / file.name
        alone.write_bytes(one.content)
        try:
            return bool(list(read(alone, Options())))
        except RecordingError:
            return False


def _refuse_end(file: Path, plain: Path) -> None:
    """Refuse a file whose last line is not the mark that ends a set."""
    with plain.open("rb") as stream:
        stream.seek(max(stream.seek(0, 2) - 4096, 0))
        tail = stream.read()
    if not tail.rstrip().endswith(_MARK):
        raise RecordingError(
            shown(file),
            "ends inside a data set, or is no universal file",
            "copy the file again from its source",
        )


def _parts(file: Path, size: int, opened: Any) -> list[Part]:
    """The tables of a file, from the headers of its functions."""
    kinds = [int(kind) for kind in opened.get_set_types()]
    if _FUNCTION not in kinds:
        listed = ", ".join(str(kind) for kind in sorted(set(kinds)))
        raise RecordingError(
            shown(file),
            f"holds no function (set 58), only the sets {listed or 'none'}",
            "leave it out: geometry is not read",
        )
    if 0 in kinds:
        raise ValueError(f"set {kinds.index(0) + 1} has no number")
    together: dict[tuple[Any, ...], list[tuple[int, dict[str, Any]]]] = {}
    for number, kind in enumerate(kinds):
        if kind == _FUNCTION:
            header = opened.read_sets(number, header_only=True)
            _refuse_points(file, number, header["num_pts"], size // _LEAST_BYTES)
            # Uneven axes are not in the header: such functions are tables of their own.
            own = number if header["abscissa_spacing"] == _UNEVEN else None
            axis = tuple(header[f"abscissa_{key}"] for key in ("min", "inc"))
            key = (header["func_type"], header["num_pts"], *axis, own)
            together.setdefault(key, []).append((number, header))
    kinds_named = [_NAMES.get(key[0], f"function {key[0]}") for key in together]
    return [
        Part(name, tuple(_columns(functions)), functions)
        for name, functions in zip(unique(kinds_named), together.values(), strict=True)
    ]


def _refuse_points(file: Path, number: int, promised: int, most: int) -> None:
    """Refuse a set whose header promises more points than the file can hold."""
    if not 0 <= promised <= most:
        raise RecordingError(
            f"{shown(file)}: set {number + 1}",
            f"its header promises {promised} points, the file holds at most {most}",
            "copy the file again from its source",
        )


def _refuse_other_count(file: Path, number: int, header: dict[str, Any], found: int) -> None:
    """Refuse a set that has not the points that its header promises.

    Some programs break the line after binary points; that may look like one point more.
    """
    if found - header["num_pts"] not in ((0, 1) if header["binary"] else (0,)):
        raise RecordingError(
            f"{shown(file)}: set {number + 1}",
            f"its header promises {header['num_pts']} points, it has {found}",
            "copy the file again from its source",
        )


def _columns(functions: list[tuple[int, dict[str, Any]]]) -> list[str]:
    """Names of a table's columns: its axis, then the functions."""
    axis = _axis(functions[0][1])
    return ([] if axis is None else [axis]) + [
        column
        for name, (_, header) in zip(_labels(functions), functions, strict=True)
        for column in _pair(name, header)
    ]


def _pair(name: str, header: dict[str, Any]) -> list[str]:
    """The columns of one function."""
    return [f"{name}.re", f"{name}.im"] if header["ord_data_type"] in _COMPLEX else [name]


def _axis(header: dict[str, Any]) -> str | None:
    """Name of the column of the axis; None where rows are evenly spaced in time."""
    meaning = header["abscissa_spec_data_type"]
    if meaning == _TIME_AXIS:
        return TIME if header["abscissa_spacing"] == _UNEVEN else None
    return "frequency" if meaning == _FREQUENCY_AXIS else "abscissa"


def _labels(functions: list[tuple[int, dict[str, Any]]]) -> list[str]:
    """Names of functions, told apart."""
    return unique(_label(header) for _, header in functions)


def _label(header: dict[str, Any]) -> str:
    """Response and reference of a function, such as ``12+Z / 3-X``; else the name of its axis."""
    ends = []
    for end in ("rsp", "ref"):
        entity, node = header[f"{end}_ent_name"], header[f"{end}_node"]
        direction = _DIRECTIONS.get(header[f"{end}_dir"], str(header[f"{end}_dir"]))
        named = "" if entity in _NONE else f"{entity} "
        if named or node > 0:
            ends.append(f"{named}{node}{direction}")
    if ends:
        return " / ".join(ends)
    label = header["ordinate_axis_lab"]
    return "function" if label in _NONE else str(label)


def _table(file: Path, name: str, part: Part, columns: list[str], opened: Any) -> Table:
    """The points of the functions."""
    values: dict[str, np.ndarray] = {}
    first = part.held[0][1]
    said: dict[str, Any] = {"function": part.name.partition("#")[0]}
    axis = _axis(first)
    if axis is None:
        said["rate_hz"] = rate_text(first["abscissa_inc"])
    for label, (number, header) in zip(_labels(part.held), part.held, strict=True):
        pair = _pair(label, header)
        if not {axis, *pair} & set(columns):
            continue
        points = opened.read_sets(number)
        _refuse_other_count(file, number, header, len(points["data"]))
        if axis is not None and axis not in values:
            values[axis] = np.asarray(points["x"], dtype=np.float64)[: header["num_pts"]]
            said[f"unit:{axis}"] = _unit(header, "abscissa")
        for column, data in zip(pair, _real(points["data"]), strict=True):
            single = header["ord_data_type"] in _SINGLE
            values[column] = data[: header["num_pts"]].astype(np.float32 if single else np.float64)
            said[f"unit:{column}"] = _ordinate_unit(header)
    return container_table(name, part, {key: values[key] for key in columns}, said)


def _real(data: np.ndarray) -> list[np.ndarray]:
    """Values, or real and imaginary part of complex ones."""
    return [data.real, data.imag] if np.iscomplexobj(data) else [data]


def _unit(header: dict[str, Any], axis: str) -> str | None:
    """Unit of an axis as its label states it."""
    label = header[f"{axis}_axis_units_lab"]
    return None if label in _NONE else str(label)


def _ordinate_unit(header: dict[str, Any]) -> str | None:
    """Unit of a function; response over reference where both are given."""
    above, below = _unit(header, "ordinate"), _unit(header, "orddenom")
    return above if above is None or below is None else f"({above})/({below})"
