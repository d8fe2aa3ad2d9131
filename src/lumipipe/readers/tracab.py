"""Player tracking of ChyronHego's Tracab system (.dat with XML), by kloppy (BSD-3).

What leaves the file, and how, is in `lumipipe.readers.pitch`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lumipipe.errors import RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import shown
from lumipipe.readers.libraries import damage
from lumipipe.readers.pitch import (
    Pitch,
    PitchOptions,
    opened,
    pitch_tables,
    refuse_many,
    stream,
    whole,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lumipipe.readers.tables import Table

__all__ = ["Options", "read", "whole"]
_CM = 0.01
_PERIOD, _PLAYER = re.compile(rb"[<:]period\b"), re.compile(rb"[:;]-?\d+,[^,;:]*,([^,;:]*),")
_MOST_PERIODS = 20  # kloppy reads a frame for each that it lies in; a match has five at most


class Options(PitchOptions):
    """Keys of a file of Tracab's tracking."""


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each period; see `lumipipe.readers.pitch.pitch_tables`.

    Parameters
    ----------
    file : Path
        The tracking; plain, .gz or .xz.
    options : Options
        The file with the metadata, and the key of pseudonyms.

    Yields
    ------
    Table
        In metres from the centre of the pitch: the file holds centimetres from there. Frames
        outside the periods are left out, and counted in a note. The unit of speeds is unknown.

    Raises
    ------
    InputError
        If kloppy is not installed, or the metadata are not there.
    RecordingError
        If one of the files is damaged.
    """
    tracab, metadata, raw = opened(file, options, "kloppy.tracab")
    if raw[:1] == b"{":
        raise RecordingError(shown(file), "is JSON, no text of Tracab", "export it as .dat")
    if len(_PERIOD.findall(metadata)) > _MOST_PERIODS:
        raise RecordingError(
            shown(file), "its metadata tell of too many periods", "check where they are from"
        )
    refuse_many(file, metadata.count(b"<Player>"), finding("players"))
    refuse_many(file, len({found[1] for found in _PLAYER.finditer(raw)}), finding("players"))
    with damage(file, finding("Tracab tracking"), "kloppy"):
        dataset = tracab.load(
            meta_data=stream(metadata),
            raw_data=stream(raw),
            coordinates="tracab",
            only_alive=False,
        )
    spare = sum(bool(line.strip()) for line in raw.splitlines()) - len(dataset.records)
    left = finding(f"{spare} frames outside the periods were left out")
    notes = (left,) if spare > 0 else ()
    yield from pitch_tables(file, dataset, Pitch((0.0, 0.0), (_CM, _CM), _CM, None), options, notes)
