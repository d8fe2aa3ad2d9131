"""How finely the numbers of a delimited file were written: decimals of each cell.

The numbers themselves are read by `lumipipe.readers.delimited`, with the same options.
"""

from __future__ import annotations

import re
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from lumipipe.readers.delimited import proven
from lumipipe.readers.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

    from lumipipe.readers.delimited import Options
    from lumipipe.readers.numberforms import NumberForm

_BINARY_DIGITS = 15  # a float64 holds so many; what is printed longer shows its binary noise
_NOISE = Decimal("1e-12")  # relative: thousands of roundings of a float64
_MOST = 30


def decimals_written(
    file: Path, options: Options, columns: Iterable[str]
) -> dict[str, NDArray[np.int64]]:
    """Decimals with which each cell of some columns of numbers was written.

    Parameters
    ----------
    file : Path
        Plain, .gz or .xz.
    options : Options
        Those with which the numbers were read.
    columns : iterable of str
        Names of columns of numbers.

    Returns
    -------
    dict of str to ndarray of int64, shape (row,)
        Digits after the decimal mark, negative where a power of ten hides digits before it;
        0 for a cell without reading.

    Raises
    ------
    InputError
        As `lumipipe.readers.delimited.read` does.
    """
    form, dialect, _ = proven(file, options)
    places = {name: dialect.scan.names.index(name) for name in columns}
    found: dict[str, list[int]] = {name: [] for name in places}
    for _, cells in rows_of(form, dialect.scan.delimiter):
        for name, at in places.items():
            cell = cells[at].strip()
            found[name].append(0 if cell in form.missing else decimals_of(cell, dialect.form))
    return {name: np.asarray(counts, dtype=np.int64) for name, counts in found.items()}


@lru_cache(maxsize=2**16)
def decimals_of(cell: str, form: NumberForm) -> int:
    """Decimals of one written number.

    Parameters
    ----------
    cell : str
        The number as written.
    form : NumberForm
        Its marks.

    Returns
    -------
    int
        Digits after the decimal mark. A number with more digits than a float64 holds was printed
        from one: the fewest decimals that are the same number but for its noise.

    Examples
    --------
    >>> from lumipipe.readers.numberforms import NumberForm
    >>> point = NumberForm(".", None)
    >>> [decimals_of(cell, point) for cell in ("11", "0.60", "0.022000000000000002", "1.5e-3")]
    [0, 2, 3, 4]
    """
    plain = cell.replace(form.thousands, "") if form.thousands else cell
    number = Decimal(re.sub(r"\s", "", plain).replace(form.decimal, "."))
    exponent = number.as_tuple().exponent
    decimals = -exponent if isinstance(exponent, int) else 0
    if len(number.as_tuple().digits) >= _BINARY_DIGITS and decimals > 0:
        decimals = _without_noise(number, decimals)
    return max(-_MOST, min(_MOST, decimals))


def _without_noise(number: Decimal, most: int) -> int:
    """The fewest decimals that leave a number as it is but for binary noise."""
    for decimals in range(min(most, _MOST)):
        short = round(number, decimals)
        if abs(short - number) <= _NOISE * abs(number):
            return decimals
    return most
