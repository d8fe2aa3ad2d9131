"""Raw readings around a case, as a figure: from the stored data, without any filter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.pages.cases import KINDS
from lumipipe.families.pages.contributions import leading_channels
from lumipipe.families.pages.streams import stream_of
from lumipipe.families.row_axis import row_axis
from lumipipe.language import say, say_count
from lumipipe.reporting.figures.declared import Chart, Panel, Span
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.pages.cases import Cases
    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.row_axis import RowAxis
    from lumipipe.store.dataset import ChannelRow, StreamTable

_AROUND, _MOST_ROWS, _MOST_PANELS = 30, 1200, 3
_PLACES = frozenset({"latitude", "longitude", "position", "distance", "altitude"})
"""Quantities that are never drawn: they tell where somebody was."""


def example_sections(subject: Subject, cases: Cases) -> tuple[list[Section], list[str]]:
    """A figure of the median case of each kind, and what is said of kinds that did not occur.

    Parameters
    ----------
    subject : Subject
        The judged request.
    cases : Cases
        Its cases.

    Returns
    -------
    tuple of list
        One section with the figures; one sentence a kind.
    """
    figures, sentences = [], []
    for number, kind in enumerate(KINDS):
        count, place = cases.count(number), cases.median(number)
        meaning = cases.meanings[kind]
        if place is None:
            sentences.append(
                say("No {kind} occurred ({meaning}).", kind=say(kind), meaning=meaning)
            )
            continue
        sentences.append(
            say_count(
                "{kind}, once: {meaning}.",
                "{kind}, {n} times: {meaning}.",
                n=count,
                kind=say(kind),
                meaning=meaning,
            )
        )
        figures.append(_figure(subject, cases, kind, place))
    if not figures:
        return [], sentences
    paragraph = say(
        "Raw readings as they are stored, without any filter. Shown is of each kind the case with "
        "the median score, so that neither the best nor the worst stands for all."
    )
    title = say("A hit, a miss and a false alarm in the raw data")
    return [Section(title=title, paragraphs=[paragraph], figures=figures)], sentences


def _figure(subject: Subject, cases: Cases, kind: str, place: int) -> Chart:
    """The rows around a case."""
    names = [row.id for row in subject.job.dataset.recordings]
    recording = names.index(str(cases.recording[place]))
    table = stream_of(subject, recording)
    row, length = int(cases.row[place]), cases.length
    first, stop = _around(row, length, int(table.rows[recording]))
    begin = int(table.first_row[recording])
    values = np.asarray(table.read_rows(begin + first, begin + stop), dtype=np.float64)
    led = leading_channels(subject, table, recording, row)
    channels = _channels(table, led)
    axis = row_axis(table, recording, first, stop)
    panels = [_panel(subject, table.channels[n], values[:, n], axis) for n in channels]
    kind_words = say(kind)
    meaning = cases.meanings[kind]
    caption = say("{meaning}.", meaning=meaning[:1].upper() + meaning[1:])
    drawn = table.channels[channels[0]].name
    caption += " " + (
        say("Leading channel: {leader}.", leader=drawn)
        if led
        else say("No channel leads; drawn from the first: {leader}.", leader=drawn)
    )
    # What the case covers, as far as it is drawn.
    last = len(axis.x) - 1
    inside = (min(max(row - first, 0), last), min(row + length - 1 - first, last))
    return Chart(
        kind="chart",
        title=say(
            "{kind}: {recording}, from row {row}",
            kind=kind_words[:1].upper() + kind_words[1:],
            recording=names[recording],
            row=row,
        ),
        caption=caption,
        alt=say(
            "Raw readings of {channels} around row {row}.",
            channels=", ".join(table.channels[n].name for n in channels),
            row=row,
        ),
        x=axis.drawn_x(),
        # No calendar: of a person it would tell when they were where.
        x_label=say("{unit} from row {first}", unit=axis.unit, first=first)
        if axis.unit
        else axis.label,
        spans=[Span(start=axis.x[inside[0]], stop=axis.x[inside[1]], label=kind_words)]
        if 0 < length < stop - first
        else [],
        panels=panels,
    )


def _around(row: int, length: int, rows: int) -> tuple[int, int]:
    """First row to draw and the one after the last: the case with as much on both sides."""
    if length > _MOST_ROWS:
        return row, min(rows, row + _MOST_ROWS)
    beside = max(_AROUND, length // 2)
    if length == 0:  # a whole recording: its first rows
        return 0, min(rows, _MOST_ROWS)
    return max(0, row - beside), min(rows, row + length + beside)


def _channels(table: StreamTable, led: list[str]) -> list[int]:
    """Numbers of the channels that are drawn: those that lead the alarm first."""
    may = [n for n, c in enumerate(table.channels) if c.quantity not in _PLACES]
    names = [channel.name for channel in table.channels]
    first = [names.index(name) for name in led]
    ordered = [n for n in first if n in may] + [n for n in may if n not in first]
    return ordered[:_MOST_PANELS]


def _panel(
    subject: Subject, channel: ChannelRow, values: NDArray[np.float64], axis: RowAxis
) -> Panel:
    """Readings of a channel; of persons in standard deviations: no figure of one is told."""
    label = {
        "1": channel.name,
        "unknown": say("{name} (unit unknown)", name=channel.name),
    }.get(channel.unit, f"{channel.name}, {channel.unit}")
    if subject.is_of_persons:
        known = values[np.isfinite(values)]
        spread = float(known.std()) if len(known) else 0.0
        middle = float(known.mean()) if len(known) else 0.0
        values = (values - middle) / (spread if spread > 0.0 else 1.0)
        label = say("{name}, standardised", name=channel.name)
    return Panel(y=axis.drawn(values), y_label=label)
