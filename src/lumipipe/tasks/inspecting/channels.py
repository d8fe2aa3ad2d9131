"""Figures of one column: readings, steps, stuck values, codes, and its course as a sketch.

What its numbers may mean is in `lumipipe.tasks.inspecting.meaning`.
"""

from __future__ import annotations

import re
from dataclasses import replace
from hashlib import sha256
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.readers.channels import is_constant
from lumipipe.readers.numberforms import forms_of, shapes
from lumipipe.readers.privacy import is_place
from lumipipe.tasks.inspecting.seen import ChannelSeen, Code, Sketch, Stuck

if TYPE_CHECKING:
    from lumipipe.readers.tables import Table
    from lumipipe.tasks.inspecting.seen import Meaning

PARTS = 240
"""Parts of a sketch."""
_MOST_SORTED = 1_000_000  # readings that steps and different values are told from
_MOST_DISTINCT = 1000
_FEW_STATES = 5
_LONG_RUN, _LONG_SHARE = 20, 0.02
_FEWEST_CODES = 3
# Numbers that instruments write for "no reading"; these need less distance from the others.
_CODES = {-200.0, -99.0, -99.9, -999.0, -999.9, -9999.0, -9999.9, 999.0, 9999.0, 99999.0}
_CODES |= {65535.0, 32767.0, -32768.0, 2147483647.0, -2147483648.0, 4294967295.0}
_USUAL_GAP = 0.1
_IDENTITY = re.compile(
    r"serial|imei|e-?mail|phone|birth|(first|last|sur|user|full)[_ ]?name|^name$|athlete|patient|"
    r"address|usernote|^ssn$|licen[cs]e.?plate|device.?(id|name)|pulse.?oximeter.?id"
)


def channel_seen(table: Table, name: str, meaning: Meaning, position: np.ndarray) -> ChannelSeen:
    """What a column holds.

    Parameters
    ----------
    table : Table
        What the reader gave.
    name : str
        The column.
    meaning : Meaning
        Its quantity and unit.
    position : np.ndarray, shape (row,), float64
        Place of each row in the recording, from 0 to 1, not falling.

    Returns
    -------
    ChannelSeen
        Nothing but its number of readings where it tells of a place or of who somebody is.
    """
    column = table.columns[name]
    is_text = column.dtype.kind not in "iuf"
    missing = _missing(column, is_text=is_text)
    seen = ChannelSeen(
        name=name,
        kind="text" if is_text else str(column.dtype),
        rows=len(column),
        missing=int(missing.sum()),
        meaning=meaning,
        held_back=held_back(name),
    )
    if seen.held_back:
        return seen
    if is_text:
        return _text_seen(seen, column)
    valid = ~missing & np.isfinite(column.astype(np.float64, copy=False))
    return _numbers_seen(table, seen, column.astype(np.float64), valid, position)


def held_back(name: str) -> str:
    """Why nothing of a column is shown, from its name; empty where it is.

    >>> held_back("Longitude"), held_back("serial_number"), held_back("power")
    ('position', 'identity', '')
    """
    if is_place(name.removeprefix("developer/")):
        return "position"
    return "identity" if _IDENTITY.search(name.lower()) else ""


def _missing(column: np.ndarray, *, is_text: bool) -> np.ndarray:
    """Rows without a reading."""
    if is_text:
        return np.array([not str(cell).strip() for cell in column], dtype=bool)
    found: np.ndarray = (
        np.isnan(column) if column.dtype.kind == "f" else np.zeros(len(column), bool)
    )
    return found


def _text_seen(seen: ChannelSeen, column: np.ndarray) -> ChannelSeen:
    """A column of text: how many different ones, and whether most of them are numbers."""
    cells = column[:_MOST_SORTED].tolist()
    found = shapes(str(cell) for cell in cells)
    distinct = len(set(cells))
    words: list[str] = []
    numbers = [shape for shape in found if forms_of(shape)]
    if numbers and len(numbers) < len(found - {""}):
        words.append("some cells are numbers, some are text; what means no reading: read.missing")
    role = "state" if distinct <= _FEW_STATES * 4 and distinct < len(cells) / 4 else ""
    only = sha256(str(cells[0]).encode()).hexdigest() if distinct == 1 else ""
    distinct = min(distinct, _MOST_DISTINCT)
    return replace(seen, distinct=distinct, role=role, words=tuple(words), only=only)


def _numbers_seen(
    table: Table, seen: ChannelSeen, values: np.ndarray, valid: np.ndarray, position: np.ndarray
) -> ChannelSeen:
    """A column of numbers."""
    words = []
    if infinite := int(np.isinf(values).sum()):
        words.append(f"{infinite} readings are infinite")
    readings = values[valid]
    if not readings.size:
        return replace(seen, words=(*words, "no reading at all"))
    if is_constant(readings):
        low = float(readings[0])
        seen = replace(seen, smallest=low, median=low, largest=low, distinct=1)
        return replace(seen, words=(*words, f"constant at {low:.10g}"), sketch=())
    several = np.unique(readings[:_MOST_SORTED])
    code = _code(readings, several)
    if code is not None:
        valid = valid & (values != code.value)
        readings, several = values[valid], several[several != code.value]
    return replace(
        seen,
        smallest=float(readings.min()),
        median=float(np.median(readings)),
        largest=float(readings.max()),
        step=_step(several),
        distinct=min(len(several), _MOST_DISTINCT),
        stuck=_stuck(table, values, valid, len(several)),
        code=code,
        role=_role(values, several),
        words=tuple(words),
        sketch=sketch_of(values, valid, position),
    )


def _step(several: np.ndarray) -> float | None:
    """The step that different readings are multiples of; None where they are not.

    Readings of a converter lie on a grid; those of a computation do not, or on one so fine that it
    says nothing.
    """
    differences = np.diff(several)
    spread = float(several[-1] - several[0])
    noise = 8.0 * float(np.spacing(np.abs(several).max()))
    differences = differences[differences > noise]
    if not differences.size:
        return None
    least = float(differences.min())
    if least <= 1e-6 * spread:
        return None
    alike = differences[differences < 1.5 * least]
    step = float(alike.mean())
    steps = differences / step
    off = np.abs(steps - np.rint(steps))
    return step if float(np.mean(off <= 0.05 + noise / step)) > 0.99 else None  # noqa: PLR2004


def _stuck(table: Table, values: np.ndarray, valid: np.ndarray, distinct: int) -> Stuck | None:
    """The longest run of one reading, where it is long for a channel with many values."""
    if distinct <= _FEW_STATES * 4:
        return None
    same = (values[1:] == values[:-1]) & valid[1:] & valid[:-1]
    edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
    if not edges.size:
        return None
    starts, ends = edges[::2], edges[1::2]
    longest = int(np.argmax(ends - starts))
    rows = int(ends[longest] - starts[longest]) + 1
    if rows < max(_LONG_RUN, _LONG_SHARE * len(values)):
        return None
    first = int(starts[longest])
    return Stuck(rows, float(values[first]), table.row_place(first))


def _code(readings: np.ndarray, several: np.ndarray) -> Code | None:
    """A number at an end that several rows have, farther from all others than these are apart."""
    if len(several) <= _FEW_STATES:
        return None
    for end, rest in ((several[0], several[1:]), (several[-1], several[:-1])):
        spread = float(rest[-1] - rest[0])
        gap = float(min(abs(rest[0] - end), abs(rest[-1] - end)))
        rows = int((readings == end).sum())
        usual = float(end) in _CODES and gap > _USUAL_GAP * spread
        # 0 is what an instrument reads at rest.
        if end != 0.0 and rows >= _FEWEST_CODES and spread > 0.0 and (usual or gap > spread):
            return Code(float(end), rows)
    return None


def _role(values: np.ndarray, several: np.ndarray) -> str:
    """Whether a column counts the rows, or tells one of few states."""
    if len(values) > _FEW_STATES and (np.diff(values) == 1.0).all():
        return "counter"
    are_whole = bool((several == np.rint(several)).all())
    return "state" if are_whole and len(several) <= _FEW_STATES < len(values) / 4 else ""


def sketch_of(values: np.ndarray, valid: np.ndarray, position: np.ndarray) -> Sketch:
    """The course of a column in `PARTS` parts, or fewer where rows are few.

    Parameters
    ----------
    values : np.ndarray, shape (row,), float64
        Readings.
    valid : np.ndarray, shape (row,), bool
        Which of them count.
    position : np.ndarray, shape (row,), float64
        Place of each in the recording, from 0 to 1, not falling.

    Returns
    -------
    Sketch
        Least and largest reading of each part.
    """
    readings = values[valid]
    usual = float(np.quantile(np.diff(position), 0.95)) if len(position) > 1 else 1.0
    parts = PARTS if usual * PARTS <= 1.0 else max(int(1.0 / usual), 1)
    part = np.minimum((position[valid] * parts).astype(np.int64), parts - 1)
    starts = np.flatnonzero(np.diff(part, prepend=-1))
    found: list[tuple[float, float] | None] = [None] * parts
    if starts.size:
        lows, highs = np.minimum.reduceat(readings, starts), np.maximum.reduceat(readings, starts)
        for at, low, high in zip(part[starts], lows, highs, strict=True):
            found[int(at)] = (float(low), float(high))
    return tuple(found)
