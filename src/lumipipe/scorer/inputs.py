"""From named columns with units to rows in the order of a model."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray


def rows_of(
    channels: Sequence[Mapping[str, str]],
    columns: Mapping[str, ArrayLike],
    units: Mapping[str, str],
) -> NDArray[np.float64]:
    """Rows of the channels of a model, mapped by name.

    Parameters
    ----------
    channels : sequence of mapping
        ``name`` and ``unit`` of each, in the order of the model.
    columns : mapping of str to array, shape (row,)
        Readings by name, NaN where missing; the order does not matter, and others may be there.
    units : mapping of str to str
        Unit of each column.

    Returns
    -------
    ndarray of float64, shape (row, channel)
        In the order of the model.

    Raises
    ------
    InputError
        If a channel is missing, has no unit or another one than the model, or is no column of
        numbers as long as the others.

    Examples
    --------
    >>> channels = [{"name": "a", "unit": "bar"}, {"name": "b", "unit": "1"}]
    >>> rows_of(channels, {"b": [2.0], "c": [0.0], "a": [1.0]}, {"a": "bar", "b": "1"})
    array([[1., 2.]])
    """
    found = [_column(channel, columns, units) for channel in channels]
    for channel, column in zip(channels, found, strict=True):
        if len(column) != len(found[0]):
            raise InputError(
                f"column {channel['name']}",
                f"has {len(column)} rows where {channels[0]['name']} has {len(found[0])}",
                "give all columns the same rows",
            )
    return np.stack(found, axis=1)


def _column(
    channel: Mapping[str, str], columns: Mapping[str, ArrayLike], units: Mapping[str, str]
) -> NDArray[np.float64]:
    """Readings of one channel."""
    name, unit = channel["name"], channel["unit"]
    if name not in columns:
        near = difflib.get_close_matches(name, columns, n=1)
        hint = f"; is it {near[0]}, under another name?" if near else ""
        raise InputError(f"column {name}", f"is missing{hint}", f"give {name} in {unit}")
    if name not in units:
        raise InputError(f"column {name}", "has no unit", f"say that it is in {unit}, if it is")
    if units[name] != unit:
        raise InputError(
            f"column {name}",
            f"is in {units[name]}, and the model was taught with {unit}",
            f"convert it to {unit}",
        )
    try:
        column: NDArray[Any] = np.asarray(columns[name], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"column {name}", f"is no column of numbers ({error})", "give numbers; NaN if missing"
        ) from error
    if column.ndim != 1:
        raise InputError(f"column {name}", f"has {column.ndim} axes", "give one number a row")
    return column
