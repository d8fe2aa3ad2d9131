"""Figures of the time domain from sums of intervals, each with an interval of its own.

Definitions are those of the Task Force 1996 (`lumipipe.metrics.heartbeats`). What is compared
between recordings is in `lumipipe.families.hrv_change`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import special

from lumipipe.metrics.heartbeats import LARGE_US
from lumipipe.uncertainty.blocks import FEWEST_BLOCKS, block_estimate
from lumipipe.uncertainty.budget import coverage_factor

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from lumipipe.backend import State

_MS = 1000  # microseconds
_MINUTE_MS = 60_000.0


@dataclass(frozen=True)
class Beats:
    """The sums of some neighbouring intervals; see `lumipipe.metrics.heartbeats.BeatsReducer`.

    Parameters
    ----------
    kinds : tuple of int
        Intervals of each kind, the normal ones first.
    nn_sum, nn_squares : int
        Sum of normal intervals in us, and of their squares.
    steps, step_sum, step_squares, large : int
        Number of successive differences, sum, sum of squares, and those above 50 ms.
    """

    kinds: tuple[int, ...]
    nn_sum: int
    nn_squares: int
    steps: int
    step_sum: int
    step_squares: int
    large: int

    @classmethod
    def of(cls, state: State) -> Beats:
        """The sums of a state."""
        return cls(tuple(state["kinds"].tolist()), *state["nn"].tolist(), *state["steps"].tolist())

    @property
    def count(self) -> int:
        """Normal intervals."""
        return self.kinds[0]

    @property
    def intervals(self) -> int:
        """All intervals."""
        return sum(self.kinds)

    @property
    def excluded_share(self) -> float:
        """Share of the intervals that do not count; 1 where there is none at all."""
        return 1.0 - self.count / self.intervals if self.intervals else 1.0

    @property
    def seconds(self) -> float:
        """Time that the normal intervals fill."""
        return self.nn_sum / 1e6

    @property
    def mean_nn(self) -> float:
        """Mean of the normal intervals in ms; NaN without one."""
        return self.nn_sum / self.count / _MS if self.count else float("nan")

    @property
    def heart_rate(self) -> float:
        """Normal beats in a minute of normal intervals."""
        return _MINUTE_MS / self.mean_nn

    @property
    def sdnn(self) -> float:
        """Standard deviation of the normal intervals in ms (n - 1); NaN below two."""
        return _deviation(self.count, self.nn_sum, self.nn_squares)

    @property
    def rmssd(self) -> float:
        """Root of the mean squared successive difference in ms; NaN without one."""
        if not self.steps:
            return float("nan")
        return float(np.sqrt(float(Fraction(self.step_squares, self.steps)))) / _MS

    @property
    def sdsd(self) -> float:
        """Standard deviation of the successive differences in ms (n - 1); NaN below two."""
        return _deviation(self.steps, self.step_sum, self.step_squares)

    @property
    def pnn50(self) -> float:
        """Share of the successive differences above 50 ms in per cent; NaN without one."""
        return 100.0 * self.large / self.steps if self.steps else float("nan")


def _deviation(count: int, total: int, squares: int) -> float:
    """Standard deviation in ms from exact sums in us: exact until the root."""
    if count < 2:  # noqa: PLR2004 - one value has no spread
        return float("nan")
    variance = Fraction(count * squares - total * total, count * (count - 1))
    return float(np.sqrt(float(variance))) / _MS


class Figure(NamedTuple):
    """A figure with its interval, NaN where there is none, and its parts of uncertainty."""

    value: float
    lower: float = float("nan")
    upper: float = float("nan")
    u: float = float("nan")
    """Standard uncertainty of the mean over the recording, from the spread between blocks."""
    u_resolution: float | None = None
    """Standard uncertainty from the resolution of the recorder; None where it is not stated."""

    @property
    def half_width(self) -> float:
        """Half the interval as a share of the figure."""
        return (self.upper - self.lower) / (2.0 * self.value) if self.value else float("nan")


def block_table(states: Sequence[State], centre_us: int) -> NDArray[np.float64]:
    """Sums over each block in ms: NN and their squares about a centre, and differences.

    Parameters
    ----------
    states : sequence of State
        Of neighbouring blocks, in their order.
    centre_us : int
        What is taken from each NN, near their mean.

    Returns
    -------
    ndarray of float64, shape (block, 6)
        Number of NN; sum of NN and of squares, about the centre; number of differences, sum of
        their squares, and how many are above 50 ms. A difference over a seam belongs to the later
        block, so that the sums of all blocks are those of the whole.
    """
    rows = np.zeros((len(states), 6))
    for at, part in enumerate(Beats.of(state) for state in states):
        square, large, steps = part.step_squares, part.large, part.steps
        seam = None if at == 0 else _seam(states[at - 1], states[at])
        if seam is not None:
            steps, square, large = steps + 1, square + seam**2, large + (abs(seam) > LARGE_US)
        total = part.nn_sum - part.count * centre_us
        squares = part.nn_squares - 2 * centre_us * part.nn_sum + part.count * centre_us**2
        rows[at] = part.count, total / _MS, squares / _MS**2, steps, square / _MS**2, large
    return rows


def _seam(first: State, second: State) -> int | None:
    """The difference from the last interval of a block to the first of the next, us."""
    if not (int(first["ends"][3]) and int(second["ends"][1])):
        return None
    return int(second["ends"][0]) - int(first["ends"][2])


def _log_sdnn(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    count, total, squares = sums[..., 0], sums[..., 1], sums[..., 2]
    return 0.5 * np.log((squares - total**2 / count) / (count - 1.0))


def _log_rmssd(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(0.5 * np.log(sums[..., 4] / sums[..., 3]))


COMPARED = ("rmssd", "sdnn", "mean_nn")
"""Figures with an interval; all are above 0, so intervals are those of their logarithm."""


def figures(
    states: Sequence[State], whole: Beats, confidence: float, resolution_ms: float | None
) -> dict[str, Figure]:
    """The figures of `COMPARED` of some neighbouring blocks, by name.

    Parameters
    ----------
    states : sequence of State
        Blocks that have intervals, in their order.
    whole : Beats
        All blocks together.
    confidence : float
        Two-sided confidence.
    resolution_ms : float or None
        Step of the times of beats.

    Returns
    -------
    dict of str to Figure
        No interval with fewer than `FEWEST_BLOCKS` blocks that have two NN.

    Notes
    -----
    *Method*: the delete-one jackknife over blocks of the logarithm of each figure
    (`lumipipe.uncertainty.blocks`), turned back; the part of the resolution is added in squares.

    *Accuracy*: measured on made-up intervals that swing at 0.02, 0.1 and 0.25 Hz, 600 recordings
    of each length, blocks of 60 s: intervals that promise 95 % held the figure of endless data in
    94.8 % (RMSSD) and 92.7 % (SDNN) for 5 min, 93.8 % and 91.5 % for 15 min, 92.8 % and 93.3 %
    for 30 min.
    """
    centre = round(Fraction(whole.nn_sum, whole.count)) if whole.count else 0
    table = block_table(states, centre)
    values = {"rmssd": whole.rmssd, "sdnn": whole.sdnn, "mean_nn": whole.mean_nn}
    statistics = {
        "rmssd": _log_rmssd,
        "sdnn": _log_sdnn,
        "mean_nn": lambda sums: np.log(centre / _MS + sums[..., 1] / sums[..., 0]),
    }
    found = {}
    for name in COMPARED:
        step = None if resolution_ms is None else resolution_u(name, values[name], resolution_ms)
        found[name] = _figure(values[name], table, statistics[name], confidence, step)
    return found


def _figure(
    value: float,
    table: NDArray[np.float64],
    statistic: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    confidence: float,
    step: float | None,
) -> Figure:
    """One figure; `step` is its part of the resolution."""
    blocks = int((table[:, 0] > 0).sum())
    if blocks < FEWEST_BLOCKS or not value > 0.0:
        return Figure(value, u_resolution=step)
    with np.errstate(divide="ignore", invalid="ignore"):  # one block may hold all differences
        found = block_estimate(table, statistic, confidence)
    if not np.isfinite(found.u):
        return Figure(value, u_resolution=step)
    quantile = float(special.stdtrit(blocks - 1, (1.0 + confidence) / 2.0))
    rounding = coverage_factor(confidence) * (step or 0.0) / value
    half = float(np.hypot(quantile * found.u, rounding))
    ends = value * np.exp(-half), value * np.exp(half)
    return Figure(value, float(ends[0]), float(ends[1]), found.u * value, step)


def resolution_u(name: str, value: float, resolution_ms: float) -> float:
    """Standard uncertainty of a figure from times of beats that are multiples of a step.

    Parameters
    ----------
    name : str
        Of `COMPARED`.
    value : float
        The figure in ms.
    resolution_ms : float
        The step q.

    Returns
    -------
    float
        In ms.

    Notes
    -----
    *Method*: each time of a beat has a rectangular error of variance q²/12. An interval has two
    of them and a difference three, the middle one twice, so that q²/6 is added to the variance of
    NN and q²/2 to the mean squared difference. The figure is not corrected: its error lies
    between 0 and what these make of it, and its root mean square is that over the root of 3.
    Intervals that were rounded one by one have less: q²/12 and q²/6.

    Examples
    --------
    >>> round(resolution_u("rmssd", 27.48, 1000 / 360), 4)
    0.0406
    """
    if name == "mean_nn" or not value > 0.0:
        return 0.0  # errors of neighbours cancel in the sum but for both ends
    added = resolution_ms**2 / (2.0 if name == "rmssd" else 6.0)
    true = float(np.sqrt(max(value**2 - added, 0.0)))
    return (value - true) / float(np.sqrt(3.0))


def triangular_index(counts: NDArray[np.int64]) -> float:
    """Number of intervals over the height of their histogram with bins of 1/128 s; NaN for none.

    >>> triangular_index(np.array([0, 2, 4, 2]))
    2.0
    """
    return float(counts.sum() / counts.max()) if counts.any() else float("nan")
