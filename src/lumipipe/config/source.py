"""Section `data`: files that one kind of instrument wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, field_validator

from lumipipe.config.channel import Channel
from lumipipe.config.label import Label, Recordings
from lumipipe.config.moments import Beginning, End
from lumipipe.config.settings import Digest, Identifier, Settings, Text, refuse_twice
from lumipipe.config.times import Clock, Gaps, KnownEvent, Time, TimeColumn

if TYPE_CHECKING:
    from datetime import datetime


class Source(Settings):
    """One set of files that one kind of instrument wrote."""

    id: Identifier
    """Name of the source in this request."""
    source: Text
    """Path or glob beside the request, or package:NAME/PATH inside an installed package."""
    format: Text
    """Format of the files: a name from the registry of readers."""
    sha256: Digest | dict[str, Digest] | None = None
    """Digest that the file must have, or file name to digest."""
    read: dict[str, Any] = {}
    """Options of the reader."""
    stream: Identifier = "main"
    """Name of the stream; sources with equal recordings and other streams are joined."""
    recordings: Recordings = Recordings()
    time: Time
    """How samples are placed in time."""
    period: tuple[Beginning, End] | None = None
    """First and last moment of the data: days, or times with a zone; a last day counts whole."""
    outside_period: Literal["leave_out", "refuse"] = "leave_out"
    """Whether rows outside the period are left out and counted, or the recording cannot be used."""
    clock: Clock | None = None
    """The clock that wrote the stamps."""
    gaps: Gaps = Gaps()
    """Gaps in time."""
    known_events: list[KnownEvent] = []
    """What happened meanwhile."""
    channels: Annotated[list[Channel], Field(min_length=1)]
    """Channels to keep, in this order."""
    labels: dict[Identifier, Label] = {}
    """What is known about the recordings or their samples."""
    rows: tuple[int, int | None] | None = None
    """First row and row after the last to keep of each recording, from 0; all where absent."""
    licence: str | None = None
    """Terms under which the source may be used."""
    card: Text | None = None
    """Card of a dataset, beside the request: the terms of this source, decided on before a run."""

    @field_validator("period")
    @classmethod
    def _ordered(cls, value: tuple[datetime, datetime] | None) -> tuple[datetime, datetime] | None:
        if value is not None and not value[0] < value[1]:
            raise ValueError("does not rise; write [first, last]")
        return value

    @field_validator("channels")
    @classmethod
    def _distinct(cls, value: list[Channel]) -> list[Channel]:
        refuse_twice([channel.name for channel in value], "channels", "give each its own name")
        return value

    @property
    def is_stamped(self) -> bool:
        """Whether rows have stamps of the calendar."""
        return isinstance(self.time, TimeColumn) and self.time.origin == "1970"

    def deciding(self) -> dict[str, Any]:
        """All that decides what becomes of the files, as JSON: not where they lie, nor remarks.

        Certificates that are files are told by their digests.
        """
        remarks: Any = {
            "source": True,
            "known_events": True,
            "labels": {"__all__": {"labelled_by", "known_wrong"}},
            "channels": {
                "__all__": {
                    "mounting": True,
                    "accept": True,
                    "certificate": {"file": True, "trust": True},
                }
            },
        }
        return self.model_dump(mode="json", exclude=remarks)
