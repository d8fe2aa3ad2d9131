"""How training and test are kept apart, decided before windows are cut.

The splits' settings are in `lumipipe.config`; which windows exist is in `lumipipe.windows`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config import GroupSplit, RandomSplit
from lumipipe.config.moments import end_in_words, moment, nanoseconds
from lumipipe.errors import InputError
from lumipipe.language import say, term, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    from lumipipe.config import TimeSplit

_ODD = (0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
_MICROSECOND = 1000  # ns; dates are known to it
IDENTITY = (term("recording"), term("unit"), term("source"))
"""What is known of every recording; all else that groups them are labels and attributes."""
MOST_FOLDS = 10  # nested validation costs a fit for each pair of folds


def group_of(by: str, recordings: Sequence[Mapping[str, str]], place: str) -> list[str]:
    """The group of each recording.

    Parameters
    ----------
    by : str
        What is held out together.
    recordings : sequence of mapping
        What is known of each recording: ``recording``, ``unit``, ``source``, its labels and
        attributes.
    place : str
        Where the split was asked for.

    Returns
    -------
    list of str
        One group a recording.

    Raises
    ------
    InputError
        If a recording does not have what is asked for.
    """
    groups = []
    for known in recordings:
        if by not in known:
            raise InputError(
                place,
                f"recording {known['recording']} has no {by} to split by",
                f"split by one of {', '.join(sorted(known))}",
            )
        groups.append(known[by])
    return groups


def deal(groups: Sequence[str], folds: int | None) -> dict[str, int]:
    """The fold of each group.

    Parameters
    ----------
    groups : sequence of str
        Groups, in any order, with repeats.
    folds : int or None
        Number of folds; one for each group, up to `MOST_FOLDS`, where None.

    Returns
    -------
    dict of str to int
        Sorted groups are dealt round, so the order of recordings does not matter.

    Examples
    --------
    >>> deal(["b", "a", "c", "a"], 2)
    {'a': 0, 'b': 1, 'c': 0}
    """
    names = sorted(set(groups))
    count = min(len(names), folds or MOST_FOLDS)
    return {name: number % count for number, name in enumerate(names)}


def key_of_rows(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """A key for each row, the same for equal rows wherever they stand.

    Parameters
    ----------
    values : ndarray of float64, shape (row, column)
        What makes rows equal.

    Returns
    -------
    ndarray of int64, shape (row,)
        From 0; two unlike rows share a key with a probability of 2**-53. Each is a whole number
        in float64, too.

    Notes
    -----
    *Method*: the bits of each value are mixed into those before it as SplitMix64 mixes its
    state (Steele, Lea & Flood 2014).

    Examples
    --------
    >>> key = key_of_rows(np.asarray([[1.0, -0.0], [1.0, 0.0], [0.0, 1.0]]))
    >>> bool(key[0] == key[1]), bool(key[0] == key[2])
    (True, False)
    """
    step, first, second = (np.uint64(word) for word in _ODD)
    key = np.zeros(len(values), dtype=np.uint64)
    for column in (values + 0.0).T:  # -0.0 is 0.0
        z = (key ^ np.ascontiguousarray(column).view(np.uint64)) + step
        z = (z ^ (z >> np.uint64(30))) * first
        z = (z ^ (z >> np.uint64(27))) * second
        key = z ^ (z >> np.uint64(31))
    return (key >> np.uint64(11)).astype(np.int64)


def rows_until(
    split: TimeSplit, read: Callable[[int, int], NDArray[np.int64]], rows: int, most: int
) -> list[int]:
    """Number of rows of a recording up to each date of a split.

    Parameters
    ----------
    split : TimeSplit
        With dates.
    read : callable of int, int
        Stamps of a span of the recording's rows: int64, ns since 1970 (UTC), that never fall.
    rows : int
        Rows of the recording.
    most : int
        Rows that are read at once; others are passed over by halves.

    Returns
    -------
    list of int
        One number a date. A stamp within the microsecond of a date lies before its end.

    Examples
    --------
    >>> from lumipipe.config import TimeSplit
    >>> split = TimeSplit(kind="time", train_until="1970-01-01", calibrate_until="1970-01-02")
    >>> hours = 3_600_000_000_000 * np.arange(72)
    >>> rows_until(split, lambda first, stop: hours[first:stop], 72, 10)
    [24, 48]
    """
    found = []
    for date in split.dates:
        after = nanoseconds(date) + _MICROSECOND
        low, high = 0, rows
        while high - low > most:
            middle = (low + high) // 2
            if read(middle, middle + 1)[0] < after:
                low = middle + 1
            else:
                high = middle
        found.append(low + int(np.searchsorted(read(low, high), after, side="left")))
    return found


def refuse_empty_parts(
    split: TimeSplit, until: Sequence[int], rows: int, ends_ns: Sequence[int]
) -> None:
    """Refuse dates that leave a part of a split without a row.

    Parameters
    ----------
    split : TimeSplit
        With dates.
    until : sequence of int
        Rows up to each of them, of all recordings.
    rows : int
        Rows of all recordings.
    ends_ns : sequence of int, ns since 1970 (UTC)
        Stamps of first and last rows of the recordings.

    Raises
    ------
    InputError
        Naming the date; write one within the data.
    """
    names = ["train_until", "calibrate_until"][: len(until)]
    ends = [f"{moment(end(ends_ns)):%Y-%m-%d %H:%M:%S}" for end in (min, max)] if rows else ["none"]
    told = f"the rows are from {' to '.join(ends)} UTC"
    for name, date, before, count in zip(names, split.dates, [0, *until], until, strict=False):
        if count == before:
            part = "train on" if name == "train_until" else "set limits and intervals on"
            raise InputError(
                "evaluation.split",
                f"{name} {end_in_words(date)} leaves no row to {part}: {told}",
                "write a later date",
            )
    if until[-1] == rows:
        raise InputError(
            "evaluation.split",
            f"{names[-1]} {end_in_words(split.dates[-1])} leaves no row to test: {told}",
            "write an earlier date",
        )


def split_sentence(split: GroupSplit | RandomSplit, folds: int) -> str:
    """The split in words, for page 1 of the report."""
    if isinstance(split, RandomSplit):
        return say(
            "Windows were dealt at random to {folds} folds: windows of one recording "
            "stand on both sides, so the figures flatter.",
            folds=folds,
        )
    what = {"unit": say("unit (person or machine)")}.get(
        split.by, translated(split.by, among=IDENTITY)
    )
    return say(
        "Each {what} was held out: every figure is for data of a {by} that the model had "
        "never seen ({folds} folds).",
        what=what,
        by=translated(split.by, among=IDENTITY),
        folds=folds,
    )
