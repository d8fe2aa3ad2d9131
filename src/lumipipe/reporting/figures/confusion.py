"""Confusion matrices as small multiples: share by row as colour, counts where they fit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib import colors
from matplotlib.cm import ScalarMappable
from matplotlib.patches import Rectangle

from lumipipe.reporting.figures.canvas import (
    FONT_SIZE,
    INK,
    POINTS_PER_INCH,
    SMALL,
    WIDTH_IN,
    shortened,
    svg,
    text_width,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas
    from numpy.typing import NDArray

    from lumipipe.reporting.figures.declared import Confusion
    from lumipipe.reporting.words import Words

# One hue from white to dark, told apart in black and white too; fewer than 50 steps, because
# Matplotlib turns the scale of a finer one into a picture.
_SHARES = colors.LinearSegmentedColormap.from_list(
    "shares", ["#ffffff", "#7fb2d6", "#08306b"], N=40
)
_SMALLEST = 5.0  # points
_WHITE = {"facecolor": "white", "edgecolor": "none", "pad": 1.0}
_LONGEST = 20
_LARGEST_CELL = 44.0


def confusion(figure: Confusion, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    columns = _columns(figure)
    cell = _cell(figure, columns)
    lines = math.ceil(len(figure.panels) / columns)
    panel_height = cell * len(figure.labels) + 1.6 * FONT_SIZE
    height = lines * panel_height + _label_room(figure) + 62.0
    return svg(
        lambda canvas: _draw(canvas, figure, columns, words),
        height_in=round(max(height / POINTS_PER_INCH, 1.2), 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
        packed=True,
    )


def _columns(figure: Confusion) -> int:
    size = len(figure.labels)
    most = 1 if size > 9 else 2 if size > 4 else 3  # noqa: PLR2004 - what stays legible on a phone
    return max(1, min(most, len(figure.panels)))


def _label_room(figure: Confusion) -> float:
    return max((text_width(shortened(x, _LONGEST)) for x in figure.labels), default=0.0)


def _cell(figure: Confusion, columns: int) -> float:
    room = WIDTH_IN * POINTS_PER_INCH - _label_room(figure) - 30.0 - 8.0 * columns
    return min(room / columns / max(len(figure.labels), 1), _LARGEST_CELL)


def _draw(canvas: Canvas, figure: Confusion, columns: int, words: Words) -> None:
    lines = max(math.ceil(len(figure.panels) / columns), 1)
    grid = canvas.subplots(lines, columns, squeeze=False)
    cell = _cell(figure, columns)
    for i, axes in enumerate(grid.flat):
        if i >= len(figure.panels):
            axes.set_axis_off()
            continue
        panel = figure.panels[i]
        counts = np.asarray(panel.counts, dtype=np.int64).reshape((len(figure.labels),) * 2)
        _draw_matrix(axes, counts, cell, words)
        axes.set_title(shortened(panel.title, 10 + 50 // columns), pad=3)
        if i % columns == 0:
            axes.set_ylabel(words["true"])
        below = i + columns >= len(figure.panels)
        if below:
            axes.set_xlabel(words["predicted"])
        _label_axes(axes, figure.labels, left=i % columns == 0, below=below)
    bar = canvas.colorbar(
        ScalarMappable(colors.Normalize(0.0, 1.0), _SHARES),
        ax=list(grid.flat),
        location="top",
        aspect=40,
        shrink=min(1.0, 190.0 / (cell * columns * max(len(figure.labels), 1))),
        pad=0.02,
        ticks=[0.0, 0.5, 1.0],
        format=lambda x, _: f"{100 * x:.0f} %",
    )
    bar.set_label(words["share"], fontsize=SMALL)
    if bar.solids is not None:
        bar.solids.set_edgecolor("face")  # without it, viewers show hairlines between the steps


def _draw_matrix(axes: Axes, counts: NDArray[np.int64], cell: float, words: Words) -> None:
    size = counts.shape[0]
    totals = counts.sum(axis=1, keepdims=True)
    shares = counts / np.maximum(totals, 1)
    edges = np.arange(size + 1) - 0.5
    if size:
        axes.pcolormesh(
            edges, edges, shares, cmap=_SHARES, vmin=0.0, vmax=1.0, ec="#bbbbbb", lw=0.4
        )
    axes.set_aspect("equal")
    axes.set_xlim(-0.5, max(size, 1) - 0.5)
    axes.set_ylim(max(size, 1) - 0.5, -0.5)
    for i in range(size):
        if totals[i]:
            axes.add_patch(Rectangle((i - 0.5, i - 0.5), 1, 1, fill=False, ec=INK, lw=0.8))
        else:
            middle, size_of_text = (size - 1) / 2, min(SMALL, 0.7 * cell)
            axes.text(
                middle,
                i,
                words["no_cases"],
                ha="center",
                va="center",
                fontsize=size_of_text,
                bbox=_WHITE,
            )
    _print_counts(axes, counts, shares, cell)


def _print_counts(
    axes: Axes, counts: NDArray[np.int64], shares: NDArray[np.float64], cell: float
) -> None:
    digits = len(str(counts.max(initial=0)))
    size = min(SMALL, 0.9 * cell / (0.62 * max(digits, 1)), 0.7 * cell)
    if size < _SMALLEST:
        return
    for row, column in np.argwhere(counts > 0):
        light = shares[row, column] > 0.55  # noqa: PLR2004 - where white is the better contrast
        axes.text(
            column,
            row,
            str(counts[row, column]),
            ha="center",
            va="center_baseline",
            fontsize=size,
            color="white" if light else INK,
        )


def _label_axes(axes: Axes, labels: list[str], *, left: bool, below: bool) -> None:
    places = range(len(labels))
    texts = [shortened(label, _LONGEST) for label in labels]
    axes.set_xticks(places, texts if below else [""] * len(texts), rotation=90)
    axes.set_yticks(places, texts if left else [""] * len(texts))
    axes.tick_params(length=0, pad=3)
