"""A uniform sample of rows as a state: the rows with the lowest keyed priorities.

Rows keep their priority wherever they are read, so the sample of merged data is the same for
any cut of the data (bottom-k sampling; Cohen & Kaplan 2007).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

if TYPE_CHECKING:
    from lumipipe.backend import Array, State

_WORD = 2**64
_STEP, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


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
    return lowest(size, {**rows, "priority": priorities(number, key)})


def priorities(number: Array, key: int) -> Array:
    """A priority for each number: float64 in [0, 1), multiples of 2**-53.

    Notes
    -----
    *Method*: SplitMix64, whose step and mixing make neighbours independent; a tenth of the work
    of `lumipipe.kernels.philox`, whose guarantees a sample of rows does not need.

    References
    ----------
    .. [1] Steele, Lea & Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

    Examples
    --------
    >>> import numpy as np
    >>> hex(int(priorities(np.asarray([1]), 0)[0] * 2**53) << 11)  # 0xE220A8397B1DCDAF
    '0xe220a8397b1dc800'
    """
    xp = array_namespace(number)
    step, start, first, second = (
        xp.asarray(word, dtype=xp.uint64, device=device(number))
        for word in (_STEP, key * _STEP % _WORD, _FIRST, _SECOND)
    )
    z = xp.astype(number, xp.uint64) * step + start
    z = (z ^ (z >> 30)) * first
    z = (z ^ (z >> 27)) * second
    return xp.astype((z ^ (z >> 31)) >> 11, xp.float64) * 2.0**-53


def lowest(size: int, rows: State) -> State:
    """The `size` rows of lowest priority, in the order of priorities."""
    xp = array_namespace(rows["priority"])
    order = xp.argsort(rows["priority"], stable=False)[: min(size, rows["priority"].shape[0])]
    return {name: xp.take(array, order, axis=0) for name, array in rows.items()}


def merge_samples(size: int, first: State, second: State) -> State:
    """The sample of the data of both."""
    xp = array_namespace(first["priority"])
    both = {name: xp.concat([first[name], second[name]], axis=0) for name in first}
    return lowest(size, both)
