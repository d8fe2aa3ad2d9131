"""Means and centred sums of rows, as states that merge.

The sums are those of a chunk about its own mean, kept in float64; never sums of squares. What is
done with them is in `lumipipe.models`; solving with them is in `lumipipe.kernels.solve`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device

from lumipipe.kernels.rows import minus_row, rows_in_a_cache, sum_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from lumipipe.backend import Array, State

# Float64 copies of a block stay in a cache of 2 MiB where channels are few; merging stays cheap.
_BLOCK_ROWS, _BLOCK_VALUES = 2**11, 2**17
_SOME_ROWS = 32  # one row of so many gives the mean that products are taken about


def moments(x: Array) -> State:
    """Count, mean and centred power sums of each channel.

    Parameters
    ----------
    x : array of float32 or float64, shape (row, channel)
        Rows; NaN where a value is missing.

    Returns
    -------
    dict of str to array, each of shape (channel,)
        ``count`` int64; ``mean`` float64, 0 where there is no value; ``m2``, ``m3``, ``m4``
        float64, sums of powers of the deviations from the mean.

    Notes
    -----
    *Method*: two passes over each block of rows, and merges. Values are taken relative to the
    channel's first value, then to the mean of those, so a constant channel gives exactly 0
    (Chan, Golub & LeVeque 1983, section 3).

    *Accuracy*: relative error of m2 below (rows + 4) times 2**-53.

    Examples
    --------
    >>> import numpy as np
    >>> state = moments(np.asarray([[1.0], [np.nan], [3.0]]))
    >>> int(state["count"][0]), float(state["mean"][0]), float(state["m2"][0])
    (2, 2.0, 2.0)
    """
    return _in_blocks(x, _block_moments, merge_moments)


def merge_moments(a: Mapping[str, Array], b: Mapping[str, Array]) -> State:
    """The state of `moments` of the rows of both.

    Parameters
    ----------
    a, b : mapping of str to array, each of shape (channel,)
        States of `moments`.

    Returns
    -------
    dict of str to array, each of shape (channel,)
        Exactly the other state where one is empty.

    References
    ----------
    .. [1] Pébay, "Formulas for robust, one-pass parallel computation of covariances and
       arbitrary-order statistical moments", SAND2008-6212, 2008, Eqs. 2.1 and 3.1.

    Examples
    --------
    >>> import numpy as np
    >>> state = merge_moments(moments(np.asarray([[1.0]])), moments(np.asarray([[3.0]])))
    >>> float(state["mean"][0]), float(state["m2"][0])
    (2.0, 2.0)
    """
    xp = array_namespace(a["mean"])
    count, na, share_a, share_b = _shares(a["count"], b["count"])
    delta = b["mean"] - a["mean"]
    pull = delta * delta * na * share_b
    spread = share_a * share_a - share_a * share_b + share_b * share_b
    m3 = a["m3"] + b["m3"] + pull * delta * (share_a - share_b)
    m3 = m3 + 3.0 * delta * (share_a * b["m2"] - share_b * a["m2"])
    m4 = a["m4"] + b["m4"] + pull * delta * delta * spread
    m4 = m4 + 6.0 * delta * delta * (share_a**2 * b["m2"] + share_b**2 * a["m2"])
    m4 = m4 + 4.0 * delta * (share_a * b["m3"] - share_b * a["m3"])
    mean = xp.where(na == 0.0, b["mean"], a["mean"] + delta * share_b)
    return {"count": count, "mean": mean, "m2": a["m2"] + b["m2"] + pull, "m3": m3, "m4": m4}


def comoments(*columns: Array) -> State:
    """Count, means and centred products of rows without missing values.

    Parameters
    ----------
    *columns : array of float32 or float64, shape (row, channel)
        One array or several with the same rows, whose channels are taken side by side; no NaN.

    Returns
    -------
    dict of str to array
        ``count`` int64 (); ``mean`` float64 (channel,), 0 without rows; ``comoment`` float64
        (channel, channel), sums of products of the deviations from the means.

    Notes
    -----
    *Method*: products of blocks of rows about the mean of one row in 32, in the precision of
    the first array; float64 sums of those, corrected to the mean of all rows.

    *Cost*: rows times channels² multiply-adds; a copy of one block of rows at a time.

    *Accuracy*: the correction cancels five bits at most. Relative to the products of standard
    deviations the error is below 96 (rows + 4) times 2**-53 for float64 rows. For float32 rows
    it is about 1e-7, and 1.5e-6 was the most where values step by a thousandth of their spread
    (docs/decisions/0015-products-in-the-precision-of-the-rows.md).

    Examples
    --------
    >>> import numpy as np
    >>> comoments(np.asarray([[1.0, 2.0], [3.0, 6.0]]))["comoment"]
    array([[2., 4.],
           [4., 8.]])
    """
    xp, dtype, where = array_namespace(*columns), columns[0].dtype, device(columns[0])
    rows, widths = columns[0].shape[0], [part.shape[1] for part in columns]
    near = [_near_mean(part) for part in columns]
    total = [xp.zeros((width,), dtype=xp.float64, device=where) for width in widths]
    products = [
        [xp.zeros((width, other), dtype=xp.float64, device=where) for other in widths]
        for width in widths
    ]
    size = max(_BLOCK_ROWS, rows_in_a_cache(columns[0], max(widths)))
    for first in range(0, rows, size):
        block = slice(first, min(first + size, rows))
        z = [
            xp.astype(minus_row(part[block, :], mean), dtype, copy=False)
            for part, mean in zip(columns, near, strict=True)
        ]
        for i, left in enumerate(z):
            total[i] += sum_rows(left)
            for j, right in enumerate(z[i:], i):
                products[i][j] += xp.matmul(xp.matrix_transpose(left), right)
    return _about_mean(rows, near, total, products)


def merge_comoments(a: Mapping[str, Array], b: Mapping[str, Array]) -> State:
    """The state of `comoments` of the rows of both.

    Parameters
    ----------
    a, b : mapping of str to array
        States of `comoments`.

    Returns
    -------
    dict of str to array
        Exactly the other state where one is empty (Pébay 2008, Eq. 3.11).

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[1.0, 2.0], [3.0, 6.0]])
    >>> merge_comoments(comoments(x[:1]), comoments(x[1:]))["comoment"]
    array([[2., 4.],
           [4., 8.]])
    """
    xp = array_namespace(a["mean"])
    count, na, _, share_b = _shares(a["count"], b["count"])
    delta = b["mean"] - a["mean"]
    pull = delta[:, None] * delta[None, :] * (na * share_b)
    return {
        "count": count,
        "mean": xp.where(na == 0.0, b["mean"], a["mean"] + delta * share_b),
        "comoment": a["comoment"] + b["comoment"] + pull,
    }


def pair_comoments(x: Array) -> State:
    """Counts, means and centred products over the rows in which both channels are present.

    Parameters
    ----------
    x : array of float32 or float64, shape (row, channel)
        Rows; NaN where a value is missing.

    Returns
    -------
    dict of str to array, each of shape (channel, channel)
        ``count`` int64, rows with both channels; ``mean`` float64, entry (i, j) the mean of
        channel i over those rows; ``comoment`` float64, sums of products of the deviations.

    Notes
    -----
    *Method*: products of masked matrices about the channels' own means, then a correction to
    the means of each pair.

    *Cost*: three products of rows times channels² multiply-adds.

    *Accuracy*: the correction cancels only as far as the mean of a pair's rows lies from the
    mean of the channel, in standard deviations of the channel.

    Examples
    --------
    >>> import numpy as np
    >>> state = pair_comoments(np.asarray([[1.0, 2.0], [3.0, 6.0], [2.0, np.nan]]))
    >>> float(state["mean"][0, 1]), float(state["comoment"][0, 1])
    (2.0, 4.0)
    """
    return _in_blocks(x, _block_pair_comoments, merge_pair_comoments)


def merge_pair_comoments(a: Mapping[str, Array], b: Mapping[str, Array]) -> State:
    """The state of `pair_comoments` of the rows of both.

    Parameters
    ----------
    a, b : mapping of str to array, each of shape (channel, channel)
        States of `pair_comoments`.

    Returns
    -------
    dict of str to array, each of shape (channel, channel)
        Exactly the other state where one is empty.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray([[1.0, 2.0], [3.0, 6.0]])
    >>> merge_pair_comoments(pair_comoments(x[:1]), pair_comoments(x[1:]))["comoment"]
    array([[2., 4.],
           [4., 8.]])
    """
    xp = array_namespace(a["mean"])
    count, na, _, share_b = _shares(a["count"], b["count"])
    delta = b["mean"] - a["mean"]
    pull = delta * xp.matrix_transpose(delta) * (na * share_b)
    return {
        "count": count,
        "mean": xp.where(na == 0.0, b["mean"], a["mean"] + delta * share_b),
        "comoment": a["comoment"] + b["comoment"] + pull,
    }


def _in_blocks(
    x: Array,
    of: Callable[[Array], State],
    merge: Callable[[Mapping[str, Array], Mapping[str, Array]], State],
) -> State:
    """The state of rows from blocks of them, which depend on the shape alone."""
    rows, channels = x.shape
    size = max(_BLOCK_ROWS, _BLOCK_VALUES // max(1, channels))
    state = of(x[: min(size, rows), :])
    for first in range(size, rows, size):
        state = merge(state, of(x[first : min(first + size, rows), :]))
    return state


def _block_moments(x: Array) -> State:
    """`moments` of rows that fit a cache."""
    xp = array_namespace(x)
    present, first, z = _relative(x)
    count = xp.sum(xp.astype(present, xp.int64), axis=0, dtype=xp.int64)
    mean = xp.sum(z, axis=0) / _at_least_one(count)
    z = xp.where(present, z - mean, xp.zeros_like(z))
    z2 = z * z
    return {
        "count": count,
        "mean": first + mean,
        "m2": xp.sum(z2, axis=0),
        "m3": xp.sum(z2 * z, axis=0),
        "m4": xp.sum(z2 * z2, axis=0),
    }


def _about_mean(
    rows: int,
    near: Sequence[Array],
    total: Sequence[Array],
    products: Sequence[Sequence[Array]],
) -> State:
    """The state of `comoments` from sums and, on and above the diagonal, products about `near`."""
    xp = array_namespace(*near)
    full = [
        [part if j >= i else xp.matrix_transpose(products[j][i]) for j, part in enumerate(parts)]
        for i, parts in enumerate(products)
    ]
    rest = xp.concat(list(total)) / max(rows, 1)
    comoment = xp.concat([xp.concat(parts, axis=1) for parts in full], axis=0)
    return {
        "count": xp.asarray(rows, dtype=xp.int64, device=device(rest)),
        "mean": xp.concat(list(near)) + rest,
        "comoment": comoment - rest[:, None] * rest[None, :] * rows,
    }


def _near_mean(x: Array) -> Array:
    """A mean of some rows, in their precision: exact for constant channels, near for others.

    With one row in 32, it is within sqrt(31) standard deviations of the mean whatever the rows
    are, so that a correction to the mean cancels five bits at most.
    """
    xp = array_namespace(x)
    some = x[::_SOME_ROWS, :]
    if x.shape[0] == 0:
        return xp.sum(some, axis=0)
    return some[0, :] + xp.mean(some - some[0, :], axis=0)


def _block_pair_comoments(x: Array) -> State:
    """`pair_comoments` of rows that fit a cache."""
    xp = array_namespace(x)
    present, first, z = _relative(x)
    mask = xp.astype(present, xp.float64)
    centre = xp.sum(z, axis=0) / _at_least_one(xp.sum(mask, axis=0))
    z = xp.where(present, z - centre, xp.zeros_like(z))
    turned = xp.matrix_transpose(z)
    pairs = xp.matmul(xp.matrix_transpose(mask), mask)
    mean = xp.matmul(turned, mask) / _at_least_one(pairs)
    away = mean * xp.matrix_transpose(mean) * pairs
    return {
        "count": xp.astype(xp.round(pairs), xp.int64),
        "mean": xp.where(pairs > 0.0, (first + centre)[:, None] + mean, xp.zeros_like(mean)),
        "comoment": xp.matmul(turned, z) - away,
    }


def _relative(x: Array) -> tuple[Array, Array, Array]:
    """Which values are present, each channel's first one, and values relative to it, else 0."""
    xp = array_namespace(x)
    values = xp.astype(x, xp.float64)
    present = ~xp.isnan(values)
    zero = xp.zeros_like(values)
    if x.shape[0] == 0:
        return present, xp.sum(zero, axis=0), zero
    filled = xp.where(present, values, zero)
    at = xp.argmax(xp.astype(present, xp.int8), axis=0)
    column = xp.arange(x.shape[1], dtype=at.dtype, device=device(x))
    first = xp.take(xp.reshape(filled, (-1,)), at * x.shape[1] + column, axis=0)
    return present, first, xp.where(present, filled - first, zero)


def _shares(count_a: Array, count_b: Array) -> tuple[Array, Array, Array, Array]:
    """Joint count (int64); first count, and shares of both in the joint one (float64)."""
    xp = array_namespace(count_a)
    count = count_a + count_b
    total = _at_least_one(count)
    na, nb = xp.astype(count_a, xp.float64), xp.astype(count_b, xp.float64)
    return count, na, na / total, nb / total


def _at_least_one(count: Array) -> Array:
    """`count` as float64, with 1 in place of 0 so that it can divide."""
    xp = array_namespace(count)
    number = xp.astype(count, xp.float64)
    return xp.where(number == 0.0, xp.ones_like(number), number)
