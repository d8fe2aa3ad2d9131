"""How samples of a source are placed in time."""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeAlias
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, Field, field_validator, model_validator

from lumipipe.config.moments import Beginning
from lumipipe.config.settings import PositiveFloat, Settings, Text

_FEWEST_EVENTS = 3  # a line goes through two whatever they are


class Regular(Settings):
    """Samples at a fixed rate."""

    kind: Literal["regular"]
    rate_hz: PositiveFloat
    """Samples per second."""


class TimeColumn(Settings):
    """Samples with a time stamp each."""

    kind: Literal["column"]
    column: Text | Annotated[list[Text], Field(min_length=1)]
    """Column with the time stamp, or the columns of its parts, such as a date and a clock."""
    unit: Literal["d", "h", "min", "s", "ms", "us", "ns"] | None = None
    """Unit of numbers since 1970 (UTC) or since the start of the recording."""
    origin: Literal["1970", "recording", "row_before"] = "1970"
    """What numbers count from; from the row before, they are intervals, and time is their sum."""
    format: str | None = None
    """Format of text stamps in the notation of strptime, such as %Y-%m-%d %H:%M:%S; a blank stands
    between the parts of several columns."""
    zone: Text = "UTC"
    """Time zone of text stamps: a name such as Europe/Helsinki, or an offset such as +02:00 of a
    clock that does not switch to summer time."""
    midnight: Literal["begins_day", "ends_day"] = "begins_day"
    """Whether 00:00 under a date begins that day or, as 24:00 would, ends it; of text stamps."""
    rate_hz: PositiveFloat | None = None
    """Nominal rate, to be compared with the measured one."""

    @field_validator("zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        if value != "UTC" and not re.fullmatch(r"[+-](0\d|1[0-4]):[0-5]\d", value):
            try:
                ZoneInfo(value)
            except (KeyError, OSError, ValueError) as error:
                raise ValueError(
                    f"no zone is called {value}; write one like Europe/Helsinki, or +02:00"
                ) from error
        return value

    @model_validator(mode="after")
    def _zone_of_text(self) -> TimeColumn:
        if self.zone != "UTC" and (self.format is None or "%z" in self.format):
            raise ValueError("a zone is for text stamps without an offset; leave zone out")
        return self

    @model_validator(mode="after")
    def _unit_or_format(self) -> TimeColumn:
        if (self.unit is None) == (self.format is None):
            raise ValueError("give unit for numbers or format for text; one of the two")
        if self.format is None and len(self.columns) > 1:
            raise ValueError("several columns make text stamps; give format instead of unit")
        if self.format is not None and self.origin == "row_before":
            raise ValueError("text is no interval between rows; give unit instead of format")
        if self.midnight == "ends_day" and (self.format is None or "%z" in self.format):
            raise ValueError(
                "midnight ends_day is for text stamps without an offset; leave midnight out"
            )
        return self

    @property
    def columns(self) -> list[str]:
        """The columns that make up a stamp."""
        return [self.column] if isinstance(self.column, str) else self.column


class Order(Settings):
    """Rows whose order is all that is known of their time."""

    kind: Literal["order"]
    row: Text
    """What one row is, such as one batch or one day."""


Time: TypeAlias = Annotated[Regular | TimeColumn | Order, Field(discriminator="kind")]


class CommonEvent(Settings):
    """Something that two clocks have seen, such as a knock on both instruments."""

    here: AwareDatetime
    """When it was by this source's clock; a fraction of a second counts."""
    reference: AwareDatetime
    """When it was by the reference."""


class Clock(Settings):
    """The clock that wrote the stamps, and how far it was off; its zone is `time.zone`."""

    reference: Text
    """What it was compared with or set by, such as ntp or a reference watch."""
    offset_s: float = 0.0
    """How far it was ahead of the reference; each stamp is set back by that."""
    u_offset_s: Annotated[float, Field(ge=0)] | None = None
    """Standard uncertainty of `offset_s`."""
    events: list[CommonEvent] = []
    """Three or more events that both clocks have seen: offset and drift come from them."""
    largest_residual_s: PositiveFloat | None = None
    """How far one of the events may be off when offset and drift are taken off."""

    @model_validator(mode="after")
    def _one_way(self) -> Clock:
        if not self.events:
            if self.largest_residual_s is not None:
                raise ValueError("largest_residual_s is about events; name them, or take it out")
            return self
        if len({event.here for event in self.events}) < _FEWEST_EVENTS:
            raise ValueError("fewer than three events; a drift needs three, else give offset_s")
        if self.largest_residual_s is None:
            raise ValueError("events need largest_residual_s; say how far one may be off")
        if self.offset_s or self.u_offset_s is not None:
            raise ValueError("the offset comes from the events; take offset_s and u_offset_s out")
        return self


class Gaps(Settings):
    """Which gaps in time are expected, and from which length on they are too long."""

    expected: Text | None = None
    """Why there are gaps, such as weekly stop."""
    largest_accepted_s: PositiveFloat | None = None
    """Longest step from a row to the next that is accepted."""
    longer: Literal["refuse", "tell"] = "refuse"
    """Whether a recording with a longer one cannot be used, or the report tells of it."""


class KnownEvent(Settings):
    """Something that happened while the data were recorded."""

    at: Beginning
    """Day or moment."""
    what: Text
    """What happened, such as impeller replaced."""
