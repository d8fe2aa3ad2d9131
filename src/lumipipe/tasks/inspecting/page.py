"""What was seen, as a page: tables and small plots; drawn by `lumipipe.reporting`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lumipipe.reporting.figures.declared import Chart, Column, Panel, Table
from lumipipe.reporting.page import Page, PageSection
from lumipipe.tasks.inspecting.figures import duration, file_name, plain, share, size
from lumipipe.tasks.inspecting.told import (
    clock_words,
    fault_words,
    options_text,
    refusals,
    remarks_of,
    title_of,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lumipipe.reporting.parts import Cell
    from lumipipe.tasks.inspecting.kinds import Kind
    from lumipipe.tasks.inspecting.seen import ChannelSeen, FileSeen, Refused, TableSeen

_MOST_PANELS = 6  # of a figure
_MOST_FIGURES = 3  # of a table
_MOST_TABLES = 12  # of a file
_MOST_ROWS = 500  # channels of a table, files of a kind
_UNITS_OF_TIME = ((2 * 86_400.0, 86_400.0, "d"), (2 * 3600.0, 3600.0, "h"), (300.0, 60.0, "min"))


def page_of(
    kinds: Sequence[Kind], refused: Sequence[Refused], copies: Sequence[str], request: str
) -> Page:
    """The page of an inspection.

    Parameters
    ----------
    kinds : sequence of Kind
        Files that were read.
    refused : sequence of Refused
        Files that were not.
    copies : sequence of str
        Sentences about files of one recording.
    request : str
        The skeleton.

    Returns
    -------
    Page
        The first file of each kind in full, the others in a table.
    """
    read = sum(len(kind.files) for kind in kinds)
    sections = [section for kind in kinds for section in _kind(kind)]
    if copies:
        sections.append(
            PageSection(title="The same recording more than once", paragraphs=list(copies))
        )
    if refused:
        sections.append(PageSection(title="Not read", paragraphs=refusals(refused)))
    sections.append(
        PageSection(
            title="A request to begin with",
            paragraphs=[
                'What is "?" only you can know; lumipipe request check names the next one.'
            ],
            text=request,
        )
    )
    left = f", {len(refused)} not read" if refused else ""
    return Page(
        label="lumipipe inspect",
        title="What is in the files",
        lead=f"{read} read{left}.",
        sections=sections,
    )


def _kind(kind: Kind) -> Iterator[PageSection]:
    """Sections of the files of one kind."""
    first = kind.files[0]
    yield PageSection(title=file_name(first.path), facts=_facts(first))
    for table in first.tables[:_MOST_TABLES]:
        yield _table(first, table)
    if len(kind.files) > 1:
        yield PageSection(title=f"{len(kind.files) - 1} more of this kind", figures=[_files(kind)])


def _facts(file: FileSeen) -> list[tuple[str, str]]:
    """What a file is."""
    read = options_text(file, 600) if file.read else ""
    found = [
        ("format", f"{file.format}, told by {file.told}"),
        ("size", size(file.nbytes)),
        ("SHA-256", file.sha256),
        ("read", read),
        ("looked at", file.sampled),
        *(("note", plain(word)) for word in file.words),
    ]
    return [(label, text) for label, text in found if text]


def _table(file: FileSeen, table: TableSeen) -> PageSection:
    """A recording: facts, channels, plots."""
    known = [item for item in table.channels if item.has_readings and item.role != "time"]
    remarks = [(label, plain(text)) for label, text in remarks_of(table)]
    figures: list[Table | Chart] = [_channels(table, known)] if known else []
    plotted = [item for item in known if item.sketch]
    last = min(len(plotted), _MOST_PANELS * _MOST_FIGURES)
    figures += [
        _plot(table, plotted[first : first + _MOST_PANELS])
        for first in range(0, last, _MOST_PANELS)
    ]
    return PageSection(
        title=title_of(file, table), facts=[*clock_words(table.clock), *remarks], figures=figures
    )


def _channels(table: TableSeen, known: list[ChannelSeen]) -> Table:
    """The channels as a table."""
    heads = [
        "channel",
        "quantity",
        "unit",
        "missing",
        "smallest",
        "median",
        "largest",
        "step",
        "type",
    ]
    rows: list[list[Cell]] = [
        [
            plain(item.name),
            item.meaning.quantity or "?",
            plain(item.meaning.unit or item.meaning.said or "?"),
            share(item.missing, item.rows),
            item.smallest,
            item.median,
            item.largest,
            item.step,
            item.kind,
        ]
        for item in known[:_MOST_ROWS]
    ]
    guessed = "A quantity may be guessed from name or unit; a unit never is."
    return Table(
        kind="table",
        title=f"Channels of {plain(table.name)}",
        caption=guessed if len(known) <= _MOST_ROWS else f"{guessed} The first {_MOST_ROWS}.",
        alt=f"{len(known)} channels with their figures.",
        columns=[Column(label=head) for head in heads],
        rows=rows,
    )


def _plot(table: TableSeen, channels: list[ChannelSeen]) -> Chart:
    """The courses of some channels."""
    parts = max(len(item.sketch) for item in channels)
    clock = table.clock
    length, unit = _scaled(clock.elapsed_s) if clock.elapsed_s else (float(table.rows), "row")
    x = [length * (at + half / 2) / parts for at in range(parts) for half in (0, 1)]
    names = ", ".join(plain(item.name) for item in channels)
    lasts = duration(clock.elapsed_s) if clock.elapsed_s else f"{table.rows} rows"
    return Chart(
        kind="chart",
        title=f"Course of {names}",
        caption=f"Least and largest reading of each of {parts} equal parts; a gap without any.",
        alt=f"Courses over {lasts}: "
        + "; ".join(
            f"{plain(item.name)} from {item.smallest:.4g} to {item.largest:.4g}"
            for item in channels
        ),
        x=x,
        x_label="row" if unit == "row" else f"time since the start ({unit})",
        panels=[
            Panel(
                y=[
                    None if part is None else value
                    for part in item.sketch
                    for value in part or (0.0, 0.0)
                ],
                y_label=_axis(item),
            )
            for item in channels
        ],
    )


def _axis(channel: ChannelSeen) -> str:
    """Name and unit of a panel."""
    unit = channel.meaning.unit or channel.meaning.said
    name = plain(channel.name)
    return f"{name[:18]} ({plain(unit)})" if unit else name[:24]


def _scaled(seconds: float) -> tuple[float, str]:
    """A duration in the unit that suits it."""
    for least, scale, unit in _UNITS_OF_TIME:
        if seconds >= least:
            return seconds / scale, unit
    return seconds, "s"


def _files(kind: Kind) -> Table:
    """The further files of a kind as a table."""
    rows: list[list[Cell]] = [
        [
            plain(file.path.name),
            plain(table.name),
            table.rows,
            table.clock.start or "",
            duration(table.clock.elapsed_s),
            table.clock.rate_hz,
            "; ".join(fault_words(table)),
        ]
        for file in kind.files[1:]
        for table in file.tables
    ]
    heads = ["file", "recording", "rows", "start", "lasts", "rate (Hz)", "to look at"]
    more = f" The first {_MOST_ROWS} of {len(rows)}; inspect.json has all."
    return Table(
        kind="table",
        title="Files with the same columns",
        caption="Measured rates." + (more if len(rows) > _MOST_ROWS else ""),
        alt=f"{len(rows)} recordings.",
        columns=[Column(label=head) for head in heads],
        rows=rows[:_MOST_ROWS],
    )
