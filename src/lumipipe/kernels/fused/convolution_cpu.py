"""The convolutions of `lumipipe.kernels.convolution` in compiled loops, for NumPy's arrays.

Importing this needs numba, which the extra ``fast`` brings.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numba
from array_api_compat import array_namespace

from lumipipe.kernels.convolution import TAPS
from lumipipe.kernels.fused.plan import plan

if TYPE_CHECKING:
    from collections.abc import Callable

    from lumipipe.backend import Array
    from lumipipe.kernels.convolution import ConvolutionParameters

_ALL_BIASES = 2**31 - 1  # of a kernel are counted while its output is in a cache


def proportion_positive(x: Array, parameters: ConvolutionParameters, biases: Array) -> Array:
    """Share of the outputs of each convolution that lie above each of its biases.

    Parameters
    ----------
    x : array of float32 or float64, shape (time, channel, window)
        Windows, in NumPy.
    parameters : ConvolutionParameters
        Dilations, channel subsets and numbers of biases.
    biases : array of the dtype of `x`, shape (feature,)
        One for each feature.

    Returns
    -------
    array of float32, shape (feature, window)
        The bytes of `lumipipe.kernels.convolution.proportion_positive`.

    Notes
    -----
    *Method*: a window at a time. Sums of all shifts of each channel are made once a dilation, a
    kernel's output is made in a cache and compared with four biases in one pass.

    *Cost*: for each window and sample, 3 additions a kernel and dilation, one comparison and one
    addition a feature. The first call of a process compiles for some seconds, or reads what an
    earlier one compiled.

    *Accuracy*: the same additions in the same order as the array-API body, so the same bytes.
    """
    xp = array_namespace(x)
    length, channels, windows = x.shape
    margin = TAPS // 2 * max(parameters.dilations, default=0)
    series = xp.zeros((windows, channels, length + 2 * margin), dtype=x.dtype)
    series[:, :, margin : margin + length] = xp.permute_dims(x, (2, 1, 0))
    found = xp.empty((windows, parameters.features), dtype=xp.float32)
    # Copies, so that read-only arrays need no compilation of their own.
    levels = xp.asarray(biases, dtype=x.dtype, copy=True)
    tables = plan(xp, "cpu", parameters, _ALL_BIASES)
    totals = xp.empty((channels, length), dtype=x.dtype)
    base, output = xp.empty((length,), dtype=x.dtype), xp.empty((length,), dtype=x.dtype)
    tripled = xp.empty((length + 2 * margin,), dtype=x.dtype)
    _all_windows(series, margin, levels, *tables, totals, base, tripled, output, found)
    return xp.matrix_transpose(found)


def _compiled(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is compiled when first called, and kept for the next process."""
    try:
        kept: Callable[..., Any] = numba.njit(nogil=True, cache=True)(function)
    except RuntimeError:  # numba finds no folder that it may write to
        kept = numba.njit(nogil=True)(function)
    return kept


# Loops are functions of whole contiguous arrays: only so does the compiler make vectors of them.


@_compiled
def _add(out: Array, a: Array, b: Array) -> None:
    for i in range(len(out)):
        out[i] = a[i] + b[i]


@_compiled
def _add_to(out: Array, x: Array) -> None:
    for i in range(len(out)):
        out[i] += x[i]


@_compiled
def _take_from(out: Array, x: Array) -> None:
    for i in range(len(out)):
        out[i] -= x[i]


@_compiled
def _minus(out: Array, a: Array) -> None:
    for i in range(len(out)):
        out[i] = -a[i]


@_compiled
def _minus_both(out: Array, a: Array, b: Array) -> None:
    for i in range(len(out)):
        out[i] = -a[i] - b[i]


@_compiled
def _triple(out: Array, a: Array) -> None:
    for i in range(len(out)):
        out[i] = a[i] * numba.float32(3.0)


@_compiled
def _triple_both(out: Array, a: Array, b: Array) -> None:
    for i in range(len(out)):
        out[i] = (a[i] + b[i]) * numba.float32(3.0)


@_compiled
def _output(out: Array, base: Array, a: Array, b: Array, c: Array) -> None:
    for i in range(len(out)):
        out[i] = base[i] + a[i] + b[i] + c[i]


@_compiled
def _above_four(
    output: Array, b0: float, b1: float, b2: float, b3: float
) -> tuple[int, int, int, int]:
    n0 = n1 = n2 = n3 = numba.int32(0)  # counts of 32 bits fill vectors of float32
    for i in range(len(output)):
        n0 = numba.int32(n0 + (output[i] > b0))
        n1 = numba.int32(n1 + (output[i] > b1))
        n2 = numba.int32(n2 + (output[i] > b2))
        n3 = numba.int32(n3 + (output[i] > b3))
    return n0, n1, n2, n3


@_compiled
def _above_one(output: Array, bias: float) -> Any:
    number = numba.int32(0)
    for i in range(len(output)):
        number = numba.int32(number + (output[i] > bias))
    return number


@_compiled
def _all_shifts(total: Array, channel: Array, dilation: int) -> None:
    length = len(total)
    _add(total, channel[:length], channel[dilation : dilation + length])
    for tap in range(2, TAPS):
        _add_to(total, channel[tap * dilation : tap * dilation + length])


@_compiled
def _sums_of_subset(
    x: Array, first: int, stop: int, totals: Array, subset: Array, base: Array, tripled: Array
) -> None:
    one = subset[0]
    if len(subset) == 1:
        _minus(base, totals[one])
        _triple(tripled, x[one][first:stop])
        return
    two = subset[1]
    _minus_both(base, totals[one], totals[two])
    if len(subset) == 2:  # noqa: PLR2004
        _triple_both(tripled, x[one][first:stop], x[two][first:stop])
        return
    _add(tripled, x[one][first:stop], x[two][first:stop])
    for number in range(2, len(subset)):
        _take_from(base, totals[subset[number]])
        _add_to(tripled, x[subset[number]][first:stop])
    _triple(tripled, tripled)


@_compiled
def _shares(output: Array, biases: Array, first: int, stop: int, shares: Array) -> None:
    rows = numba.float32(len(output))
    while stop - first >= 4:  # noqa: PLR2004
        found = _above_four(
            output, biases[first], biases[first + 1], biases[first + 2], biases[first + 3]
        )
        for number in found:
            shares[first] = numba.float32(number) / rows
            first += 1
    while first < stop:
        shares[first] = numba.float32(_above_one(output, biases[first])) / rows
        first += 1


@_compiled
def _all_windows(
    series: Array,
    margin: int,
    biases: Array,
    groups: Array,
    members: Array,
    items: Array,
    totals: Array,
    base: Array,
    tripled: Array,
    out: Array,
    shares: Array,
) -> None:
    windows, channels, padded = series.shape
    length = padded - 2 * margin
    for window in range(windows):
        x, row, last = series[window], shares[window], 0
        for group in range(len(groups)):
            dilation, first, number, item, many = groups[group]
            reach = TAPS // 2 * dilation
            start, stop = margin - reach, margin + length + reach
            if dilation != last:
                for channel in range(channels):
                    _all_shifts(totals[channel], x[channel][start:stop], dilation)
                last = dilation
            subset, wide = members[first : first + number], tripled[: stop - start]
            _sums_of_subset(x, start, stop, totals, subset, base, wide)
            for kernel in range(item, item + many):
                a, b, c, feature, count, cut = items[kernel]
                low, high = cut, length - cut
                output = out[: high - low]
                _output(
                    output,
                    base[low:high],
                    tripled[a + low : a + high],
                    tripled[b + low : b + high],
                    tripled[c + low : c + high],
                )
                _shares(output, biases, feature, feature + count, row)
