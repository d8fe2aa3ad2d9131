"""A spectrum with its expected lines as narrow bands whose labels do not overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from lumipipe.reporting.figures.canvas import (
    COLOURS,
    DASHES,
    INK,
    POINTS_PER_INCH,
    SHADE,
    SMALL,
    WIDTH_IN,
    draw_legend,
    legend_rows,
    one_line,
    shortened,
    style_axes,
    svg,
    text_width,
)
from lumipipe.reporting.figures.labels import spread, that_fit
from lumipipe.reporting.figures.series import above_zero, draw_series, floats, set_x, set_y

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from lumipipe.reporting.figures.declared import Line, Spectrum
    from lumipipe.reporting.words import Words

_AXES_IN = 2.3
_LEADER = 10.0  # points between the axes and the labels
_FARTHEST = 22.0  # points; a label farther from its line is not recognised as its own
_ROOM = WIDTH_IN * POINTS_PER_INCH - 60.0  # points; what the y axis leaves, at the least


class _Labels(NamedTuple):
    lines: list[Line]
    upright: bool
    hidden: int


def spectrum(figure: Spectrum, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    labels = _labels(_inside(figure), figure)
    longest = max((text_width(shortened(line.label)) for line in labels.lines), default=0.0)
    above = _LEADER + (longest if labels.upright else SMALL) if labels.lines else 0.0
    names = [shortened(group) for group in _styles(_inside(figure)) if group]
    below = legend_rows([*names, words["band"]] if figure.band else names)
    return svg(
        lambda canvas: _draw(canvas, figure, labels, words),
        height_in=round(_AXES_IN + above / POINTS_PER_INCH + 0.18 * below, 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
    )


def _inside(figure: Spectrum) -> list[Line]:
    if not figure.x:
        return []
    lowest, highest = min(figure.x), max(figure.x)
    return [line for line in figure.lines if lowest <= line.x <= highest]


def _labels(lines: list[Line], figure: Spectrum) -> _Labels:
    if not lines:
        return _Labels([], upright=False, hidden=0)
    left, width = min(figure.x), (max(figure.x) - min(figure.x)) or 1.0
    places = [(line.x - left) / width * _ROOM for line in lines]
    for upright in (False, True):
        widths = [_width(line, upright=upright) for line in lines]
        chosen = that_fit(places, widths, _ROOM, _FARTHEST)
        if len(chosen) == len(lines):
            break
    labelled = sorted((lines[i] for i in chosen), key=lambda line: line.x)
    return _Labels(labelled, upright, len(lines) - len(labelled))


def _width(line: Line, *, upright: bool) -> float:
    return 1.25 * SMALL if upright else text_width(shortened(line.label)) + SMALL


def _draw(canvas: Canvas, figure: Spectrum, labels: _Labels, words: Words) -> None:
    axes = canvas.subplots()
    style_axes(axes)
    notes = _draw_values(axes, figure, words)
    if labels.hidden:
        notes.append(words["not_labelled"].format(count=labels.hidden))
    axes.set_xlabel("\n".join([one_line(figure.x_label), *notes]))
    axes.set_ylabel(one_line(figure.y_label))
    styles = _styles(figure.lines)
    entries = _draw_lines(axes, _inside(figure), styles)
    if figure.band is not None:
        axes.axvspan(*figure.band, color=SHADE, linewidth=0, zorder=0)
        entries.append(Patch(facecolor=SHADE, edgecolor="#999999", label=words["band"]))
    draw_legend(canvas, entries)
    canvas.draw_without_rendering()  # the width of the axes decides where labels go
    _draw_labels(axes, labels, styles)


def _draw_values(axes: Axes, figure: Spectrum, words: Words) -> list[str]:
    x, y = floats(figure.x), floats(figure.y)
    positive, hidden = above_zero(y)
    log = figure.log_y and hidden < len(y)
    set_x(axes, x)
    set_y(axes, positive if log else y, log=log)
    draw_series(axes, x, positive if log else y, INK, width=0.8)
    return [words["not_drawn_log"].format(count=hidden)] if log and hidden else []


def _styles(lines: list[Line]) -> dict[str, int]:
    groups = dict.fromkeys(line.group for line in lines)
    return {group: i % len(DASHES) for i, group in enumerate(groups)}


def _draw_lines(axes: Axes, lines: list[Line], styles: dict[str, int]) -> list[Artist]:
    for line in lines:
        colour = COLOURS[styles[line.group]]
        if line.tolerance:
            start, stop = line.x - line.tolerance, line.x + line.tolerance
            axes.axvspan(start, stop, color=colour, alpha=0.25, linewidth=0, zorder=1)
        axes.axvline(line.x, color=colour, ls=DASHES[styles[line.group]], lw=0.7, zorder=1)
    drawn = dict.fromkeys(line.group for line in lines if line.group)
    return [
        Line2D(
            [],
            [],
            color=COLOURS[styles[group]],
            ls=DASHES[styles[group]],
            lw=1.2,
            label=shortened(group),
        )
        for group in drawn
    ]


def _draw_labels(axes: Axes, labels: _Labels, styles: dict[str, int]) -> None:
    room = axes.get_window_extent().width / axes.figure.dpi * POINTS_PER_INCH
    left, right = axes.get_xlim()
    places = [(line.x - left) / (right - left) for line in labels.lines]
    widths = [_width(line, upright=labels.upright) for line in labels.lines]
    centres = spread([place * room for place in places], widths, room)
    for line, place, centre in zip(labels.lines, places, centres, strict=True):
        colour = COLOURS[styles[line.group]]
        axes.annotate(
            shortened(line.label),
            (place, 1.0),
            xycoords="axes fraction",
            xytext=(centre - place * room, _LEADER),
            textcoords="offset points",
            rotation=90 if labels.upright else 0,
            ha="center",
            va="bottom",
            fontsize=SMALL,
            arrowprops={
                "arrowstyle": "-",
                "color": colour,
                "lw": 0.6,
                "shrinkA": 0,
                "shrinkB": 0,
                "relpos": (0.5, 0.0),
            },
        )
