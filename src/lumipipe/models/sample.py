"""A uniform sample of rows as a state: the rows with the lowest keyed priorities.

Rows keep their priority wherever they are read, so the sample of merged data is the same for
any cut of the data (bottom-k sampling; Cohen & Kaplan 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace

from lumipipe.kernels.philox import uniform_at

if TYPE_CHECKING:
    from lumipipe.backend import Array, State

_PURPOSE = 0x5A3B  # keeps these draws apart from others of the same seed


def sample(key: int, size: int, rows: State, number: Array) -> State:
    """The sample of one batch.

    Parameters
    ----------
    key : int
        Seed of the run.
    size : int
        Largest number of rows to keep.
    rows : dict of str to array, each of shape (row, ...)
        What is kept of each row.
    number : array of int64, shape (row,)
        Number of each row in the whole dataset; it decides the priority.

    Returns
    -------
    dict of str to array
        The rows with the lowest priorities, and ``priority`` (float64) itself.
    """
    return lowest(size, {**rows, "priority": uniform_at(number, (key, _PURPOSE))})


def lowest(size: int, rows: State) -> State:
    """The `size` rows of lowest priority, in the order of priorities."""
    xp = array_namespace(rows["priority"])
    order = xp.argsort(rows["priority"])[: min(size, rows["priority"].shape[0])]
    return {name: xp.take(array, order, axis=0) for name, array in rows.items()}


def merge_samples(size: int, first: State, second: State) -> State:
    """The sample of the data of both."""
    xp = array_namespace(first["priority"])
    both = {name: xp.concat([first[name], second[name]], axis=0) for name in first}
    return lowest(size, both)
