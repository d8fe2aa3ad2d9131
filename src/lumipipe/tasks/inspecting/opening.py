"""A file, opened with what can be told of it: options of its reader, and how much is looked at.

What its tables hold is measured in `lumipipe.tasks.inspecting.tables`.
"""

from __future__ import annotations

import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.readers import READERS
from lumipipe.readers.compressed import first_bytes, is_packed, shown, unpacks_beyond
from lumipipe.readers.excel import sheets
from lumipipe.readers.fit import BEATS
from lumipipe.readers.mat5 import vectors
from lumipipe.tasks.inspecting.heads import head_of
from lumipipe.tasks.inspecting.texts import delimited_tables, looked_at
from lumipipe.tasks.inspecting.ways import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lumipipe.readers.tables import ReaderOptions, Table

MOST_BYTES = 2**30
"""A file of a binary format is read whole up to this size."""
_TEXTS = ("csv", "text", "ts")
# Tables of one file that a reader gives by different options.
_WAYS: dict[str, tuple[dict[str, str], ...]] = {
    "fit": ({}, {"table": "rr"}),
    "wfdb": ({"table": "beats"}, {"table": "signals"}),
}

_METADATA = {"epts": b"EPTS", "tracab": b"TracabMetaData"}  # what the file beside it says early
_LOOKED_AT = 4096


@contextmanager
def opened(file: Path, name: str, given: Mapping[str, Any]) -> Iterator[Opened]:
    """A file of a format, with the options that fit it.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        Its format.
    given : mapping
        Options of the user; they are never changed.

    Yields
    ------
    Opened
        For `tables_of`.

    Raises
    ------
    InputError
        If it is too large to be read whole, unpacks to too much, or cannot be opened.
    """
    read = dict(given)
    if name in _TEXTS:
        with tempfile.TemporaryDirectory(prefix="lumipipe-") as folder:
            yield looked_at(file, name, read, Path(folder))
        return
    _refuse_large(file, name, read)
    found = Opened(file, read)
    if name in _WAYS and "table" not in read:
        found.ways = [dict(way) for way in _WAYS[name]]
    elif name == "mat5" and "variables" not in read:
        _choose_variables(file, found)
    elif name == "excel":
        _choose_sheet(file, found)
    elif name in _METADATA and "metadata" not in read:
        _choose_metadata(file, name, found)
    elif name == "mdf" and "dbc" not in read:
        _tell_of_databases(file, found)
    yield found


def tables_of(
    found: Opened, name: str, keys: Mapping[str, Any]
) -> Iterator[tuple[Table, dict[str, Any]]]:
    """The tables of a file, one after the other, each with what the reader needs for it.

    Parameters
    ----------
    found : Opened
        The file.
    name : str
        Its format.
    keys : mapping
        The user's options, for messages about them.

    Yields
    ------
    tuple of Table and dict
        A way that gives no table is passed over where another does.

    Raises
    ------
    InputError
        As the reader raises it; or an option is wrong.
    """
    if name == "csv":
        _options(name, found.read, keys)
        yield from ((table, {}) for table in delimited_tables(found, keys))
        return
    first: InputError | None = None
    is_any, has_more = False, name != "fit"  # a ride takes long to decode, so it is asked first
    for way in found.ways:
        if is_any and not has_more:
            break
        options = _options(name, {**found.read, **found.hidden, **way}, keys)
        try:
            for table in READERS[name].read(found.file, options):
                is_any, has_more = True, has_more or BEATS.items() <= table.attributes.items()
                yield table, dict(way) if len(found.ways) > 1 else {}
        except InputError as error:
            first = first or error
    if not is_any and first is not None:
        raise first


def _options(name: str, content: dict[str, Any], keys: Mapping[str, Any]) -> ReaderOptions:
    """Options of a reader; what the user typed is blamed first."""
    model = READERS[name].Options
    try:
        return model.model_validate(content)
    except ValidationError as error:
        first = error.errors()[0]
        key = str(first["loc"][0]) if first["loc"] else next(iter(keys), "")
        problem = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            problem = f"format {name} has no such key"
        known = ", ".join(model.model_fields)
        problem, _, remedy = problem.partition("; ")  # a model's own check says both
        raise InputError(
            f"--read {key}={keys.get(key, '')}",
            problem,
            remedy or f"correct it; the keys are {known}",
        ) from error


def _refuse_large(file: Path, name: str, read: Mapping[str, Any]) -> None:
    """Refuse what would fill the memory: binary files are read whole."""
    size = file.stat().st_size
    if size > MOST_BYTES and not {"table", "columns"} & read.keys():
        raise InputError(
            shown(file),
            f"has {size / 2**30:.1f} GiB, and files of format {name} are read whole",
            "name what to look at, such as --read 'columns=[\"NAME\"]', or cut a part of it",
        )
    if is_packed(file) and unpacks_beyond(file, MOST_BYTES):
        raise InputError(
            shown(file), f"unpacks to more than {MOST_BYTES >> 30} GiB", "check where it is from"
        )


def _choose_variables(file: Path, found: Opened) -> None:
    """All vectors of the commonest length as columns, what holds one number as attributes."""
    long, single = vectors(file)
    if not long:
        raise InputError(
            shown(file), "holds no vector of numbers", "save matrices and structs as vectors"
        )
    lengths = list(long.values())
    most = max(set(lengths), key=lambda rows: (lengths.count(rows), rows))
    kept = [name for name, rows in long.items() if rows == most]
    others = [f"{name} ({rows})" for name, rows in long.items() if rows != most]
    if others:
        found.words.append(f"vectors of other lengths were left out: {', '.join(others)}")
    found.read["variables"] = {_column(name): _pattern(name, [*long, *single]) for name in kept}
    if single:
        scalars = {f"{_column(name)}?": _pattern(name, [*long, *single]) for name in single}
        found.read.setdefault("scalars", scalars)


def _pattern(name: str, known: list[str]) -> str:
    """The ending of a variable that tells it apart, where its beginning counts the files."""
    column = _column(name)
    ends = [other for other in known if other.endswith(column)]
    return f"*{column}" if column != name and ends == [name] else name


def _column(name: str) -> str:
    """A variable's name without a number before it, as in X097_DE_time."""
    head, _, tail = name.partition("_")
    if tail and head[:1].isalpha() and head[1:].isdigit():
        return tail
    plain = name.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ").lstrip("0123456789")
    counted = name[:1].isupper() and name[1:2].isdigit() and plain[:1].isalpha()
    return plain if counted else name


def _choose_sheet(file: Path, found: Opened) -> None:
    """The first sheet with rows, its head, and the names of the others."""
    known = sheets(file)
    names = [name for name, rows in known.items() if any(any(row) for row in rows)]
    chosen = found.read.get("sheet", names[0] if names else None)
    if chosen not in known:
        return  # the reader says what is wrong
    if chosen != next(iter(known)):
        found.read.setdefault("sheet", chosen)
    if others := [name for name in names if name != chosen]:
        found.words.append(f"other sheets, for --read sheet=NAME: {', '.join(others)}")
    if {"header", "names"} & found.read.keys():
        return
    head = head_of(known[chosen])
    found.units = head.units
    if head.lines > head.names_line > 0:
        found.read["header"] = head.lines
        found.read["names"] = [cell.strip() for cell in known[chosen][head.names_line - 1]]
    elif head.lines != 1:
        found.read["header"] = head.lines


def _choose_metadata(file: Path, name: str, found: Opened) -> None:
    """The one file beside player tracking that holds its metadata."""
    fit = [
        path
        for path in sorted(file.parent.glob("*.xml"))
        if _METADATA[name] in first_bytes(path, _LOOKED_AT)[0]
    ]
    if len(fit) != 1:
        told = "has no file with metadata beside it" if not fit else "could have several metadata"
        raise InputError(shown(file), told, "type --read metadata=FILE, as seen from its folder")
    found.read["metadata"] = fit[0].name
    found.words.append(f"metadata: {fit[0].name}, the only file beside it that is some")


def _tell_of_databases(file: Path, found: Opened) -> None:
    """Say which databases lie beside a file that may hold messages of a bus."""
    folders = (file.parent, file.parent / "dbc")
    names = sorted(
        str(path.relative_to(file.parent)) for at in folders for path in at.glob("*.dbc")
    )
    if names:
        listed = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")  # noqa: PLR2004
        found.words.append(
            f"databases of a bus lie beside it ({listed}): --read 'dbc=[\"{names[0]}\"]' decodes"
        )
