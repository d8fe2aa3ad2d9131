"""Numbers as sums of whole multiples of fixed powers of two, so that adding never rounds.

A sum of such parts is the same whole numbers in whatever order, chunks and array library it is
taken. The reducer on top is `lumipipe.metrics.exact`.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING

from array_api_compat import array_namespace

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import Array

LIMBS = 7
"""Whole numbers that a value is cut into."""
LARGEST = 2.0**95
"""Smallest magnitude that is too large to be cut."""
_BITS, _LOWEST = 32, -128
_SPLITTER = 2.0**27 + 1.0  # half of the 53 bits of a float64: Dekker 1971, section 2


def limbs(x: Array) -> Array:
    """The values as whole multiples of 2**-128, 2**-96, ... 2**64.

    Parameters
    ----------
    x : array of float64, shape (...)
        Finite and smaller in magnitude than `LARGEST`.

    Returns
    -------
    array of int64, shape (..., LIMBS)
        Of the sign of the value, in magnitude below 2**32; the lowest power first. What a
        value has below 2**-128 is cut off. Sums of up to 2**31 of them fit.

    Notes
    -----
    *Cost*: five operations a limb and value.

    Examples
    --------
    >>> import numpy as np
    >>> limbs(np.asarray([-1.5]))[0].tolist()
    [0, 0, 0, -2147483648, -1, 0, 0]
    """
    xp = array_namespace(x)
    rest, parts = xp.abs(x), []
    for place in reversed(range(LIMBS)):
        size = 2.0 ** (_LOWEST + _BITS * place)
        whole = xp.floor(rest / size)
        rest = rest - whole * size
        parts.append(xp.astype(whole, xp.int64))
    unsigned = xp.stack(parts[::-1], axis=-1)
    return xp.where((x < 0.0)[..., None], -unsigned, unsigned)


def exact_product(x: Array, y: Array) -> tuple[Array, Array]:
    """The rounded product and what was rounded away; together they are the product.

    Parameters
    ----------
    x, y : array of float64, shape (...)
        Products between 1e-250 and 1e250 in magnitude, or 0.

    Returns
    -------
    tuple of array of float64, shape (...)
        Product and rest.

    References
    ----------
    .. [1] T. J. Dekker, "A floating-point technique for extending the available precision",
       Numerische Mathematik 18 (1971) 224-242, Eqs. 5.7 to 5.14.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.asarray(1.0 + 2.0**-30)
    >>> product, rest = exact_product(x, x)
    >>> float(product) == 1.0 + 2.0**-29, float(rest) == 2.0**-60
    (True, True)
    """
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = _halves(y)
    rest = x_high * y_high - product
    rest = rest + x_high * y_low
    rest = rest + x_low * y_high
    return product, rest + x_low * y_low


def _halves(x: Array) -> tuple[Array, Array]:
    """A value as the sum of two of 26 bits each."""
    scaled = x * _SPLITTER
    high = scaled - (scaled - x)
    return high, x - high


def fraction(sums: Sequence[int]) -> Fraction:
    """The number that (sums of) limbs stand for, exactly.

    Parameters
    ----------
    sums : sequence of int, length LIMBS
        As `limbs` orders them.

    Returns
    -------
    Fraction
        The number.

    Examples
    --------
    >>> float(fraction([0, 0, 0, -2147483648, -1, 0, 0]))
    -1.5
    """
    whole = sum(limb << (_BITS * place) for place, limb in enumerate(sums))
    return Fraction(whole, 1 << -_LOWEST)
