"""Whether rows are like those that taught a model: T², SPE, and the range of each input."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lumipipe.models.pca import contributions
from lumipipe.models.ranges import beyond

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray

_PREFIX = "guard_"
_WORDS = {"t2": "T²", "spe": "SPE", "beyond": "distance past the ranges of the inputs"}


def distances(
    arrays: Mapping[str, NDArray[Any]], inputs: NDArray[Any]
) -> dict[str, NDArray[np.float64]]:
    """Distances of rows from the rows that taught a model.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Those of the bundle; the guard's have the prefix ``guard_``.
    inputs : ndarray, shape (row, input)
        What the guard watches, NaN where missing.

    Returns
    -------
    dict of str to ndarray of float64, shape (row,)
        ``t2``, ``spe``, and ``beyond``, how far outside the range of an input, in widths of it.
    """
    guard = {n.removeprefix(_PREFIX): a for n, a in arrays.items() if n.startswith(_PREFIX)}
    seen = contributions(guard, inputs)
    past = beyond(guard["low"], guard["high"], inputs) if "low" in guard else 0.0 * seen["t2"]
    return {"t2": seen["t2"], "spe": seen["spe"], "beyond": past}


def reasons(
    arrays: Mapping[str, NDArray[Any]], found: Mapping[str, NDArray[np.float64]]
) -> list[str]:
    """Why each row is refused; empty for a row that is inside.

    Parameters
    ----------
    arrays : mapping of str to ndarray
        Those of the bundle; limits have the prefix ``envelope_``.
    found : mapping of str to ndarray of float64, shape (row,)
        From `distances`.

    Returns
    -------
    list of str
        One a row. A distance that is not known is outside.
    """
    told: list[str] = []
    for values in zip(*found.values(), strict=True):
        past = [
            f"{_WORDS[name]} {value:.4g} is not within {float(arrays[f'envelope_{name}']):.4g}"
            for name, value in zip(found, values, strict=True)
            if not value <= float(arrays[f"envelope_{name}"])
        ]
        told.append(f"unlike the training data: {', '.join(past)}" if past else "")
    return told
