"""Control charts: one series or several over a common x axis, with limits, spans and alarms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.transforms import blended_transform_factory

from lumipipe.reporting.figures.canvas import (
    BLUE,
    DASHES,
    POINTS_PER_INCH,
    PURPLE,
    SERIES,
    SHADE,
    SMALL,
    VERMILLION,
    draw_legend,
    in_lines,
    legend_rows,
    one_line,
    shortened,
    style_axes,
    svg,
    text_width,
)
from lumipipe.reporting.figures.labels import rows
from lumipipe.reporting.figures.series import (
    above_zero,
    draw_series,
    floats,
    set_x,
    set_y,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from lumipipe.reporting.figures.declared import Chart, Limit, Panel, Span
    from lumipipe.reporting.figures.series import Floats
    from lumipipe.reporting.words import Words

_ROW = 11.0  # points
_PANEL_IN = {1: 2.0, 2: 1.2}
_LEAST_PANEL_IN = 1.0  # of three and more: text and figure then share a printed page
_AXES = 0.9  # of the height of a panel
_DOT: dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 2.8,
    "markerfacecolor": "none",
    "markeredgecolor": VERMILLION,
    "markeredgewidth": 0.9,
}
_HATCHES = ("", "////", "\\\\\\\\", "xx", "||")


def chart(figure: Chart, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    panels = figure.stacked()
    legend = legend_rows(list(_legend(panels, words)))
    label_rows = len({one_line(span.label) for span in figure.spans})  # an upper bound
    height = 0.5 + len(panels) * _PANEL_IN.get(len(panels), _LEAST_PANEL_IN)
    return svg(
        lambda canvas: _draw(canvas, figure, panels, words),
        height_in=round(height + 0.18 * legend + min(label_rows, 3) * 0.1, 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
    )


def _draw(canvas: Canvas, figure: Chart, panels: list[Panel], words: Words) -> None:
    grid = canvas.subplots(len(panels), sharex=True, squeeze=False)
    stack: list[Axes] = list(grid[:, 0])
    x = floats(figure.x)
    styles = _limit_styles(panels)
    room = _AXES * POINTS_PER_INCH * _PANEL_IN.get(len(panels), _LEAST_PANEL_IN)
    for axes, panel in zip(stack, panels, strict=True):
        axes.set_ylabel(in_lines(panel.y_label, room))
    notes = [
        _draw_panel(axes, x, panel, styles, words)
        for axes, panel in zip(stack, panels, strict=True)
    ]
    set_x(stack[0], x, log=figure.log_x)
    hatches = _span_styles(figure.spans)
    for axes in stack:
        _draw_spans(axes, figure.spans, hatches)
    stack[-1].set_xlabel("\n".join([one_line(figure.x_label), *filter(None, notes)]))
    canvas.align_ylabels(stack)
    entries = list(_legend(panels, words).values())
    draw_legend(canvas, entries)
    canvas.draw_without_rendering()  # the width of the axes decides where labels go
    _draw_span_labels(stack[0], figure.spans)


def _draw_panel(
    axes: Axes, x: Floats, panel: Panel, styles: dict[tuple[str, str], int], words: Words
) -> str:
    style_axes(axes)
    y = floats(panel.y)
    positive, hidden = above_zero(y)
    log = panel.log_y and hidden < len(y)
    shown = positive if log else y
    drawn = [limit for limit in panel.limits if limit.value > 0 or not log]
    dots = _dots(panel, log=log)
    others = [*(limit.value for limit in drawn), *dots[np.isfinite(dots)].tolist()]
    others += [value for value in panel.shows or () if value > 0 or not log]
    set_y(axes, shown, others, log=log, headroom=bool(panel.alarms))
    draw_series(axes, x, shown, SERIES, width=0.7)
    if dots.size:
        axes.plot(x, dots, **_DOT, zorder=4)
    for limit in drawn:
        colour, dashes = _look(limit, styles)
        axes.axhline(limit.value, color=colour, ls=dashes, lw=1.3, zorder=4)
    if panel.alarms:
        places = _apart(x[np.asarray(panel.alarms, dtype=np.int64)], x)
        axes.add_line(_alarms(places.tolist(), axes=axes))
    if not np.any(np.isfinite(shown)) and not np.any(np.isfinite(dots)):
        axes.text(0.5, 0.5, words["no_data"], ha="center", va="center", transform=axes.transAxes)
    return words["not_drawn_log"].format(count=hidden) if log and hidden else ""


def _dots(panel: Panel, *, log: bool) -> Floats:
    """Values of the second series that can be drawn; none where there is no such series."""
    dots = floats(panel.dots or [])
    return above_zero(dots)[0] if log else dots


def _alarms(places: list[float], axes: Axes | None = None, label: str = "") -> Line2D:
    """Return ticks in a strip along the top: on the series, many alarms would hide it."""
    line = Line2D(
        places,
        [0.96] * len(places),
        linestyle="none",
        marker="|",
        markersize=5.0,
        markeredgecolor=VERMILLION,
        markeredgewidth=0.9,
        zorder=5,
        label=label,
    )
    if axes is not None:
        line.set_transform(blended_transform_factory(axes.transData, axes.transAxes))
    return line


def _apart(places: Floats, x: Floats) -> Floats:
    """`places` without those that fall on the same spot of the drawing."""
    width = float(np.ptp(x)) or 1.0
    _, first = np.unique(np.round((places - np.min(x)) / width * 300), return_index=True)
    return places[first]


def _limit_styles(panels: list[Panel]) -> dict[tuple[str, str], int]:
    names = dict.fromkeys((limit.style, limit.label) for panel in panels for limit in panel.limits)
    return {name: i % len(DASHES) for i, name in enumerate(names)}


def _look(
    limit: Limit, styles: dict[tuple[str, str], int]
) -> tuple[str, tuple[int, tuple[float, ...]]]:
    return PURPLE if limit.style == "empirical" else BLUE, DASHES[
        styles[(limit.style, limit.label)]
    ]


def _legend(panels: list[Panel], words: Words) -> dict[str, Line2D]:
    styles = _limit_styles(panels)
    # one of a label needs no word to be told from the other
    other = {"theoretical": "empirical", "empirical": "theoretical"}
    entries: dict[str, Line2D] = {}
    for limit in (limit for panel in panels for limit in panel.limits):
        colour, dashes = _look(limit, styles)
        label = shortened(limit.label, 26)
        if limit.style not in other or (other[limit.style], limit.label) in styles:
            label = f"{label} ({words[limit.style]})"
        entries[label] = Line2D([], [], color=colour, ls=dashes, lw=1.2, label=label)
    for panel in panels:
        if panel.dots is not None and panel.line_label and panel.dots_label:
            line, dots = shortened(panel.line_label, 26), shortened(panel.dots_label, 26)
            entries[line] = Line2D([], [], color=SERIES, lw=1.0, label=line)
            entries[dots] = Line2D([], [], **_DOT, label=dots)
    if any(panel.alarms for panel in panels):
        entries["alarm"] = _alarms([], label=words["alarm"])
    return entries


def _span_styles(spans: list[Span]) -> dict[str, str]:
    return {
        label: _HATCHES[i % len(_HATCHES)]
        for i, label in enumerate(dict.fromkeys(span.label for span in spans))
    }


def _draw_spans(axes: Axes, spans: list[Span], hatches: dict[str, str]) -> None:
    for span in spans:
        hatch = hatches[span.label]
        axes.axvspan(
            span.start,
            span.stop,
            facecolor="none" if hatch else SHADE,
            edgecolor="#c4c4c4",
            hatch=hatch or None,
            linewidth=0.5,
            zorder=0,
        )


def _draw_span_labels(axes: Axes, spans: list[Span]) -> None:
    room = axes.get_window_extent().width / axes.figure.dpi * POINTS_PER_INCH
    left, right = axes.get_xlim()
    seen = [span for span in spans if span.stop >= left and span.start <= right]
    texts = [shortened(span.label) for span in seen]
    middles = [(max(s.start, left) + min(s.stop, right)) / 2 for s in seen]
    places = rows(
        [(middle - left) / (right - left) * room for middle in middles],
        [text_width(text) + SMALL / 2 for text in texts],
        room,
    )
    top = blended_transform_factory(axes.transAxes, axes.transAxes)
    for text, (centre, row) in zip(texts, places, strict=True):
        axes.annotate(
            text,
            (centre / room, 1.0),
            xycoords=top,
            xytext=(0, 3 + row * _ROW),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=SMALL,
        )
