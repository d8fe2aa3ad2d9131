"""Figures as data: what a family declares. How each kind is drawn is in the file of its name."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from lumipipe.reporting.parts import Cell, Part, Sentence, Text

Numbers: TypeAlias = list[float | None]
MOST_NODES = 20
"""Nodes of a graph that are still read on a phone."""


class _Figure(Part):
    """What every figure has."""

    title: Sentence
    """What the figure shows."""
    caption: Sentence
    """What to see in it."""
    alt: Sentence
    """The figure in words, for those who do not see it."""


class Line(Part):
    """A place on the x axis where something is expected."""

    x: float
    """Where, in the unit of the x axis."""
    label: Sentence
    """Short name, such as BPFO 2x; where not all names fit, the first ones declared are printed."""
    group: Text = ""
    """Lines of one group are drawn alike and share one entry of the legend."""
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """Half-width of the band in which the line may be found, in the unit of the x axis."""


class Spectrum(_Figure):
    """A spectrum with the lines that are expected in it."""

    kind: Literal["spectrum"]
    x: list[float]
    """Frequency (or order) of each value, in the unit of `x_label`."""
    y: Numbers
    """Amplitude; null is a gap."""
    x_label: Sentence
    """Quantity and unit of the x axis."""
    y_label: Sentence
    """Quantity and unit of the y axis."""
    log_y: bool = False
    """Whether the y axis is logarithmic."""
    lines: list[Line] = []
    """Expected lines."""
    band: tuple[float, float] | None = None
    """Lowest and highest frequency that the analysis used."""

    @model_validator(mode="after")
    def _same_length(self) -> Spectrum:
        _check_lengths(x=self.x, y=self.y)
        return self


class Limit(Part):
    """A level with which a series is compared."""

    value: float
    """The level, in the unit of the y axis."""
    label: Sentence
    """Its name in the legend."""
    style: Literal["theoretical", "empirical", "declared"]
    """Whether the level comes from a distribution, the training data or the request."""


class Span(Part):
    """A stretch of the x axis with a name."""

    start: float
    """Where it begins, in the unit of the x axis."""
    stop: float
    """Where it ends."""
    label: Sentence
    """Its name, such as training or known fault."""


class Panel(Part):
    """One of several series over the same x axis."""

    y: Numbers
    """One value for each x of the chart; null is a gap."""
    y_label: Sentence
    """Quantity and unit of the y axis."""
    log_y: bool = False
    """Whether the y axis is logarithmic."""
    limits: list[Limit] = []
    """Levels drawn across the panel."""
    alarms: list[Annotated[int, Field(ge=0)]] = []
    """Positions in `y` at which an alarm was given."""
    shows: tuple[float, float] | None = None
    """Values that the y axis covers in any case, so that panels of several figures compare."""
    dots: Numbers | None = None
    """A second series in the unit of the first, drawn as dots; null where there is none."""
    line_label: Text = ""
    """What the line is, where dots are drawn."""
    dots_label: Text = ""
    """What the dots are."""

    @model_validator(mode="after")
    def _alarms_inside(self) -> Panel:
        if self.dots is not None:
            _check_lengths(y=self.y, dots=self.dots)
        if any(alarm >= len(self.y) for alarm in self.alarms):
            raise ValueError("an alarm lies after the last value; alarms are positions in y")
        return self


class Chart(_Figure):
    """One series, or several stacked ones, over a common x axis, with limits and alarms."""

    kind: Literal["chart"]
    x: list[float]
    """Place of each value on the x axis."""
    x_label: Sentence
    """Quantity and unit of the x axis."""
    log_x: bool = False
    """Whether the x axis is logarithmic; all of `x` are then above 0, and there are no spans."""
    y: Numbers | None = None
    """Values of a single series; null is a gap. Give this or `panels`."""
    y_label: Text = ""
    """Quantity and unit of the y axis of a single series."""
    log_y: bool = False
    """Whether the y axis of a single series is logarithmic."""
    limits: list[Limit] = []
    """Levels of a single series."""
    alarms: list[Annotated[int, Field(ge=0)]] = []
    """Positions in `y` of a single series at which an alarm was given."""
    spans: list[Span] = []
    """Named stretches of the x axis, such as the training part."""
    panels: list[Panel] = []
    """Several series, drawn one above the other."""

    @model_validator(mode="after")
    def _one_way(self) -> Chart:
        if (self.y is None) == (not self.panels):
            raise ValueError("give y (one series) or panels (several); one of the two")
        if self.log_x and (self.spans or min(self.x, default=1.0) <= 0.0):
            raise ValueError("a logarithmic x axis takes places above 0 and no spans")
        if self.panels and (self.limits or self.alarms or self.log_y or self.y_label):
            raise ValueError("y_label, log_y, limits and alarms belong into each panel")
        for panel in self.stacked():
            _check_lengths(x=self.x, y=panel.y)
        return self

    def stacked(self) -> list[Panel]:
        """The panels; a single series is a chart of one panel."""
        if self.y is None:
            return self.panels
        return [
            Panel(
                y=self.y,
                y_label=self.y_label or " ",
                log_y=self.log_y,
                limits=self.limits,
                alarms=self.alarms,
            )
        ]


class ConfusionPanel(Part):
    """One matrix of counts."""

    title: Text
    """What this matrix is about, such as a person or a method."""
    counts: list[list[Annotated[int, Field(ge=0)]]]
    """Row: true class; column: predicted class; both in the order of the labels."""


class Confusion(_Figure):
    """Counts of true against predicted classes, one matrix a panel."""

    kind: Literal["confusion"]
    labels: list[Sentence]
    """Names of the classes; their order is kept."""
    panels: list[ConfusionPanel]
    """The matrices."""

    @model_validator(mode="after")
    def _square(self) -> Confusion:
        size = len(self.labels)
        for panel in self.panels:
            if [len(row) for row in panel.counts] != [size] * size:
                raise ValueError(f"counts must have {size} rows and columns, one for each label")
        return self


class IntervalRow(Part):
    """One estimate with its interval."""

    label: Sentence
    """What the estimate is about."""
    value: float | None
    """The estimate; null where it is not available."""
    lower: float | None = None
    """Lower end of the interval."""
    upper: float | None = None
    """Upper end of the interval."""
    count: int | None = None
    """Number of cases behind it."""


class Reference(Part):
    """The value with which the estimates are compared."""

    value: float
    """The value, in the unit of the x axis."""
    label: Sentence
    """Its name."""


class Band(Part):
    """The values that are allowed."""

    lower: float
    """Lowest value, in the unit of the x axis."""
    upper: float
    """Highest value."""
    label: Sentence
    """Its name in the legend."""


class Intervals(_Figure):
    """Estimates with intervals, one a row; the first 40 are drawn, so give the worst first."""

    kind: Literal["intervals"]
    rows: list[IntervalRow]
    """The estimates, in the order in which they are drawn."""
    reference: Reference | None = None
    """What they are compared with."""
    band: Band | None = None
    """Where they may lie; an interval wholly outside looks another way."""
    x_label: Sentence
    """Quantity and unit of the estimates."""


class Bars(_Figure):
    """One bar a label, and a second series beside it; the first 40 are drawn."""

    kind: Literal["bars"]
    labels: list[Sentence]
    """Names of the bars, in the order in which they are drawn."""
    values: Numbers
    """Length of each bar; null where it is not available."""
    second: Numbers | None = None
    """A second series, drawn in its own panel beside the first."""
    x_label: Sentence
    """Quantity and unit of the bars."""
    second_label: Text = ""
    """Quantity and unit of the second series; that of the first where empty."""

    @model_validator(mode="after")
    def _same_length(self) -> Bars:
        _check_lengths(labels=self.labels, values=self.values)
        if self.second is not None:
            _check_lengths(labels=self.labels, second=self.second)
        return self


class Node(Part):
    """A box of a graph."""

    id: Text
    """Name by which links know it."""
    text: list[Sentence]
    """What stands in it, line by line."""
    is_known: bool = True
    """Whether it is known; drawn another way where it is not."""


class Graph(_Figure):
    """What rests on what: a trunk from top to bottom, and columns that lead to the right.

    All nodes of the first column carry the lowest node of the trunk.
    """

    kind: Literal["graph"]
    trunk: list[Node] = []
    """Each rests on the next one."""
    columns: list[Sentence] = []
    """Names of the columns."""
    layers: list[list[Node]] = []
    """Nodes of each column, at least one, twenty in all at most."""
    links: list[tuple[Text, Text]] = []
    """A node and the one of a later column that it rests on."""

    @model_validator(mode="after")
    def _links_exist(self) -> Graph:
        _check_lengths(columns=self.columns, layers=[layer[0].id for layer in self.layers if layer])
        column = {node.id: number for number, layer in enumerate(self.layers) for node in layer}
        if len(column) + len(self.trunk) > MOST_NODES:
            raise ValueError(f"more than {MOST_NODES} nodes are not read; fold them")
        for one, other in self.links:
            if not column.get(one, len(self.columns)) < column.get(other, -1):
                raise ValueError(f"no link from {one} to {other}: they are not in this order")
        return self


class Column(Part):
    """A column of a table."""

    label: Sentence
    """What stands in it."""
    unit: Text | None = None
    """Unit of its numbers."""


class Table(_Figure):
    """A table."""

    kind: Literal["table"]
    columns: list[Column]
    """What stands in each column."""
    rows: list[list[Cell]]
    """The cells, row by row; a number may come with its interval, which sets its digits."""

    @model_validator(mode="after")
    def _full_rows(self) -> Table:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"each row must have {len(self.columns)} cells, one for each column")
        return self


Figure: TypeAlias = Annotated[
    Spectrum | Chart | Confusion | Intervals | Bars | Graph | Table, Field(discriminator="kind")
]


def _check_lengths(**lists: list[float] | Numbers | list[str]) -> None:
    if len({len(values) for values in lists.values()}) > 1:
        said = ", ".join(f"{name} has {len(values)}" for name, values in lists.items())
        raise ValueError(f"lists of one figure must be equally long: {said}")
