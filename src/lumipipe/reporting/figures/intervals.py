"""Estimates with their intervals, one a row, against a reference or a band."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lumipipe.language import say
from lumipipe.reporting.figures.canvas import (
    BLUE,
    INK,
    POINTS_PER_INCH,
    PURPLE,
    SHADE,
    SMALL,
    VERMILLION,
    draw_legend,
    linear_ticks,
    one_line,
    shortened,
    style_axes,
    svg,
)
from lumipipe.reporting.numbers import NOT_AVAILABLE, rounded

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from lumipipe.reporting.figures.declared import IntervalRow, Intervals
    from lumipipe.reporting.words import Words

MOST_ROWS = 40
# Where an interval lies against the reference; the shape tells it without colour.
_LOOKS = {"around": (BLUE, "o"), "below": (VERMILLION, "v"), "above": (PURPLE, "^")}
_ROW = 12.5  # points


def intervals(figure: Intervals, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    rows = figure.rows[:MOST_ROWS]
    return svg(
        lambda canvas: _draw(canvas, figure, rows, words),
        height_in=round(0.95 + max(len(rows), 2) * _ROW / POINTS_PER_INCH, 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
    )


def _draw(canvas: Canvas, figure: Intervals, rows: list[IntervalRow], words: Words) -> None:
    axes = canvas.subplots()
    style_axes(axes, grid="x")
    axes.set_yticks(range(len(rows)), [_label(row) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    sides = [_draw_row(axes, place, row, figure) for place, row in enumerate(rows)]
    entries: list[Line2D | Patch] = []
    if figure.band is not None:
        axes.axvspan(figure.band.lower, figure.band.upper, color=SHADE, zorder=0)
        entries.append(Patch(color=SHADE, label=shortened(figure.band.label, 30)))
    if figure.reference is not None:
        axes.axvline(figure.reference.value, color=INK, ls=(0, (5, 2)), lw=0.9, zorder=1)
        text = shortened(figure.reference.label, 30)
        if not any(character.isdigit() for character in text):
            text = f"{text} {rounded(figure.reference.value)}"
        entries.append(Line2D([], [], color=INK, ls=(0, (5, 2)), lw=0.9, label=text))
    entries += [
        _mark([], [], side, label=words[side]) for side in ("below", "above") if side in sides
    ]
    draw_legend(canvas, entries)
    locator, formatter = linear_ticks(6)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(formatter)
    axes.margins(x=0.06)
    note = words["rows_drawn"].format(shown=len(rows), count=len(figure.rows))
    notes = [note] if len(figure.rows) > len(rows) else []
    axes.set_xlabel("\n".join([one_line(figure.x_label), *notes]))
    if not any(row.value is not None for row in rows):
        axes.set_xticks([])
        axes.text(0.5, 0.5, words["no_data"], ha="center", va="center", transform=axes.transAxes)


def _label(row: IntervalRow) -> str:
    text = shortened(row.label, 30)
    if row.value is None:
        return f"{text}: {say(NOT_AVAILABLE)}"
    return text if row.count is None else f"{text} (n = {rounded(row.count)})"


def _draw_row(axes: Axes, place: int, row: IntervalRow, figure: Intervals) -> str:
    """Draw one row; return where its interval lies."""
    side = _side(row, figure)
    if row.value is not None:
        ends = [end for end in (row.lower, row.upper) if end is not None]
        drawn = [min([row.value, *ends]), max([row.value, *ends])]
        colour = _LOOKS[side][0]
        axes.plot(drawn, [place, place], color=colour, lw=1.2, zorder=2)
        axes.plot(ends, [place] * len(ends), "|", color=colour, ms=5, zorder=2)
        axes.add_line(_mark([row.value], [place], side))
    return side


def _side(row: IntervalRow, figure: Intervals) -> str:
    if row.lower is None or row.upper is None:
        return "around"
    ends = [figure.reference.value] * 2 if figure.reference is not None else []
    if figure.band is not None:
        ends = [figure.band.lower, figure.band.upper]
    if not ends:
        return "around"
    if row.upper < ends[0]:
        return "below"
    return "above" if row.lower > ends[1] else "around"


def _mark(x: list[float], y: list[float], side: str, label: str = "") -> Line2D:
    colour, marker = _LOOKS[side]
    return Line2D(
        x,
        y,
        color=colour,
        marker=marker,
        markersize=0.65 * SMALL,
        markerfacecolor=colour if side == "around" else "white",
        linewidth=1.2,
        zorder=3,
        label=label,
    )
