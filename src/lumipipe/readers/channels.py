"""From columns of a file to the values of channels: no-reading codes, ranges, units, type.

Which columns a table has is the readers' matter; when the samples were taken is in
`lumipipe.readers.timebase`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import member_name
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.numberforms import forms_of, shapes
from lumipipe.readers.tables import unknown_column
from lumipipe.readers.units import conversion

if TYPE_CHECKING:
    from lumipipe.config import Channel, Source
    from lumipipe.readers.tables import Table

_LOST_SHARE = 1e-3  # of a channel's standard deviation: more rounding than this is refused


@dataclass(frozen=True)
class ChannelValues:
    """Samples of one channel in its stored unit.

    Parameters
    ----------
    values : np.ndarray, shape (row,), float64
        NaN where there is no reading.
    is_single : bool
        Whether the file holds float32.
    notes : tuple of str
        What a reader of the report should know.
    """

    values: np.ndarray
    is_single: bool
    notes: tuple[str, ...]


def with_members(source: Source, table: Table, file: str) -> Source:
    """The source with a channel for each column of those that stand for many.

    Parameters
    ----------
    source : Source
        Channels with and without `columns`.
    table : Table
        Its columns are matched whole, in their order.
    file : str
        Name of the file for messages.

    Returns
    -------
    Source
        A column that a channel names is no member; a member is called ``name[column]``.

    Raises
    ------
    InputError
        If no column matches.
    """
    if all(channel.columns is None for channel in source.channels):
        return source
    named = {c.column or c.name for c in source.channels if c.columns is None}
    found: list[Channel] = []
    for channel in source.channels:
        if channel.columns is None:
            found.append(channel)
            continue
        members = [
            name
            for name in table.columns
            if name not in named and re.fullmatch(channel.columns, name)
        ]
        if not members:
            raise unknown_column(file, channel.columns, table.columns)
        found += [
            channel.model_copy(
                update={"name": member_name(channel.name, name), "column": name, "columns": None}
            )
            for name in members
        ]
    return source.model_copy(update={"channels": found})


def channel_values(
    table: Table, rows: slice, channel: Channel, file: str, place: str
) -> ChannelValues:
    """Samples of one channel.

    Parameters
    ----------
    table : Table
        What the reader gave.
    rows : slice
        Rows to keep, with both ends.
    channel : Channel
        Column, unit, range and codes that mean "no reading".
    file : str
        Name of the file for messages.
    place : str
        Where the request declares the source.

    Returns
    -------
    ChannelValues
        Values in the stored unit.

    Raises
    ------
    InputError
        If the column or the unit is not there or not known.
    RecordingError
        If the column is text, infinite, outside the range, or empty of readings.
    """
    column = column_of(table, channel.column or channel.name, file)
    where = f"{file}: channel {channel.name}"
    if column.dtype.kind not in "iuf":
        raise RecordingError(*_text_fault(table, column, where))
    factor, offset, _ = conversion(
        channel.quantity, channel.unit, f"{place}: channel {channel.name}"
    )
    raw = column[rows]
    readings = raw.astype(np.float64)
    is_single = column.dtype == np.float32
    for code in channel.invalid:
        # A code such as 3.4e38 is rounded as the file's own numbers are.
        readings[raw == (np.float32(code) if is_single else code)] = np.nan
    _refuse_outside(table, readings, channel, where, rows.start)
    valid = readings[~np.isnan(readings)]
    if not valid.size and not channel.may_be_absent:
        raise RecordingError(
            where,
            "has no reading at all",
            "drop the channel or the recording, or set may_be_absent: true",
        )
    notes = []
    if valid.size < readings.size:
        notes.append(
            finding(f"channel {channel.name}: {readings.size - valid.size} rows without reading")
        )
    if valid.size and is_constant(valid):
        notes.append(finding(f"channel {channel.name}: constant at {valid[0]:.10g} {channel.unit}"))
    return ChannelValues(readings * factor + offset, is_single, tuple(notes))


def column_of(table: Table, name: str, file: str) -> np.ndarray:
    """A column of the table, or an error with the nearest name and the list."""
    if name not in table.columns:
        raise unknown_column(file, name, table.columns)
    return table.columns[name]


def is_constant(values: np.ndarray) -> bool:
    """Whether all values are equal but for rounding: the bound grows with their magnitude."""
    largest = float(np.abs(values).max())
    return float(np.ptp(values)) <= 4.0 * float(np.finfo(np.float64).eps) * largest


def stored_type(source: Source, channels: list[ChannelValues], dtype: str, place: str) -> np.dtype:
    """Number type of a stream's values.

    Parameters
    ----------
    source : Source
        Channels with resolution and range.
    channels : list of ChannelValues
        Their values, in the same order.
    dtype : str
        `source`, `float32` or `float64`, from the section prepare.
    place : str
        Where the request declares the source.

    Returns
    -------
    np.dtype
        float32 or float64. A channel that fits float32 only after the midpoint of its range
        is subtracted keeps the stream at float64: that subtraction is done where it is stored.

    Raises
    ------
    InputError
        If float32 would lose what the channel resolves: store float64, or declare its range.
    """
    if dtype == "float64" or (dtype == "source" and not all(item.is_single for item in channels)):
        return np.dtype(np.float64)
    if dtype == "source":
        return np.dtype(np.float32)
    direct = True
    for channel, item in zip(source.channels, channels, strict=True):
        if item.is_single or np.isnan(item.values).all():
            continue
        factor, offset, _ = conversion(channel.quantity, channel.unit, place)
        resolution = None if channel.resolution is None else channel.resolution * factor
        fault = _loss(item.values, resolution)
        if fault is None:
            continue
        if channel.range is not None:
            middle = 0.5 * (channel.range[0] + channel.range[1]) * factor + offset
            fault = _loss(item.values - middle, resolution)
            direct = False
        if fault is not None:
            raise InputError(
                f"{place}: channel {channel.name}",
                f"float32 is too coarse: {fault}",
                "set prepare.dtype: float64"
                + ("" if channel.range else ", or declare the channel's range"),
            )
    return np.dtype(np.float32 if direct else np.float64)


def _loss(values: np.ndarray, resolution: float | None) -> str | None:
    """How float32 would be too coarse for some values, or None where it is fine."""
    largest = float(np.nanmax(np.abs(values)))
    if largest > float(np.finfo(np.float32).max):
        return f"it does not reach {largest:.3g}"
    step = float(np.spacing(np.float32(largest)))
    if resolution is not None and step > resolution:
        return f"its step at {largest:.6g} is {step:.2g}, the resolution is {resolution:.2g}"
    spread = float(np.nanstd(values - np.nanmean(values)))
    if not is_constant(values[~np.isnan(values)]) and step > _LOST_SHARE * spread:
        return f"its step at {largest:.6g} is {step:.2g}, the standard deviation {spread:.2g}"
    return None


def _refuse_outside(
    table: Table, readings: np.ndarray, channel: Channel, where: str, first: int
) -> None:
    """Refuse infinite values and values outside the declared range."""
    low, high = channel.range or (-np.inf, np.inf)
    bad = np.isinf(readings) | (readings < low) | (readings > high)
    if bad.any():
        row = int(np.argmax(bad))
        limits = finding(
            f"the range [{low:g}, {high:g}] {channel.unit}" if channel.range else "all numbers"
        )
        raise RecordingError(
            where,
            f"{table.row_place(first + row)} has {readings[row]:.10g}, outside {limits}; "
            f"{int(bad.sum())} such rows",
            "correct the range, add the value to invalid if it means no reading, "
            "or leave the recording out",
        )


def _text_fault(table: Table, column: np.ndarray, where: str) -> tuple[str, str, str]:
    """Place, problem and remedy of the first cell that is no number."""
    for row, cell in enumerate(column):
        text = str(cell)
        if text.strip() and not forms_of(next(iter(shapes([text])))):
            return (
                where,
                finding(f"{table.row_place(row)} holds {text!r}, not a number"),
                "name a column of numbers, or add the text to read.missing",
            )
    fault = finding(f"its column is {column.dtype}, not numbers")
    return where, fault, "name a column of numbers"
