"""What was seen in files, before it is told: plain values, no samples.

No position, name or serial number is in here; `lumipipe.tasks.inspecting.channels` holds them back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

Sketch = tuple[tuple[float, float] | None, ...]
"""Least and largest reading in each of equally long parts of a recording; None without any."""


@dataclass(frozen=True)
class Meaning:
    """What a channel's numbers may mean.

    Parameters
    ----------
    quantity : str or None
        A name from the list of quantities.
    unit : str or None
        As a request writes it; None where nothing says it.
    said : str or None
        The unit as the file writes it.
    guessed : str
        From what the quantity was guessed: ``unit`` or ``name``; empty where the format says it.
    """

    quantity: str | None = None
    unit: str | None = None
    said: str | None = None
    guessed: str = ""


@dataclass(frozen=True)
class Stuck:
    """The longest run of one reading: rows, value, and where it begins."""

    rows: int
    value: float
    place: str


@dataclass(frozen=True)
class Code:
    """A number far from all others that may mean "no reading", and how many rows have it."""

    value: float
    rows: int


@dataclass(frozen=True)
class ChannelSeen:
    """One column.

    Parameters
    ----------
    name : str
        As in the file.
    kind : str
        Number type, or text.
    rows, missing : int
        Rows, and those of them without a reading.
    meaning : Meaning
        Quantity and unit.
    smallest, median, largest : float or None
        In the file's unit and without `code`; None without a reading, or where nothing is shown.
    step : float or None
        Step that all readings are multiples of; None where there is none.
    distinct : int or None
        Number of different readings or texts, counted up to 1000.
    stuck : Stuck or None
        The longest run of one reading, where it is long.
    code : Code or None
        A number that may mean "no reading".
    role : str
        ``time``, ``counter`` of the rows, ``state`` of few values, or empty.
    held_back : str
        Why nothing of it is shown: ``position`` or ``identity``; empty where it is.
    words : tuple of str
        Remarks for the reader.
    sketch : Sketch
        Its course.
    only : str
        Digest of the one text that all rows hold, to compare files by; empty where there are
        several. It is written nowhere: the text may be a name.
    """

    name: str
    kind: str
    rows: int
    missing: int
    meaning: Meaning = Meaning()
    smallest: float | None = None
    median: float | None = None
    largest: float | None = None
    step: float | None = None
    distinct: int | None = None
    stuck: Stuck | None = None
    code: Code | None = None
    role: str = ""
    held_back: str = ""
    words: tuple[str, ...] = ()
    sketch: Sketch = ()
    only: str = ""

    @property
    def is_constant(self) -> bool:
        """Whether all readings are the same."""
        return self.smallest is not None and self.smallest == self.largest

    @property
    def has_readings(self) -> bool:
        """Whether there are readings that are shown."""
        return self.smallest is not None


@dataclass(frozen=True)
class Gap:
    """A place where the instrument did not write: where, how long, and why."""

    place: str
    seconds: float
    cause: str


@dataclass(frozen=True)
class ClockSeen:
    """When the rows of a table were taken.

    Parameters
    ----------
    told : str
        By what, in words.
    request : dict
        The section `time` of a request; a value that is not known is "?".
    choices : tuple of dict
        Other sections that fit as well.
    start : str or None
        UTC.
    elapsed_s, timer_s, moving_s : float or None
        Durations.
    rate_hz, u_rate_hz, nominal_hz : float or None
        Measured rate with its standard uncertainty, None where steps are unlike; the declared one.
    steps_s : tuple of float or None
        Least, middle and longest step between rows but for gaps.
    gaps : dict of str to int
        Cause to number.
    longest : tuple of Gap
        The longest ones.
    backwards, equal : int
        Rows whose time is before that of the row before, and at it.
    backwards_at : str
        Where the first one is.
    words : tuple of str
        Remarks.
    """

    told: str
    request: dict[str, Any]
    choices: tuple[dict[str, Any], ...] = ()
    start: str | None = None
    elapsed_s: float | None = None
    timer_s: float | None = None
    moving_s: float | None = None
    rate_hz: float | None = None
    u_rate_hz: float | None = None
    nominal_hz: float | None = None
    steps_s: tuple[float, float, float] | None = None
    gaps: dict[str, int] = field(default_factory=dict)
    longest: tuple[Gap, ...] = ()
    backwards: int = 0
    backwards_at: str = ""
    equal: int = 0
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableSeen:
    """One recording, or one leg of it.

    Parameters
    ----------
    name : str
        Name of the recording.
    inside : str or None
        Name of the table inside the file, where it has several.
    rows : int
        Number of rows.
    clock : ClockSeen
        Their times.
    channels : tuple of ChannelSeen
        Columns, those of time too.
    read : dict
        Options that the reader needs for this table, beside those of the file.
    attributes : dict of str to str
        What the file says, such as sport; durations and units stand elsewhere.
    repeats : int or None
        Rows that repeat another to the last digit; None where they were not counted.
    keeps_positions : bool
        Whether there are positions, which stayed in the reader.
    notes : tuple of str
        Of the reader.
    """

    name: str
    inside: str | None
    rows: int
    clock: ClockSeen
    channels: tuple[ChannelSeen, ...]
    read: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    repeats: int | None = None
    keeps_positions: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class FileSeen:
    """A file that was read.

    Parameters
    ----------
    path : Path
        As it was given.
    format : str
        Name from the registry of readers.
    told : str
        By what the format was told.
    nbytes : int
        Size.
    sha256 : str
        Digest.
    tables : tuple of TableSeen
        What is in it.
    read : dict
        Options of the reader that a request needs.
    sampled : str
        How much was looked at; empty where all was.
    words : tuple of str
        Remarks, such as the dialect.
    """

    path: Path
    format: str
    told: str
    nbytes: int
    sha256: str
    tables: tuple[TableSeen, ...]
    read: dict[str, Any] = field(default_factory=dict)
    sampled: str = ""
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A file that was not read: why, and what to do."""

    path: Path
    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """In one line."""
        return f"{self.place}: {self.problem}; {self.remedy}"
