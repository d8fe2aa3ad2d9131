"""Series of numbers as lines: decimation that keeps peaks, gaps that stay gaps, axis ranges."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.ticker import NullLocator

from lumipipe.reporting.figures.canvas import linear_ticks, log_ticks

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

# At most three points a block: lowest, highest and a gap.
_BLOCKS = 600
_FEW = 40
_LOG_ROOM = 1.1  # a tenth beyond both ends of a logarithmic axis


def floats(values: Sequence[float | None]) -> Floats:
    """`values`, float64; NaN where there is none."""
    return np.asarray([np.nan if value is None else value for value in values], dtype=np.float64)


def decimated(x: Floats, y: Floats, blocks: int = _BLOCKS) -> tuple[Floats, Floats]:
    """Lowest and highest point of each block of `y`, in order; short series are not changed.

    Parameters
    ----------
    x, y : ndarray, shape (n,), float64
        The series; NaN in `y` is a gap.
    blocks : int
        Number of blocks of about equal length.

    Returns
    -------
    tuple of ndarray, float64
        At most ``3 * blocks`` points. Every block with a gap keeps one.
    """
    if len(y) <= 3 * blocks:
        return x, y
    kept: list[int] = []
    edges = np.linspace(0, len(y), blocks + 1).astype(np.int64)
    for start, stop in pairwise(edges.tolist()):
        part = y[start:stop]
        gaps = np.flatnonzero(np.isnan(part))
        chosen = set(gaps[:1].tolist())
        if len(gaps) < len(part):
            chosen |= {int(np.nanargmin(part)), int(np.nanargmax(part))}
        kept.extend(start + i for i in sorted(chosen))
    return x[kept], y[kept]


def draw_series(axes: Axes, x: Floats, y: Floats, colour: str, width: float = 0.9) -> None:
    """Draw `y` over `x`; single points between gaps, and all points of a short series, as dots."""
    x, y = decimated(x, y)
    axes.plot(x, y, color=colour, linewidth=width, solid_joinstyle="round", zorder=3)
    there = np.isfinite(y)
    alone = there.copy()
    if len(y) > _FEW:
        alone[1:] &= ~there[:-1]
        alone[:-1] &= ~there[1:]
    if np.any(alone):
        axes.plot(x[alone], y[alone], "o", color=colour, markersize=2.6, zorder=3)


def above_zero(y: Floats) -> tuple[Floats, int]:
    """`y` with gaps where a logarithmic axis shows nothing, and how many values that hides."""
    hidden = y <= 0
    return np.where(hidden, np.nan, y), int(np.sum(hidden))


def set_x(axes: Axes, x: Floats, *, log: bool = False) -> None:
    """Range and ticks of the x axis over `x`."""
    if log:
        lowest, highest = float(x.min()) / _LOG_ROOM, float(x.max()) * _LOG_ROOM
        axes.set_xscale("log")
        axes.set_xlim(lowest, highest)
        locator, formatter = log_ticks(lowest, highest)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(formatter)
        axes.xaxis.set_minor_locator(NullLocator())
        return
    lowest, highest = _range(x)
    room = 0.015 * (highest - lowest) if len(x) <= _FEW else 0.0  # dots need room, lines do not
    axes.set_xlim(lowest - room, highest + room)
    locator, formatter = linear_ticks(6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)


def set_y(
    axes: Axes,
    y: Floats,
    others: Iterable[float] = (),
    *,
    log: bool = False,
    headroom: bool = False,
) -> None:
    """Range and ticks of the y axis over `y` and `others`, with room and `headroom` for a strip."""
    above = 0.14 if headroom else 0.06
    shown = np.concatenate([y[np.isfinite(y)], np.asarray(list(others), dtype=np.float64)])
    if log:
        lowest, highest = _range(np.log10(shown[shown > 0]))
        span = highest - lowest
        bottom, top = 10 ** (lowest - 0.06 * span), 10 ** (highest + above * span)
        axes.set_yscale("log")
        axes.set_ylim(bottom, top)
        locator, formatter = log_ticks(bottom, top)
        axes.yaxis.minorticks_off()
    else:
        lowest, highest = _range(shown)
        span = highest - lowest
        # amplitudes, distances and errors start at zero, and the axis with them
        starts_at_zero = bool(np.all(shown >= 0)) and lowest < 0.5 * highest
        axes.set_ylim(0.0 if starts_at_zero else lowest - 0.06 * span, highest + above * span)
        locator, formatter = linear_ticks(5)
    axes.yaxis.set_major_locator(locator)
    axes.yaxis.set_major_formatter(formatter)


def _range(values: Floats) -> tuple[float, float]:
    there = values[np.isfinite(values)]
    if there.size == 0:
        return 0.0, 1.0
    lowest, highest = float(np.min(there)), float(np.max(there))
    if lowest == highest:
        half = 0.5 * abs(lowest) or 0.5
        return lowest - half, highest + half
    return lowest, highest
