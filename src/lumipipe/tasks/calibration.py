"""How fast one core of this machine, or its device, multiplies: what tells two machines apart."""

from __future__ import annotations

import statistics
import time
from typing import TYPE_CHECKING

import numpy as np
from threadpoolctl import threadpool_limits

if TYPE_CHECKING:
    from lumipipe.backend import Backend

_ROWS, _COLUMNS = 8192, 256  # 16 MiB of float64: rows stream through, the product stays in cache
_LEAST_REPEATS = 5


def gram_rate(backend: Backend, seconds: float = 0.3) -> list[float]:
    """Useful floating-point operations a second of a Gram matrix in float64, for each repeat.

    Parameters
    ----------
    backend : Backend
        Where it is computed; on the host with one thread.
    seconds : float, s
        How long to measure.

    Returns
    -------
    list of float, 1/s
        Rows times columns squared over the time, of at least five repeats after a first one
        that is not counted.
    """
    x = backend.asarray(np.random.default_rng(0).standard_normal((_ROWS, _COLUMNS)))
    rates: list[float] = []
    with threadpool_limits(1):
        backend.to_host(x.T @ x)
        end = time.perf_counter() + seconds
        while len(rates) < _LEAST_REPEATS or time.perf_counter() < end:
            start = time.perf_counter()
            backend.to_host(x.T @ x)  # sync: a device answers when it is done
            rates.append(_ROWS * _COLUMNS**2 / (time.perf_counter() - start))
    return rates


def middle(rates: list[float]) -> float:
    """The median."""
    return statistics.median(rates)
