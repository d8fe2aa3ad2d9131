"""Whether labels of two recordings of one athlete are one set of labels, carried over.

Labels that a person has set twice differ by a second here and there. Labels that agree row by row
from the start of each part were copied: then they are no two pieces of evidence.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from lumipipe.partition import Span
    from lumipipe.store.dataset import Dataset, StreamTable

_ALIKE = 0.99  # of the common rows
_FEWEST_CHANGES = 5  # two short recordings with one technique each agree by themselves


class Copied(NamedTuple):
    """Two recordings with one set of labels: their numbers and the share of rows that agree."""

    first: int
    second: int
    share: float


def copied_labels(dataset: Dataset, stream: StreamTable, label: str) -> list[Copied]:
    """Pairs of recordings of one unit whose labels agree row by row, part by part.

    Parameters
    ----------
    dataset : Dataset
        Its recordings.
    stream : StreamTable
        Holds the label of each row.
    label : str
        A label of rows.

    Returns
    -------
    list of Copied
        In the order of recordings.
    """
    codes = stream.read_labels(label, 0, stream.row_count)
    units = [row.unit for row in dataset.recordings]
    found = []
    for a, b in combinations(range(len(units)), 2):
        if units[a] != units[b]:
            continue
        share = agreement(codes, stream.segments[a], stream.segments[b])
        if share is not None and share >= _ALIKE:
            found.append(Copied(a, b, share))
    return found


def agreement(
    codes: NDArray[np.int16], first: Sequence[Span], second: Sequence[Span]
) -> float | None:
    """Share of rows with the same label, counted from the start of each part.

    Parameters
    ----------
    codes : ndarray of int16, shape (row,)
        Label of each row.
    first, second : sequence of Span
        Rows of the parts of two recordings.

    Returns
    -------
    float or None
        None where the recordings have other numbers of parts, or too few changes to tell. A
        part's last stretch of one label is not compared: whoever copies fills it up.

    Examples
    --------
    >>> from lumipipe.partition import Span
    >>> codes = np.repeat(np.array([0, 1] * 8, dtype=np.int16), 3)
    >>> agreement(codes, [Span(0, 24)], [Span(24, 48)])
    1.0
    """
    if len(first) != len(second):
        return None
    equal = rows = changes = 0
    for a, b in zip(first, second, strict=True):
        one, two = codes[a.first : a.stop], codes[b.first : b.stop]
        length = min(_last_change(one), _last_change(two))
        equal += int((one[:length] == two[:length]).sum())
        rows += length
        changes += int((one[1:length] != one[: max(0, length - 1)]).sum()) if length else 0
    return equal / rows if rows and changes >= _FEWEST_CHANGES else None


def _last_change(codes: NDArray[np.int16]) -> int:
    """Rows before the last stretch of one label."""
    places = np.flatnonzero(codes[1:] != codes[:-1])
    return int(places[-1]) + 1 if len(places) else 0
