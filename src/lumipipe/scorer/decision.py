"""Whether to act, by the limit of a score that the costs of a request set."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def yes_or_no(acts: NDArray[np.bool_]) -> NDArray[Any]:
    """The words of a decision, one a row.

    Examples
    --------
    >>> yes_or_no(np.array([True, False])).tolist()
    ['yes', 'no']
    """
    return np.where(acts, "yes", "no").astype(object)
