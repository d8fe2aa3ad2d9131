"""Counter-based random numbers: draw i is a function of the key and of i, and of nothing else.

So every rank, device and chunk size sees the same draws. Which keys are used for what is the
caller's matter.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, TypeAlias

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from lumipipe.backend import Array

Word: TypeAlias = Any  # an int or an array of uint64, each below 2**32

_MASK = 0xFFFFFFFF
_MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
_WEYL = (0x9E3779B9, 0xBB67AE85)
_ROUNDS = 10


def philox4x32(
    counter: tuple[Word, Word, Word, Word], key: tuple[int, int]
) -> tuple[Word, Word, Word, Word]:
    """Four random words of 32 bit for each counter.

    Parameters
    ----------
    counter : tuple of 4 int, or of 4 arrays of uint64, any shape
        Words of the 128 bit counter, lowest first, each below 2**32.
    key : tuple of 2 int
        Words of the key, each taken modulo 2**32.

    Returns
    -------
    tuple of 4 int, or of 4 arrays of uint64, shape of the counter
        Each below 2**32.

    Notes
    -----
    *Method*: Philox4x32-10 [1]_; 32 bit products are formed in 64 bit words.

    *Cost*: 10 rounds of 2 products and 10 bit operations on 8 byte words.

    References
    ----------
    .. [1] Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011,
       section 3.3.

    Examples
    --------
    >>> [f"{word:08x}" for word in philox4x32((0, 0, 0, 0), (0, 0))]
    ['6627e8d5', 'e169c58d', 'bc57ac4c', '9b00dbd8']
    """
    c0, c1, c2, c3 = counter
    for number in range(_ROUNDS):
        k0, k1 = ((k + number * step) & _MASK for k, step in zip(key, _WEYL, strict=True))
        first, second = c0 * _MULTIPLIERS[0], c2 * _MULTIPLIERS[1]
        c0, c1 = (second >> 32) ^ c1 ^ k0, second & _MASK
        c2, c3 = (first >> 32) ^ c3 ^ k1, first & _MASK
    return c0, c1, c2, c3


def words(number: Array, key: tuple[int, int]) -> tuple[Array, Array, Array, Array]:
    """The four words of the draws with these numbers.

    Parameters
    ----------
    number : array of int64 or uint64, any shape
        Numbers of the draws, 0 or more.
    key : tuple of 2 int
        Seed and purpose, each taken modulo 2**32.

    Returns
    -------
    tuple of 4 arrays of uint64, shape of `number`
        Each below 2**32.

    Examples
    --------
    >>> import numpy as np
    >>> int(words(np.asarray([0]), (0, 0))[0][0]) == 0x6627E8D5
    True
    """
    xp = array_namespace(number)
    low = xp.astype(number, xp.uint64)
    zero = xp.zeros_like(low)
    return philox4x32((low & _MASK, low >> 32, zero, zero), key)


def uniform_at(number: Array, key: tuple[int, int]) -> Array:
    """Uniform draws with these numbers.

    Parameters
    ----------
    number : array of int64 or uint64, any shape
        Numbers of the draws, 0 or more.
    key : tuple of 2 int
        Seed and purpose, each taken modulo 2**32.

    Returns
    -------
    array of float64, shape of `number`
        In [0, 1), multiples of 2**-53.

    Examples
    --------
    >>> import numpy as np
    >>> bool(uniform_at(np.asarray([3]), (1, 2))[0] == uniform_at(np.arange(5), (1, 2))[3])
    True
    """
    w0, w1, _, _ = words(number, key)
    return _unit(w0, w1)


def uniform_float(number: int, key: tuple[int, int]) -> float:
    """The draw of `uniform_at` with this number, as a float, without any array."""
    w0, w1, _, _ = philox4x32((number & _MASK, number >> 32 & _MASK, 0, 0), key)
    draw: float = ((w0 >> 5) * 2**26 + (w1 >> 6)) * 2.0**-53
    return draw


def normal_at(number: Array, key: tuple[int, int]) -> Array:
    """Standard normal draws with these numbers.

    Parameters
    ----------
    number : array of int64 or uint64, any shape
        Numbers of the draws, 0 or more.
    key : tuple of 2 int
        Seed and purpose, each taken modulo 2**32.

    Returns
    -------
    array of float64, shape of `number`
        Mean 0, variance 1, never beyond 8.58 in size.

    Notes
    -----
    *Method*: the cosine half of Box & Muller's transform (1958) of two uniform draws; the first
    is taken as 1 - u, so that its logarithm is finite.

    *Accuracy*: the draws of two libraries agree to the rounding of their log, sqrt and cos.

    Examples
    --------
    >>> import numpy as np
    >>> bool(abs(np.mean(normal_at(np.arange(10000), (1, 2)))) < 0.05)
    True
    """
    xp = array_namespace(number)
    w0, w1, w2, w3 = words(number, key)
    radius = xp.sqrt(-2.0 * xp.log(1.0 - _unit(w0, w1)))
    return radius * xp.cos((2.0 * math.pi) * _unit(w2, w3))


def uniform(
    xp: ModuleType,
    where: object,
    key: tuple[int, int],
    shape: Sequence[int],
    offset: int = 0,
) -> Array:
    """Uniform draws `offset`, `offset` + 1, … in row-major order: float64 in [0, 1)."""
    return uniform_at(_numbers(xp, where, shape, offset), key)


def normal(
    xp: ModuleType,
    where: object,
    key: tuple[int, int],
    shape: Sequence[int],
    offset: int = 0,
) -> Array:
    """Standard normal draws `offset`, `offset` + 1, … in row-major order: float64."""
    return normal_at(_numbers(xp, where, shape, offset), key)


def _numbers(xp: ModuleType, where: object, shape: Sequence[int], offset: int) -> Array:
    """Numbers of consecutive draws: int64 of this shape on the device `where`."""
    # The plain module of a library may be older than the standard; the one of its arrays is not.
    xp = array_namespace(xp.zeros(0))
    flat = xp.arange(offset, offset + math.prod(shape), dtype=xp.int64, device=where)
    return xp.reshape(flat, tuple(shape))


def _unit(high: Array, low: Array) -> Array:
    """A float64 in [0, 1) from 27 bits of one word and 26 of another."""
    xp = array_namespace(high)
    bits = (high >> 5) * 2**26 + (low >> 6)
    return xp.astype(bits, xp.float64) * 2.0**-53
