"""The recordings of the family `hrv`: their blocks put together, their windows, and refusals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from array_api_compat import numpy as xp

from lumipipe.families.hrv_figures import COMPARED, Beats, Figure, figures, triangular_index
from lumipipe.families.hrv_folding import KINDS
from lumipipe.fold import merge_all
from lumipipe.metrics.heartbeats import BeatsReducer
from lumipipe.store.dataset import NO_TIME

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lumipipe.backend import State
    from lumipipe.families.interface import Job
    from lumipipe.fold import Leaves
    from lumipipe.store.dataset import RecordingRow

LONG = 12
"""Full windows from which figures between windows (SDANN, SDNN index) are given: an hour of 5
minutes each."""


@dataclass(frozen=True)
class Window:
    """A window of a recording.

    Parameters
    ----------
    number : int
        Counted from 0 at the first beat.
    beats : Beats
        Its sums.
    figures : dict of str to Figure
        Of `COMPARED`.
    is_full : bool
        Whether its normal intervals fill enough of it to be compared.
    """

    number: int
    beats: Beats
    figures: dict[str, Figure]
    is_full: bool


@dataclass(frozen=True)
class Heart:
    """A recording with all that follows from it.

    Parameters
    ----------
    row : RecordingRow
        Who and where from.
    start_ns : int or None
        Time of the first beat since 1970; None where it is not known.
    beats : Beats
        Sums of the whole.
    figures : dict of str to Figure
        Of `COMPARED`, over the whole recording.
    windows : tuple of Window
        In order; parts of a window at the end and around breaks are among them.
    index : float
        Triangular index; NaN where there is none.
    is_refused : bool
        Whether too much was excluded.
    compared : dict of str to Figure
        Mean over the first full windows; empty where there are too few or it is refused.
    """

    row: RecordingRow
    start_ns: int | None
    beats: Beats
    figures: dict[str, Figure]
    windows: tuple[Window, ...]
    index: float
    is_refused: bool
    compared: dict[str, Figure]

    @property
    def full(self) -> list[Window]:
        """Windows that can be compared."""
        return [window for window in self.windows if window.is_full]

    @property
    def sdann(self) -> float | None:
        """Standard deviation of the means of full windows in ms; None in a short recording."""
        if len(self.full) < LONG:
            return None
        return float(np.std([window.beats.mean_nn for window in self.full], ddof=1))

    @property
    def sdnn_index(self) -> float | None:
        """Mean SDNN of full windows in ms; None in a short recording."""
        if len(self.full) < LONG:
            return None
        return float(np.mean([window.beats.sdnn for window in self.full]))


def hearts(job: Job, blocks: Leaves, histograms: Leaves) -> list[Heart]:
    """All recordings, in the order of the dataset.

    Parameters
    ----------
    job : Job
        The request and its data.
    blocks, histograms : dict of tuple of str to State
        The folded passes.

    Returns
    -------
    list of Heart
        Also of those without any interval.
    """
    parts: dict[str, list[tuple[int, State]]] = {}
    for (_, recording, number), state in sorted(blocks.items()):
        parts.setdefault(recording, []).append((int(number), state))
    counts = {recording: state["counts"] for (_, recording), state in histograms.items()}
    table = job.dataset.streams[job.train.stream]
    return [
        _heart(job, row, start, parts.get(row.id, []), counts.get(row.id))
        for row, start in zip(job.dataset.recordings, table.start_ns.tolist(), strict=True)
    ]


def resolution_of(job: Job, source: str) -> float | None:
    """Step of the times of beats of a source in ms; None where nobody says."""
    recorder = job.asset.recorders.get(source)
    return None if recorder is None else float(recorder.resolution_ms)


def _heart(
    job: Job, row: RecordingRow, start: int, parts: list[tuple[int, State]], counts: Any
) -> Heart:
    """One recording."""
    states = [state for _, state in parts]
    beats = _merged(states)
    coverage, step = job.request.evaluation.interval.coverage, resolution_of(job, row.source)
    windows = tuple(_windows(job, parts, step))
    is_refused = beats.excluded_share > job.score.most_artefacts
    return Heart(
        row=row,
        start_ns=None if start == NO_TIME else start,
        beats=beats,
        figures=figures(states, beats, coverage, step),
        windows=windows,
        index=float("nan") if counts is None else triangular_index(counts),
        is_refused=is_refused,
        compared={} if is_refused else _compared(windows, job.score.compared_windows),
    )


def _merged(states: Sequence[State]) -> Beats:
    """Sums of neighbouring blocks, seams included."""
    return Beats.of(merge_all(BeatsReducer(xp, len(KINDS)), states))


def _windows(job: Job, parts: list[tuple[int, State]], step: float | None) -> list[Window]:
    """Blocks put together to windows."""
    each = round(job.train.window_s / job.train.block_s)
    found: dict[int, list[State]] = {}
    for number, state in parts:
        found.setdefault(number // each, []).append(state)
    windows = []
    for number, states in found.items():
        beats = _merged(states)
        is_full = beats.seconds >= job.score.least_covered * job.train.window_s and beats.steps > 0
        coverage = job.request.evaluation.interval.coverage
        windows.append(Window(number, beats, figures(states, beats, coverage, step), is_full))
    return windows


def _compared(windows: Sequence[Window], count: int) -> dict[str, Figure]:
    """Mean of the logarithms over the first full windows; empty where there are fewer."""
    full = [window for window in windows if window.is_full][:count]
    if len(full) < count:
        return {}
    return {name: mean_of([window.figures[name] for window in full]) for name in COMPARED}


def mean_of(found: Sequence[Figure]) -> Figure:
    """Geometric mean of figures, whose errors are taken as independent.

    >>> figure = Figure(4.0, 2.0, 8.0, 1.0)
    >>> mean = mean_of([figure, figure._replace(value=9.0, lower=4.5, upper=18.0)])
    >>> mean.value, round(mean.upper / mean.value, 3)
    (6.0, 1.633)
    """
    values = np.array([figure.value for figure in found])
    if not (values > 0.0).all():
        return Figure(float(values.mean()))
    value = float(np.exp(np.log(values).mean()))
    half = np.log([figure.upper for figure in found]) - np.log(values)
    spread = float(np.exp(np.sqrt((half**2).sum()) / len(found)))
    if not np.isfinite(spread):
        return Figure(value)
    return Figure(value, value / spread, value * spread)
