"""Labels that stand in a file of their own: one row for each recording, unit or other subject.

Labels that stand beside the samples, in file names or in the request are
`lumipipe.readers.labels`'s. What a label means is the request's (`lumipipe.config.Label`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

from lumipipe.errors import InputError
from lumipipe.readers.channels import column_of
from lumipipe.readers.compressed import shown
from lumipipe.readers.delimited import Options, read
from lumipipe.readers.files import check_digest, find_files
from lumipipe.readers.labels import named, number_of
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy as np

    from lumipipe.config import Label, Source
    from lumipipe.readers.tables import Table


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
    table = _table(label, file, place)
    values = [number_text(value).strip() for value in _labels_column(label, table, file).tolist()]
    if label.by is None:
        found = _in_order(label, file, values, len(recordings))
    else:
        rows = _rows_by_key(label, table, file, values)
        found = _by_key(label, rows, (file, table, values), recordings, place)
    return [named(value, label, place, shown(file)) for value in found]


def _table(label: Label, file: Path, place: str) -> Table:
    """The file as a table; what tells rows apart stays text, so that 007 is not 7."""
    plain = {} if label.by or label.column else {"header": 0}
    try:
        options = Options.model_validate(plain | label.read)
    except ValidationError as error:
        complaint = error.errors()[0]
        key = ".".join(str(part) for part in ("read", *complaint["loc"]))
        raise InputError(place, f"{key}: {complaint['msg']}", "mend the option") from error
    key_column = label.key or label.by
    text = [] if key_column is None else [key_column]
    (table,) = read(file, options.model_copy(update={"text": [*options.text, *text]}))
    return table


def _labels_column(label: Label, table: Table, file: Path) -> np.ndarray:
    """The column with the labels: the named one, or the only one beside the key."""
    names = [name for name in table.columns if name != (label.key or label.by)]
    if label.column is None and len(names) != 1:
        raise InputError(
            shown(file),
            f"has {len(names)} columns that may hold the label: {', '.join(names)}",
            "name one in the label: column",
        )
    return column_of(table, label.column or names[0], shown(file))


def _in_order(label: Label, file: Path, values: list[str], recordings: int) -> list[str]:
    """The label of each recording where rows are in the order of recordings."""
    if len(values) < recordings or (len(values) > recordings and label.spare == "refuse"):
        raise InputError(
            shown(file),
            f"has {len(values)} rows for {recordings} recordings",
            "give one row for each, or let a column name the recording: by",
        )
    return values[:recordings]


def _rows_by_key(label: Label, table: Table, file: Path, values: list[str]) -> dict[str, int]:
    """Number of the row that each key stands in; a key may stand twice with one label only."""
    keys = column_of(table, label.key or label.by or "", shown(file)).tolist()
    rows: dict[str, int] = {}
    for row, text in enumerate(keys):
        key = number_text(text).strip()
        first = rows.setdefault(key, row)
        if values[first] != values[row]:
            raise InputError(
                shown(file),
                f"{table.row_place(row)} says {values[row]} of {label.by} {key}, "
                f"{table.row_place(first)} says {values[first]}",
                "keep one of the rows",
            )
    return rows


def _by_key(
    label: Label,
    rows: dict[str, int],
    told: tuple[Path, Table, list[str]],
    recordings: Sequence[Mapping[str, str]],
    place: str,
) -> list[str]:
    """The label of each recording where a row names it; `told` is file, table and labels."""
    file, table, values = told
    by = label.by or ""
    numbers = {number_of(key): row for key, row in rows.items()}
    found, used = [], set()
    for known in recordings:
        if by not in known:
            raise InputError(
                place,
                f"recording {known['recording']} has no {by} to find its label by",
                f"use one of {', '.join(sorted(known))}",
            )
        row = rows.get(known[by])
        if row is None and (number := number_of(known[by])) is not None:
            row = numbers.get(number)  # 7 and 7.0 are one pump
        if row is None and label.otherwise is None:
            raise InputError(
                shown(file),
                f"has no row for {by} {known[by]}",
                "add it, or say in the label what its absence means: otherwise",
            )
        used.add(row)
        found.append(label.otherwise or "" if row is None else values[row])
    spare = [row for row in rows.values() if row not in used]
    if spare and label.spare == "refuse":
        text = next(key for key, row in rows.items() if row == spare[0])
        raise InputError(
            shown(file),
            f"{table.row_place(spare[0])} is about {by} {text}, which no recording has; "
            f"{len(spare)} such rows",
            "mend them, or set spare: leave_out in the label",
        )
    return found
