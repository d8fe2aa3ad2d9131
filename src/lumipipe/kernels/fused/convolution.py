"""The convolutions of `lumipipe.kernels.convolution`, fused: no output of one is ever stored."""

from __future__ import annotations

import importlib
from functools import lru_cache
from importlib.util import find_spec
from typing import TYPE_CHECKING

from array_api_compat import array_namespace, device, is_cupy_array, is_numpy_array

from lumipipe.kernels import convolution
from lumipipe.kernels.convolution import TAPS
from lumipipe.kernels.fused import compiled
from lumipipe.kernels.fused.plan import plan

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
        is neither CuPy's nor NumPy's, where numba is not installed, and where a window does not
        fit into the shared memory of a block of the device.

    Notes
    -----
    *Method*: on a CPU as `lumipipe.kernels.fused.convolution_cpu` says. On a device, one block for
    each window and group of kernels with one dilation and channel subset. The two shifted sums
    of the group are in shared memory, counts in registers; see ``convolution.cu``. Float32
    windows fit up to 3,900 samples at any dilation.

    *Cost*: on a device, for each window, sample and dilation, 3 additions for every 4 biases or
    fewer of a kernel and one comparison a feature; 10 additions for each channel of each group.
    Global memory is read once a group and written once. No device has been measured.

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
    if is_numpy_array(x) and (loops := _loops()) is not None:
        return loops.proportion_positive(x, parameters, biases)
    return convolution.proportion_positive(x, parameters, biases)


@lru_cache(maxsize=1)
def _loops() -> ModuleType | None:
    """The compiled loops, where numba is installed."""
    if find_spec("numba") is None:
        return None
    return importlib.import_module("lumipipe.kernels.fused.convolution_cpu")


def _launched(
    cupy: ModuleType, x: Array, parameters: ConvolutionParameters, biases: Array, threads: int
) -> Array:
    """What `proportion_positive` returns, by blocks of so many threads."""
    length, channels, windows = x.shape
    shares = cupy.empty((windows, parameters.features), dtype=cupy.float32)
    groups, members, items = plan(cupy, str(device(x)), parameters, _BIASES)
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
