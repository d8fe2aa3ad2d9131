"""What all drawings share: size, colours, axes, and the way from Matplotlib to clean SVG.

Nothing here knows a kind of figure. No pyplot: figures are objects and leave no global state.
"""

from __future__ import annotations

import io
import math
import re
import warnings
from itertools import combinations, pairwise
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib import ticker
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from lumipipe.language import localised
from lumipipe.reporting.numbers import rounded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

# 360 units across: on a phone 1 unit is about 1 px, on A4 and on a desk it is magnified.
WIDTH_IN = 5.0
POINTS_PER_INCH = 72
FONT_SIZE = 9.0
SMALL = 8.2

INK, SERIES, GRID, SHADE = "#222222", "#4d4d4d", "#dddddd", "#ececec"
# Okabe and Ito (2008), "Color universal design": told apart with any colour vision.
BLUE, VERMILLION, GREEN, PURPLE = "#0072B2", "#D55E00", "#009E73", "#AA4499"
COLOURS = (VERMILLION, BLUE, GREEN, PURPLE, INK)
DASHES: tuple[tuple[int, tuple[float, ...]], ...] = (
    (0, (5, 2)),
    (0, (1, 1.5)),
    (0, (7, 2, 1, 2)),
    (0, (3, 1, 1, 1, 1, 1)),
    (0, (10, 3)),
)
FONTS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", Arial, sans-serif'

_SVG = "http://www.w3.org/2000/svg"
_XLINK_HREF = "{http://www.w3.org/1999/xlink}href"
# Any: the type of the keys differs between versions of Matplotlib
_RC: dict[Any, Any] = {
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.labelsize": FONT_SIZE,
    "axes.linewidth": 0.7,
    "axes.titlesize": FONT_SIZE,
    "figure.facecolor": "white",
    # Measured with the font that Matplotlib brings, so that the layout is the same everywhere;
    # it is wider than the fonts of the stack, so that what fits here fits there.
    "font.family": ["DejaVu Sans"],
    "font.size": FONT_SIZE,
    "hatch.linewidth": 0.5,
    "legend.fontsize": SMALL,
    "path.simplify": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "lumipipe",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": INK,
    "xtick.labelsize": SMALL,
    "ytick.color": INK,
    "ytick.labelsize": SMALL,
}


def svg(
    draw: Callable[[Figure], None],
    *,
    height_in: float,
    title: str,
    alt: str,
    prefix: str,
    packed: bool = False,
) -> str:
    """What `draw` puts on an empty figure, as inline SVG with a text alternative.

    Parameters
    ----------
    draw : callable
        Takes a `matplotlib.figure.Figure` and draws on it.
    height_in : float, inch
        Height of the figure; its width is always the same.
    title, alt : str
        Name and text alternative.
    prefix : str
        Beginning of all ids.
    packed : bool, default False
        Whether square axes stand close together.

    Returns
    -------
    str
        One ``svg`` element. Notes: *Method*: fixed salt for ids, no date and no metadata, so
        that equal figures give equal bytes.
    """
    buffer = io.StringIO()
    # A character that the measuring font lacks is measured as a box; the reader's font has it.
    with mpl.rc_context(_RC), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from")
        figure = Figure(
            figsize=(WIDTH_IN, height_in), layout="compressed" if packed else "constrained"
        )
        FigureCanvasSVG(figure)
        draw(figure)
        figure.savefig(buffer, format="svg", metadata={"Date": None})
    return _clean(buffer.getvalue(), title=title, alt=alt, prefix=prefix)


def one_line(text: str) -> str:
    """`text` without line breaks and repeated blanks."""
    return " ".join(text.split())


def in_lines(text: str, room: float) -> str:
    r"""`text` in as few lines, three at most, as fit `room` points, cut at blanks and underscores.

    Examples
    --------
    >>> in_lines("fluid temperature, degC", 100.0)
    'fluid\ntemperature, degC'
    >>> in_lines("motor_temperature, degC", 75.0)
    'motor_\ntemperature,\ndegC'
    """
    pieces = re.findall(r"[^ _]*_+|[^ _]+ ?|_", one_line(text))
    best = [one_line(text)]
    for count in range(2, min(len(pieces), 3) + 1):
        if _widest(best) <= room:
            break
        ways = combinations(range(1, len(pieces)), count - 1)
        lines = min((_cut(pieces, way) for way in ways), key=_widest)
        best = lines if _widest(lines) < _widest(best) else best
    return "\n".join(best)


def _widest(lines: Sequence[str]) -> float:
    return max(text_width(line, FONT_SIZE) for line in lines)


def _cut(pieces: Sequence[str], places: Sequence[int]) -> list[str]:
    """Pieces joined to lines that begin at some of them."""
    edges = [0, *places, len(pieces)]
    return ["".join(pieces[start:stop]).strip() for start, stop in pairwise(edges)]


def shortened(text: str, longest: int = 24) -> str:
    """`text` on one line, with an ellipsis where it has more than `longest` characters."""
    text = one_line(text)
    return text if len(text) <= longest else text[: longest - 1].rstrip() + "…"


def text_width(text: str, size: float = SMALL) -> float:
    """Width of `text` in points, estimated on the wide side."""
    return 0.62 * size * len(text)


def legend_rows(labels: Sequence[str]) -> int:
    """How many rows the legend of `labels` takes."""
    return -(-len(labels) // _legend_columns(labels))


def _legend_columns(labels: Sequence[str]) -> int:
    # handle and gap take 32 points; a mean character is narrower than the widest ones
    widest = max((0.55 * SMALL * len(label) + 32.0 for label in labels), default=1.0)
    return max(1, min(int((WIDTH_IN * POINTS_PER_INCH - 8.0) // widest), 3))


def draw_legend(figure: Figure, entries: Sequence[Artist]) -> None:
    """Put a legend of `entries` below all axes, in as many columns as fit."""
    if entries:
        columns = _legend_columns([str(entry.get_label()) for entry in entries])
        figure.legend(handles=entries, loc="outside lower left", ncols=columns, frameon=False)


def style_axes(axes: Axes, *, grid: str = "y") -> None:
    """Give `axes` thin lines, a light grid along `grid` and no frame where nothing is read."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(length=3, width=0.7)
    axes.set_axisbelow(True)
    if grid in {"x", "y"}:
        (axes.xaxis if grid == "x" else axes.yaxis).grid(visible=True, color=GRID, linewidth=0.6)


def linear_ticks(count: int = 5) -> tuple[ticker.Locator, ticker.Formatter]:
    """Locator and formatter of a linear axis with about `count` ticks."""
    return ticker.MaxNLocator(nbins=count, steps=[1, 2, 2.5, 5, 10]), _TickText()


def log_ticks(lowest: float, highest: float) -> tuple[ticker.Locator, ticker.Formatter]:
    """Locator and formatter of a logarithmic axis that shows `lowest` to `highest`."""
    decades = math.log10(highest / lowest)
    subs = (1.0, 2.0, 5.0) if decades < 2.5 else (1.0,)  # noqa: PLR2004 - few decades, more ticks
    return ticker.LogLocator(subs=subs, numticks=6), _TickText()


class _TickText(ticker.Formatter):
    """Tick labels with as many decimals as their step needs, and a true minus sign."""

    def __call__(self, x: float, pos: int | None = None) -> str:  # noqa: ARG002 - Matplotlib's signature
        return rounded(float(f"{x:.9g}"), digits=6)

    def format_ticks(self, values: Sequence[float]) -> list[str]:
        texts = [self(value) for value in values]
        if any("×" in text for text in texts):
            return texts
        steps = [b - a for a, b in pairwise(values)]
        if not steps or max(steps) > 1.01 * min(steps):  # one tick, or a logarithmic axis
            return texts
        decimals = max(len(text.partition(localised("."))[2]) for text in texts)
        return [_padded(text, decimals) for text in texts]


def _padded(text: str, decimals: int) -> str:
    point = localised(".")
    whole, _, fraction = text.partition(point)
    return f"{whole}{point}{fraction:0<{decimals}}" if decimals else whole


def _clean(drawn: str, *, title: str, alt: str, prefix: str) -> str:
    root = ET.fromstring(drawn)  # noqa: S314 - written by Matplotlib a moment ago
    for metadata in root.findall(f"{{{_SVG}}}metadata"):
        root.remove(metadata)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", drawn))
    for element in root.iter():
        _clean_element(element, used, prefix)
    root.attrib = {
        "viewBox": root.attrib["viewBox"],
        "role": "img",
        "aria-labelledby": f"{prefix}-title {prefix}-desc",
        "font-family": FONTS.replace('"', "'"),
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", alt))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{prefix}-{tag}"})
        element.text = one_line(text)
        root.insert(place, element)
    _strip_blanks(root)
    return _without_prefixes(ET.tostring(root, encoding="unicode"))


def _clean_element(element: ET.Element, used: set[str], prefix: str) -> None:
    name = element.attrib.pop("id", None)
    if name in used:
        element.set("id", f"{prefix}-{name}")
    target = element.attrib.pop(_XLINK_HREF, None)
    if target is not None:
        element.set("href", f"#{prefix}-{target[1:]}")
    for key, value in element.attrib.items():
        if key == "d":
            value = re.sub(r"-?\d+\.\d{3,}", lambda m: f"{float(m[0]):.2f}", value)  # noqa: PLW2901
        value = value.replace("url(#", f"url(#{prefix}-")  # noqa: PLW2901
        # the family of the root is inherited; only size and weight stay with each text
        element.set(key, re.sub(r"'DejaVu Sans'[^;]*", FONTS.replace('"', "'"), value))


def _strip_blanks(root: ET.Element) -> None:
    for element in root.iter():
        if element.text is not None and not element.text.strip():
            element.text = None
        element.tail = None


def _without_prefixes(text: str) -> str:
    # ElementTree numbers its namespaces; HTML knows SVG without a prefix
    return re.sub(r"(</?)ns0:", r"\1", text).replace("xmlns:ns0=", "xmlns=", 1)
