"""What rests on what: boxes one above the other, and under them columns that lead to the right.

Three columns of a phone's width hold words of some twenty letters; that is why what all columns
rest for stands above them and not beside.
"""

from __future__ import annotations

import textwrap
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.patches import FancyArrowPatch, Rectangle

from lumipipe.reporting.figures.canvas import (
    INK,
    POINTS_PER_INCH,
    SHADE,
    WIDTH_IN,
    one_line,
    shortened,
    svg,
)
from lumipipe.reporting.figures.labels import spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

    from lumipipe.reporting.figures.declared import Graph, Node
    from lumipipe.reporting.words import Words

# All lengths in points; a line of text is as high as 1.3 of its size.
_LINE, _PAD, _GAP, _BETWEEN, _BUS, _EDGE = 12.5, 4.0, 7.0, 14.0, 12.0, 2.0
_SIZE = 9.6  # a phone shows it in nearly as many pixels
_MOST_LINES = 3
_LETTER = 0.6 * _SIZE  # of the font that measures, on the wide side


class _Box(NamedTuple):
    """A box with its lines; y grows downwards."""

    x: float
    y: float
    width: float
    height: float
    lines: list[str]
    is_known: bool

    @property
    def middle(self) -> float:
        """Height of its middle."""
        return self.y + self.height / 2.0


def graph(figure: Graph, prefix: str, words: Words) -> str:
    """`figure` as inline SVG."""
    trunk, boxes, height = _placed(figure)
    return svg(
        lambda canvas: _draw(canvas, figure, trunk, boxes, height, words),
        height_in=round(max(height, 40.0) / POINTS_PER_INCH, 2),
        title=figure.title,
        alt=figure.alt,
        prefix=prefix,
    )


def _placed(figure: Graph) -> tuple[list[_Box], dict[str, _Box], float]:
    """Boxes of the trunk, boxes of the columns by id, and the height of all."""
    across = WIDTH_IN * POINTS_PER_INCH - 2.0 * _EDGE
    y, trunk = _EDGE, []
    for node in figure.trunk:
        lines = _lines(node, across)
        trunk.append(_Box(_EDGE, y, across, _height(lines), lines, node.is_known))
        y += trunk[-1].height + _BETWEEN
    if figure.layers:
        y += _LINE  # for the names of the columns
    count = max(1, len(figure.layers))
    width = (across - _BUS - (count - 1) * _BETWEEN) / count
    room = max((_total(layer, width) for layer in figure.layers), default=0.0)
    boxes: dict[str, _Box] = {}
    for number, layer in enumerate(figure.layers):
        x = _EDGE + _BUS + number * (width + _BETWEEN)
        boxes |= _column(figure, layer, boxes, (x, y, width, room))
    return trunk, boxes, y + room + _EDGE


def _column(
    figure: Graph,
    layer: Sequence[Node],
    boxes: dict[str, _Box],
    place: tuple[float, float, float, float],
) -> dict[str, _Box]:
    """Boxes of a column, each beside what rests on it."""
    x, y, width, room = place
    lines = {node.id: _lines(node, width) for node in layer}
    wanted = {}
    for number, node in enumerate(layer):
        beside = [boxes[a].middle - y for a, b in figure.links if b == node.id and a in boxes]
        wanted[node.id] = sum(beside) / len(beside) if beside else number * room / len(layer)
    ordered = sorted(layer, key=lambda node: wanted[node.id])
    heights = [_height(lines[node.id]) + _GAP for node in ordered]
    middles = spread([wanted[node.id] for node in ordered], heights, room)
    return {
        node.id: _Box(
            x,
            y + middle - (height - _GAP) / 2.0,
            width,
            height - _GAP,
            lines[node.id],
            node.is_known,
        )
        for node, middle, height in zip(ordered, middles, heights, strict=True)
    }


def _lines(node: Node, width: float) -> list[str]:
    """The text of a node in lines that fit."""
    letters = max(4, int((width - 2.0 * _PAD) / _LETTER))
    found = []
    for text in node.text:
        wrapped = textwrap.wrap(one_line(text), letters) or [""]
        if len(wrapped) > _MOST_LINES:
            rest = " ".join(wrapped[_MOST_LINES - 1 :])
            wrapped = [*wrapped[: _MOST_LINES - 1], shortened(rest, letters)]
        found += wrapped
    return found


def _height(lines: Sequence[str]) -> float:
    return len(lines) * _LINE + 2.0 * _PAD


def _total(layer: Sequence[Node], width: float) -> float:
    return sum(_height(_lines(node, width)) + _GAP for node in layer)


def _draw(
    canvas: Canvas,
    figure: Graph,
    trunk: list[_Box],
    boxes: dict[str, _Box],
    height: float,
    words: Words,
) -> None:
    canvas.set_layout_engine("none")  # all places are known
    axes = canvas.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_xlim(0.0, WIDTH_IN * POINTS_PER_INCH)
    axes.set_ylim(max(height, 40.0), 0.0)
    axes.set_axis_off()
    if not trunk and not boxes:
        axes.text(0.5, 0.5, words["no_data"], ha="center", va="center", transform=axes.transAxes)
    for upper, lower in pairwise(trunk):
        x = upper.x + upper.width / 2.0
        _arrow(axes, (x, lower.y), (x, upper.y + upper.height))
    first = [boxes[node.id] for node in figure.layers[0]] if figure.layers else []
    if trunk and first:
        _bus(axes, trunk[-1], first)
    for one, other in figure.links:
        a, b = boxes[one], boxes[other]
        _arrow(axes, (b.x, b.middle), (a.x + a.width, a.middle))
    for box in (*trunk, *boxes.values()):
        _box(axes, box)
    for name, layer in zip(figure.columns, figure.layers, strict=True):
        box = boxes[layer[0].id]
        top = min(boxes[node.id].y for layer in figure.layers for node in layer)
        letters = int(box.width / _LETTER)
        axes.text(box.x, top - 3.0, shortened(name, letters), size=_SIZE, weight="bold")


def _bus(axes: Axes, trunk: _Box, first: Sequence[_Box]) -> None:
    """A line from all boxes of the first column up to the trunk."""
    x = _EDGE + _BUS / 2.0 - 1.0
    lowest = max(box.middle for box in first)
    _arrow(axes, (x, lowest), (x, trunk.y + trunk.height))
    for box in first:
        axes.plot([x, box.x], [box.middle, box.middle], color=INK, lw=0.9)


def _arrow(axes: Axes, start: tuple[float, float], stop: tuple[float, float]) -> None:
    """An arrow to what rests on it."""
    axes.add_patch(
        FancyArrowPatch(
            start,
            stop,
            arrowstyle="-|>",
            mutation_scale=7,
            color=INK,
            lw=0.9,
            shrinkA=0.0,
            shrinkB=0.5,
            zorder=1,
        )
    )


def _box(axes: Axes, box: _Box) -> None:
    """A box with its text; what is not known has a broken line on grey."""
    axes.add_patch(
        Rectangle(
            (box.x, box.y),
            box.width,
            box.height,
            facecolor="white" if box.is_known else SHADE,
            edgecolor=INK,
            lw=0.8,
            ls="-" if box.is_known else (0, (3, 2)),
            zorder=2,
        )
    )
    for number, line in enumerate(box.lines):
        y = box.y + _PAD + (number + 0.5) * _LINE
        axes.text(box.x + _PAD, y, line, size=_SIZE, va="center", zorder=3)
