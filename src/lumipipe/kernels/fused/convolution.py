"""The convolutions of `lumipipe.kernels.convolution`, fused: no output of one is ever stored."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device, is_cupy_array

from lumipipe.kernels import convolution
from lumipipe.kernels.convolution import KERNELS, TAPS
from lumipipe.kernels.fused import compiled

if TYPE_CHECKING:
    from types import ModuleType

    from lumipipe.backend import Array
    from lumipipe.kernels.convolution import ConvolutionParameters

_TEAM = 32  # threads that share the samples of a kernel
_BIASES = 4  # counted at once, in registers
_THREADS = 128  # of a block: a multiple of _TEAM, at most 256
_MOST_SHARED = 48 * 2**10  # bytes that CUDA gives a block unasked; HIP gives 64 KiB
_REALS = {"float32": "float", "float64": "double"}


def proportion_positive(x: Array, parameters: ConvolutionParameters, biases: Array) -> Array:
    """Share of the outputs of each convolution that lie above each of its biases.

    Parameters
    ----------
    x : array of float32 or float64, shape (time, channel, window)
        Windows.
    parameters : ConvolutionParameters
        Dilations, channel subsets and numbers of biases.
    biases : array of the dtype of `x`, shape (feature,)
        One for each feature.

    Returns
    -------
    array of float32, shape (feature, window)
        As that of `lumipipe.kernels.convolution.proportion_positive`, which computes where `x`
        is not CuPy's or where a window does not fit into the shared memory of a block.

    Notes
    -----
    *Method*: one block for each window and group of kernels with one dilation and channel subset.
    The two shifted sums of the group are in shared memory, counts in registers; see
    ``convolution.cu``. Float32 windows fit up to 3,900 samples at any dilation.

    *Cost*: for each window, sample and dilation, 3 additions for every 4 biases or fewer of a
    kernel and one comparison a feature; 10 additions for each channel of each group. Global
    memory is read once a group and written once. No device has been measured.

    *Accuracy*: the same additions in the same order as the array-API body, so the same bytes,
    NaN and infinities included. CuPy has numbers below 1.2e-38 flushed to zero.

    References
    ----------
    .. [1] Dempster, Schmidt & Webb, "MiniRocket: a very fast (almost) deterministic transform
       for time series classification", KDD 2021.

    Examples
    --------
    >>> import numpy as np
    >>> parameters = convolution.ConvolutionParameters((1,), (1,), ((0,),) * 84)
    >>> x = np.ones((9, 1, 1), np.float32)
    >>> proportion_positive(x, parameters, np.full(84, -1, np.float32))[1]  # the weights sum to 0
    array([1.], dtype=float32)
    """
    if is_cupy_array(x) and _shared_bytes(x, parameters, _THREADS) <= _MOST_SHARED:
        return _launched(array_namespace(x), x, parameters, biases, _THREADS)
    return convolution.proportion_positive(x, parameters, biases)


def _launched(
    cupy: ModuleType, x: Array, parameters: ConvolutionParameters, biases: Array, threads: int
) -> Array:
    """What `proportion_positive` returns, by blocks of so many threads."""
    length, channels, windows = x.shape
    shares = cupy.empty((windows, parameters.features), dtype=cupy.float32)
    groups, members, items = _tables(cupy, str(device(x)), parameters)
    series = cupy.ascontiguousarray(cupy.permute_dims(x, (2, 1, 0)))
    levels = cupy.ascontiguousarray(biases, dtype=x.dtype)
    arrays = (series, levels, groups, members, items, shares)
    if windows:  # a grid has at least one block
        compiled(cupy, "convolution", "proportion_positive", _options(x))(
            (windows, groups.shape[0], 1),
            (threads, 1, 1),
            (*arrays, length, channels, parameters.features),
            shared_mem=_shared_bytes(x, parameters, threads),
        )
    return cupy.matrix_transpose(shares)


def _options(x: Array) -> tuple[str, ...]:
    """Definitions that the source needs for windows of this dtype."""
    return (
        f"-DREAL={_REALS[str(x.dtype)]}",
        f"-DTAPS={TAPS}",
        f"-DTEAM={_TEAM}",
        f"-DBIASES={_BIASES}",
    )


def _shared_bytes(x: Array, parameters: ConvolutionParameters, threads: int) -> int:
    """Shared memory of a block: the two sums, and counts of each thread in columns."""
    sums = 2 * x.shape[0] + (TAPS - 1) * max(parameters.dilations)
    counts = threads // _TEAM * _BIASES * (_TEAM + 1)
    return int(sums * x.dtype.itemsize + counts * 4)


@lru_cache(maxsize=8)
def _tables(
    cupy: ModuleType, where: str, parameters: ConvolutionParameters
) -> tuple[Array, Array, Array]:
    """Groups, their channels and their items as the source has them: int32, on the device."""
    del where  # part of the key only
    groups: list[tuple[int, ...]] = []
    members: list[int] = []
    items: list[tuple[int, ...]] = []
    first = 0
    for number, dilation in enumerate(parameters.dilations):
        count = parameters.biases_per_kernel[number]
        for subset, kernels in _kernels_by_subset(parameters, number).items():
            own = [
                item
                for kernel in kernels
                for item in _items(kernel, number, dilation, first + kernel * count, count)
            ]
            groups.append((dilation, len(members), len(subset), len(items), len(own)))
            members += subset
            items += own
        first += len(KERNELS) * count
    return (
        cupy.asarray(groups, dtype=cupy.int32),
        cupy.asarray(members, dtype=cupy.int32),
        cupy.asarray(items, dtype=cupy.int32),
    )


def _kernels_by_subset(
    parameters: ConvolutionParameters, number: int
) -> dict[tuple[int, ...], list[int]]:
    """Kernels of each channel subset at one dilation."""
    found: dict[tuple[int, ...], list[int]] = {}
    for kernel in range(len(KERNELS)):
        found.setdefault(parameters.subsets[number * len(KERNELS) + kernel], []).append(kernel)
    return found


def _items(
    kernel: int, number: int, dilation: int, first: int, count: int
) -> list[tuple[int, ...]]:
    """A kernel's shifts in rows, first feature, number of biases and rows cut at either end."""
    cut = (number + kernel) % 2 * (TAPS // 2) * dilation
    a, b, c = (tap * dilation for tap in KERNELS[kernel])
    return [(a, b, c, first + i, min(_BIASES, count - i), cut) for i in range(0, count, _BIASES)]
