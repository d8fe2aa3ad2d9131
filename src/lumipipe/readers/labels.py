"""Who a recording is: its identity, unit and labels, from the file's name and content.

The rules are the request's (`lumipipe.config.Recordings` and `Label`).
"""

from __future__ import annotations

import re
from string import Formatter
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.errors import InputError
from lumipipe.readers.channels import column_of
from lumipipe.readers.tables import number_text

if TYPE_CHECKING:
    from lumipipe.config import Label, Source
    from lumipipe.readers.tables import Table

_WIDTH = re.compile("(?:0([1-9]))?")


def attributes_of(
    source: Source, table: Table, name: str, plain: str, place: str
) -> dict[str, str]:
    """All attributes of a recording.

    Parameters
    ----------
    source : Source
        Its pattern is searched in `name`; named groups become attributes.
    table : Table
        Its own attributes.
    name : str
        Name of the file below the source's folder, with its suffixes.
    plain : str
        Name of the file without folder and suffixes.
    place : str
        Where the request declares the source.

    Returns
    -------
    dict of str to str
        ``name`` is the table's, ``file`` the file's plain name.

    Raises
    ------
    InputError
        If the pattern does not match.
    """
    found = {"name": table.name, "file": plain, **table.attributes}
    pattern = source.recordings.pattern
    if pattern is None:
        return found
    match = re.search(pattern, name)
    if match is None:
        raise InputError(
            place,
            f"recordings.pattern {pattern} does not match the file {name}",
            "mend the pattern, or name fewer files in source",
        )
    return found | {key: value for key, value in match.groupdict().items() if value is not None}


def from_template(template: str, attributes: dict[str, str], place: str) -> str:
    """A template with its fields filled in, with zeros before them where a width is given.

    Raises
    ------
    InputError
        If the template is broken or asks for what is not known.

    Examples
    --------
    >>> from_template("{line}-{pump:03}", {"line": "a", "pump": "7"}, "request.yaml:9")
    'a-007'
    """
    parts = []
    try:
        fields = list(Formatter().parse(template))
    except ValueError as error:
        raise InputError(
            place, f"the template {template} is broken ({error})", "write fields like {name}"
        ) from error
    for literal, field, specification, conversion in fields:
        parts.append(literal)
        if field is None:
            continue
        if field not in attributes:
            raise InputError(
                place,
                f"the template {template} asks for {field}, which is not known",
                f"known are: {', '.join(sorted(attributes))}",
            )
        width = _WIDTH.fullmatch(specification or "")
        if width is None or conversion:
            raise InputError(
                place,
                f"the template {template} gives {field} a form",
                f"write {{{field}}}, or {{{field}:03}} for zeros before a number",
            )
        parts.append(attributes[field].zfill(int(width[1] or 0)))
    return "".join(parts)


def whole_labels(
    labels: dict[str, Label], attributes: dict[str, str], file: str, place: str
) -> dict[str, str]:
    """Labels of a whole recording.

    Parameters
    ----------
    labels : dict of str to Label
        Those of the source; the ones with a column or a file are passed over.
    attributes : dict of str to str
        Of the recording.
    file : str
        Name of the file for messages.
    place : str
        Where the request declares the source.

    Returns
    -------
    dict of str to str
        Label to the name that the report uses.

    Raises
    ------
    InputError
        If an attribute is missing, or a value has no name.
    """
    found = {}
    for key, label in labels.items():
        if label.is_of_samples or label.file is not None:
            continue
        value = label.value
        if label.attribute is not None:
            if label.attribute not in attributes:
                raise InputError(
                    place,
                    f"label {key}: the recording of {file} has no attribute {label.attribute}",
                    f"known are: {', '.join(sorted(attributes))}",
                )
            value = attributes[label.attribute]
        found[key] = named(str(value), label, f"{place}: label {key}", file)
    return found


def sample_labels(
    labels: dict[str, Label], table: Table, rows: slice, file: str, place: str
) -> dict[str, np.ndarray]:
    """Labels of each sample, from the columns that hold them; errors as in `whole_labels`."""
    found = {}
    for key, label in labels.items():
        if label.column is None or not label.is_of_samples:
            continue
        column = column_of(table, label.column, file)[rows]
        values, positions = np.unique(
            np.array([number_text(item) for item in column.tolist()]), return_inverse=True
        )
        where = f"{place}: label {key}"
        names = [named(str(value), label, where, file) for value in values]
        found[key] = np.array(names)[positions]
    return found


def named(value: str, label: Label, place: str, file: str) -> str:
    """The report's name of a value; numbers match however they are written (1, 1.0).

    Raises
    ------
    InputError
        If the label names values, but not this one.
    """
    if not label.values:
        return value
    if value in label.values:
        return label.values[value]
    number = number_of(value)
    for key, name in label.values.items():
        if number is not None and number == number_of(key):
            return name
    raise InputError(
        place,
        f"{file} has the value {value!r}, which values does not name",
        f"add it; named are: {', '.join(label.values)}",
    )


def number_of(text: str) -> float | None:
    """A text as a number, or None."""
    try:
        return float(text)
    except ValueError:
        return None
