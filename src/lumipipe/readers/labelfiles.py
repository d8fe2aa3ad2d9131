"""Labels that stand in a file of their own: one row for each recording, unit or other subject.

Labels that stand beside the samples, in file names or in the request are
`lumipipe.readers.labels`'s. What a label means is the request's (`lumipipe.config.Label`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.readers.channels import column_of
from lumipipe.readers.delimited import Options, read
from lumipipe.readers.files import check_digest, find_files
from lumipipe.readers.labels import named, number_of
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from lumipipe.config import Label, Source


def label_files(source: Source, base: Path) -> dict[str, Path]:
    """The file of each label of a source that has one.

    Parameters
    ----------
    source : Source
        Its labels.
    base : Path
        Folder that a relative path starts from: that of the request.

    Returns
    -------
    dict of str to Path
        By the label.

    Raises
    ------
    InputError
        If a file is not there, or several are: name one.
    """
    found = {}
    for name, label in source.labels.items():
        if label.file is None:
            continue
        place = f"source {source.id}: label {name}"
        try:
            files = find_files(source.model_copy(update={"source": label.file}), base)
        except InputError as error:
            raise InputError(place, error.problem, error.remedy) from error
        if len(files) > 1:
            raise InputError(place, f"{len(files)} files match {label.file}", "name one file")
        found[name] = files[0]
    return found


def label_digests(source: Source, base: Path) -> dict[str, str]:
    """Name of each file with labels of a source, as the request writes it, to its SHA-256.

    Where the source declares a digest for each file by name, these files are among them.
    """
    pinned = (
        source if isinstance(source.sha256, dict) else source.model_copy(update={"sha256": None})
    )
    return {
        source.labels[name].file or "": check_digest(file, pinned)
        for name, file in label_files(source, base).items()
    }


def labels_from_file(
    label: Label, file: Path, recordings: Sequence[Mapping[str, str]], place: str
) -> list[str]:
    """The label of each recording, as a file tells it.

    Parameters
    ----------
    label : Label
        Says which recording a row is about: the next one, or the one that it names.
    file : Path
        A delimited text file.
    recordings : sequence of mapping
        What is known of each recording of the source (``recording``, ``unit``, attributes), in
        the order of files and of what stands in them.
    place : str
        Where the request declares the label.

    Returns
    -------
    list of str
        One name each, as the report uses it.

    Raises
    ------
    InputError
        If rows are too few or too many, tell one recording two things, or are about none.
    """
    missing = next((r for r in recordings if label.by is not None and label.by not in r), None)
    if missing is not None:
        raise InputError(
            place,
            f"recording {missing['recording']} has no {label.by} to find its label by",
            f"use one of {', '.join(sorted(missing))}",
        )
    rows = _rows(label, file, place)
    if label.by is None:
        found = _in_order(label, rows.labels, len(recordings))
    else:
        found = _by_key(label, rows, [known[label.by] for known in recordings])
    return [named(value, label, place, label.file or "") for value in found]


class _Rows(NamedTuple):
    """What a file says in each row: where, of whom (if it tells) and which label."""

    places: list[str]
    keys: list[str]
    labels: list[str]


def _rows(label: Label, file: Path, place: str) -> _Rows:
    """The rows of the file; what tells them apart stays text, so that 007 is not 7."""
    key = label.key or label.by
    try:
        header = {} if label.by or label.column else {"header": 0}
        options = Options.model_validate(header | label.read)
    except ValidationError as error:
        complaint = error.errors()[0]
        name = ".".join(str(part) for part in ("read", *complaint["loc"]))
        raise InputError(place, f"{name}: {complaint['msg']}", "mend the option") from error
    options = options.model_copy(
        update={
            "text": [*options.text, *filter(None, [key])],
            "columns": None if label.column is None else sorted(filter(None, [label.column, key])),
        }
    )
    (table,) = read(file, options)
    keys = None if key is None else column_of(table, key, label.file or "")
    others = [name for name in table.columns if name != key]
    if label.column is None and len(others) != 1:
        raise InputError(
            label.file or "",
            f"has {len(others)} columns that may hold the label: {', '.join(others)}",
            "name one in the label: column",
        )
    values = column_of(table, label.column or others[0], label.file or "").tolist()
    return _Rows(
        [table.row_place(row) for row in range(len(values))],
        [] if keys is None else [text.strip() for text in keys],
        [number_text(value).strip() for value in values],
    )


def _in_order(label: Label, labels: list[str], recordings: int) -> list[str]:
    """The label of each recording where rows are in the order of recordings."""
    if len(labels) < recordings or (len(labels) > recordings and label.spare == "refuse"):
        raise InputError(
            label.file or "",
            f"has {len(labels)} rows for {recordings} recordings",
            "give one row for each, or let a column name the recording: by",
        )
    return labels[:recordings]


def _by_key(label: Label, rows: _Rows, wanted: list[str]) -> list[str]:
    """The label of each recording where rows name it; `wanted` are the names, with repeats."""
    first, numbers = _index(label, rows)
    found, used = [], set()
    for name in wanted:
        number = None if name in first else number_of(name)
        row = first.get(name) if number is None else numbers.get(number)
        if row is None and label.otherwise is None:
            raise InputError(
                label.file or "",
                f"has no row for {label.by} {name}",
                "add it, or say in the label what its absence means: otherwise",
            )
        used.add(row)
        found.append(label.otherwise or "" if row is None else rows.labels[row])
    spare = [row for row in first.values() if row not in used]
    if spare and label.spare == "refuse":
        raise InputError(
            label.file or "",
            f"{rows.places[spare[0]]} is about {label.by} {rows.keys[spare[0]]}, which no "
            f"recording has; {len(spare)} such rows",
            "mend them, or set spare: leave_out in the label",
        )
    return found


def _index(label: Label, rows: _Rows) -> tuple[dict[str, int], dict[float, int | None]]:
    """The first row of each key, and of each key that is a number and the only one so large."""
    first: dict[str, int] = {}
    numbers: dict[float, int | None] = {}
    for row, key in enumerate(rows.keys):
        known = first.setdefault(key, row)
        if rows.labels[known] != rows.labels[row]:
            raise InputError(
                label.file or "",
                f"{rows.places[row]} says {rows.labels[row]} of {label.by} {key}, "
                f"{rows.places[known]} says {rows.labels[known]}",
                "keep one of the rows",
            )
        number = number_of(key)
        if number is not None and numbers.setdefault(number, known) != known:
            numbers[number] = None  # 7 and 007 are two names, so neither stands for 07
    return first, numbers
