"""A digital calibration certificate, as lines for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.readers.compressed import shown
from lumipipe.readers.dcc import read_certificate
from lumipipe.readers.signatures import signature_words
from lumipipe.tasks.inspecting.figures import plain

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lumipipe.readers.dsi import Result

_HEADS = ("result", "unit", "points", "values", "U", "k", "probability")
_MOST_WORDS = 32  # of a name


def certificate_lines(file: Path, trust: Sequence[Path]) -> Iterator[str]:
    """What a certificate says: a head, its signature, a row for each of its results.

    Parameters
    ----------
    file : Path
        The certificate.
    trust : sequence of Path
        Files of trusted certificates and lists of revocations.

    Yields
    ------
    str
        Lines.

    Raises
    ------
    InputError
        As `read_certificate`.
    """
    told = read_certificate(file, trust)
    yield f"{shown(file)}: digital calibration certificate, schema {told.schema}"
    yield f"  sha256 {told.sha256[:12]}..."
    yield f"  {plain(told.id)}, by {plain(told.laboratory)}"
    again = f", to be calibrated again by {told.recalibrate}" if told.recalibrate else ""
    yield f"  calibrated {_span(str(told.first_day), str(told.last_day))}{again}"
    yield f"  instrument: {plain(', '.join(told.items)) or 'not identified'}"
    yield f"  {plain(signature_words(told.signature))}"
    rows = [_HEADS, *(_row(one) for one in told.results)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADS))]
    yield ""
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
    yield ""


def _row(result: Result) -> tuple[str, ...]:
    """A result as cells of the table."""
    probability = result.probability
    return (
        plain(result.kinds[0] if result.kinds else result.name)[:_MOST_WORDS],
        plain(result.unit),
        str(len(result.values)),
        _ends(result.values),
        _ends(result.expanded),
        _ends(result.k),
        "–" if probability is None else f"{probability:g}",
    )


def _ends(values: Sequence[float]) -> str:
    """The least and the greatest of numbers."""
    return _span(f"{min(values):.10g}", f"{max(values):.10g}") if values else "–"


def _span(first: str, last: str) -> str:
    return first if first == last else f"{first} to {last}"
