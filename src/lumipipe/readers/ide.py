"""IDE files of shock and vibration recorders, by idelib (MIT): calibrated, with time per sample."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, shown
from lumipipe.readers.containers import (
    TIME,
    ContainerOptions,
    Part,
    chosen,
    container_table,
    unique,
    utc_text,
)
from lumipipe.readers.libraries import Bounded, BoundedMemory, damage, library
from lumipipe.readers.salvage import Whole

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

_KIND = finding("IDE file")
_MICROSECONDS = 1e6


class Options(ContainerOptions):
    """Keys of an IDE file; its channels are the tables, such as 8 100g PE Acceleration."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each channel of the recorder, with its axes as columns.

    Parameters
    ----------
    file : Path
        An .ide file.
    options : Options
        Name or glob of the channel.

    Yields
    ------
    Table
        Calibrated values; the column time is seconds since the attribute ``start``, to which
        the recorder's clock was set. Units are ``unit:NAME``.

    Raises
    ------
    InputError
        If idelib is not installed, or a channel or axis is not there.
    RecordingError
        If the file is truncated or damaged.
    """
    importer = library(file, "idelib.importer", "idelib")
    with open_binary(file, options.most_bytes) as stream, Bounded(stream) as source:
        with damage(file, _KIND, "idelib", "ebmlite"):
            opened = importer.openFile(source, name=file.name)
            _refuse_end(file, opened, source.seek(0, 2))
            importer.readData(opened)
            parts = _parts(file, opened)
        for name, part, columns in chosen(file, options, parts):
            with damage(file, _KIND, "idelib", "ebmlite"):
                table = _table(name, part, columns, opened)
            yield table


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The elements before the one that was cut short."""
    importer = library(file, "idelib.importer", "idelib")
    end = 0
    with suppress(RecordingError), damage(file, _KIND, "idelib", "ebmlite"):
        for element in importer.openFile(BoundedMemory(content), name=file.name).ebmldoc:
            last = element.payloadOffset + element.size
            if last > len(content):
                break
            end = last
    if not 0 < end < len(content):
        return None
    return Whole(content[:end], end, len(content), finding("the block after them is cut short"))


def _refuse_end(file: Path, opened: Any, end: int) -> None:
    """Refuse a file that does not end with its last element, or does not say what was measured.

    idelib passes over what was cut, and takes sensors of its own where the file has none.
    """
    elements = list(opened.ebmldoc)
    last = max(element.payloadOffset + element.size for element in elements)
    if last != end:
        raise RecordingError(
            shown(file),
            f"is truncated or damaged: it ends at byte {end}, its last element at byte {last}",
            "copy the file again from its source",
        )
    if "RecordingProperties" not in [element.name for element in elements]:
        # idelib would take raw counts for g.
        raise RecordingError(
            shown(file), "does not describe its sensors", "export it from the recorder's software"
        )


def _parts(file: Path, opened: Any) -> list[Part]:
    """The channels of all sessions that have samples."""
    if opened.fileDamaged:
        raise RecordingError(
            shown(file), "is truncated or damaged", "copy the file again from its source"
        )
    parts = []
    for session in opened.sessions:
        for channel in opened.channels.values():
            events = channel.getSession(session.sessionId)
            if len(events):
                columns = (TIME, *unique(axis.name for axis in channel.subchannels))
                number = f"session {session.sessionId}: " if len(opened.sessions) > 1 else ""
                label = f"{number}{channel.id} {channel.displayName}"
                parts.append(Part(label, columns, (session, channel, events)))
    return parts


def _table(name: str, part: Part, columns: list[str], opened: Any) -> Table:
    """The samples of a channel."""
    session, channel, events = part.held
    content = np.asarray(events.arraySlice())
    if content.shape != (len(part.columns), len(events)):
        raise ValueError(f"{part.name} has {content.shape[-1]} of {len(events)} samples")
    content[0] /= _MICROSECONDS
    start = session.utcStartTime
    said: dict[str, Any] = {
        "start": utc_text(int(start) * NANOSECONDS) if start else None,
        "recorder": opened.recorderInfo.get("ProductName"),
        f"unit:{TIME}": "s",
    }
    for label, axis in zip(part.columns[1:], channel.subchannels, strict=True):
        said[f"unit:{label}"] = axis.units[1] if axis.units else None
    values = {
        label: np.ascontiguousarray(content[at])
        for at, label in enumerate(part.columns)
        if label in columns
    }
    return container_table(name, part, values, said)
