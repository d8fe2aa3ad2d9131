"""Horizontal bars, with a second series in a panel of its own beside the first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.reporting.figures.canvas import (
    BLUE,
    INK,
    POINTS_PER_INCH,
    SMALL,
    linear_ticks,
    one_line,
    shortened,
    style_axes,
    svg,
)
from lumipipe.reporting.figures.intervals import MOST_ROWS
from lumipipe.reporting.figures.series import floats
from lumipipe.reporting.numbers import NOT_AVAILABLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from lumipipe.reporting.figures.declared import Bars, Numbers
    from lumipipe.reporting.words import Words

_ROW = 14.0  # points


def bars(figure: Bars, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    shown = min(len(figure.labels), MOST_ROWS)
    return svg(
        lambda canvas: _draw(canvas, figure, shown, words),
        height_in=round(0.75 + max(shown, 2) * _ROW / POINTS_PER_INCH, 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
    )


def _draw(canvas: Canvas, figure: Bars, shown: int, words: Words) -> None:
    series = [(figure.values, figure.x_label, BLUE, "")]
    if figure.second is not None:
        series.append((figure.second, figure.second_label or figure.x_label, "white", "////"))
    grid = canvas.subplots(1, len(series), sharey=True, squeeze=False)
    for axes, (values, label, colour, hatch) in zip(grid[0], series, strict=True):
        style_axes(axes, grid="x")
        _draw_bars(axes, values[:shown], colour, hatch)
        axes.set_xlabel(one_line(label))
        axes.tick_params(axis="y", length=0)
        if not shown:
            axes.set_xticks([])
            axes.text(
                0.5, 0.5, words["no_data"], ha="center", va="center", transform=axes.transAxes
            )
    first = grid[0][0]
    first.set_yticks(range(shown), [shortened(label) for label in figure.labels[:shown]])
    first.set_ylim(max(shown, 1) - 0.5, -0.5)
    if len(figure.labels) > shown:
        note = words["rows_drawn"].format(shown=shown, count=len(figure.labels))
        first.set_xlabel(f"{first.get_xlabel()}\n{note}")


def _draw_bars(axes: Axes, values: Numbers, colour: str, hatch: str) -> None:
    y = floats(values)
    there = np.isfinite(y)
    places = np.arange(len(y))
    axes.barh(
        places[there], y[there], height=0.66, facecolor=colour, ec=INK, lw=0.6, hatch=hatch or None
    )
    axes.axvline(0.0, color=INK, lw=0.7)
    for place in places[~there]:
        axes.annotate(
            NOT_AVAILABLE,
            (0.0, place),
            xytext=(3, 0),
            textcoords="offset points",
            va="center",
            fontsize=SMALL,
        )
    locator, formatter = linear_ticks(4)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
