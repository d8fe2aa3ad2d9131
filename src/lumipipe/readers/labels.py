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
    """A template such as {person}-{set} with its fields filled in."""
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
        if field not in attributes or specification or conversion:
            raise InputError(
                place,
                f"the template {template} asks for {field}, which is not known",
                f"known are: {', '.join(sorted(attributes))}",
            )
        parts.append(attributes[field])
    return "".join(parts)


def whole_labels(
    labels: dict[str, Label], attributes: dict[str, str], file: str, place: str
) -> dict[str, str]:
    """Labels of a whole recording.

    Parameters
    ----------
    labels : dict of str to Label
        Those of the source; the ones with a column are passed over.
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
        if label.column is not None:
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
        found[key] = _named(str(value), label, f"{place}: label {key}", file)
    return found


def sample_labels(
    labels: dict[str, Label], table: Table, rows: slice, file: str, place: str
) -> dict[str, np.ndarray]:
    """Labels of each sample, from the columns that hold them; errors as in `whole_labels`."""
    found = {}
    for key, label in labels.items():
        if label.column is None:
            continue
        column = column_of(table, label.column, file)[rows]
        values, positions = np.unique(
            np.array([number_text(item) for item in column.tolist()]), return_inverse=True
        )
        where = f"{place}: label {key}"
        names = [_named(str(value), label, where, file) for value in values]
        found[key] = np.array(names)[positions]
    return found


def _named(value: str, label: Label, place: str, file: str) -> str:
    """The report's name of a value; numbers match however they are written (1, 1.0)."""
    if not label.values:
        return value
    if value in label.values:
        return label.values[value]
    number = _number(value)
    for key, name in label.values.items():
        if number is not None and number == _number(key):
            return name
    raise InputError(
        place,
        f"{file} has the value {value!r}, which values does not name",
        f"add it; named are: {', '.join(label.values)}",
    )


def _number(text: str) -> float | None:
    """A text as a number, or None."""
    try:
        return float(text)
    except ValueError:
        return None
