"""The one way from a declared figure to its markup, whatever its kind."""

from __future__ import annotations

from lumipipe.reporting.figures.bars import bars
from lumipipe.reporting.figures.chart import chart
from lumipipe.reporting.figures.confusion import confusion
from lumipipe.reporting.figures.declared import (
    Bars,
    Chart,
    Confusion,
    Figure,
    Graph,
    Intervals,
    Spectrum,
    Table,
)
from lumipipe.reporting.figures.graph import graph
from lumipipe.reporting.figures.intervals import intervals
from lumipipe.reporting.figures.spectrum import spectrum
from lumipipe.reporting.figures.table import table
from lumipipe.reporting.words import WORDS, Words


def markup(figure: Figure, prefix: str = "figure", words: Words = WORDS) -> str:
    """`figure` as an inline SVG, or as an HTML table where it is one; the same bytes each time.

    Parameters
    ----------
    figure : Figure
        The figure as data.
    prefix : str, default "figure"
        Beginning of all ids in the markup, unique within a page.
    words : mapping of str to str
        The fixed words, see `lumipipe.reporting.words`.

    Returns
    -------
    str
        Well-formed XML without declaration, which names its text alternative.
    """
    match figure:
        case Spectrum():
            drawn = spectrum(figure, prefix, words)
        case Chart():
            drawn = chart(figure, prefix, words)
        case Confusion():
            drawn = confusion(figure, prefix, words)
        case Intervals():
            drawn = intervals(figure, prefix, words)
        case Bars():
            drawn = bars(figure, prefix, words)
        case Graph():
            drawn = graph(figure, prefix, words)
        case Table():
            drawn = table(figure, words)
    return drawn
