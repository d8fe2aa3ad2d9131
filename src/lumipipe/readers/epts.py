"""Player tracking in FIFA's EPTS form, as Metrica Sports writes it, by kloppy (BSD-3).

What leaves the file, and how, is in `lumipipe.readers.pitch`.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING, Any

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
_FIRST = "check where they are from"
_TO_M_S = {"kph": 1.0 / 3.6, "km/h": 1.0 / 3.6, "m/s": 1.0, "mps": 1.0}


class Options(PitchOptions):
    """Keys of a file of EPTS tracking."""


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
        In metres from the centre of the pitch: the file holds shares of its length and width,
        counted from a corner, and its size.

    Raises
    ------
    InputError
        If kloppy is not installed, or the metadata are not there.
    RecordingError
        If one of the files is damaged or tells no size of the pitch.
    """
    metrica, metadata, raw = opened(file, options, "kloppy.metrica")
    _look_through(file, metadata)
    with damage(file, finding("EPTS tracking"), "kloppy"):
        dataset = metrica.load_tracking_epts(
            meta_data=stream(metadata), raw_data=stream(raw), coordinates="metrica"
        )
        size = dataset.metadata.pitch_dimensions
        length, width = size.pitch_length, size.pitch_width
        speed = _speed(dataset.metadata)
    if not length or not width:
        raise RecordingError(
            shown(file), "its metadata tell no size of the pitch", "add FieldSize to them"
        )
    pitch = Pitch((0.5, 0.5), (float(length), -float(width)), 1.0, speed)
    yield from pitch_tables(file, dataset, pitch, options)


def _look_through(file: Path, metadata: bytes) -> None:
    """Refuse metadata of which kloppy would make a pattern that takes for ever, or any other."""
    root = ET.fromstring(metadata)  # noqa: S314 (entities were refused, depth is limited)
    for tag in ("Player", "PlayerChannel", "Channel"):
        refuse_many(file, sum(1 for _ in root.iter(tag)), finding(f"elements {tag}"))
    names = [item.get("name") for item in root.iter("StringRegister")]
    names += [item.get("id") for tag in ("Player", "Channel") for item in root.iter(tag)]
    if not all(f"_{name}".isidentifier() for name in names):
        raise RecordingError(
            shown(file), "its metadata name something by other than letters and digits", _FIRST
        )
    forms = list(root.iter("DataFormatSpecification"))
    refuse_many(file, sum(1 for form in forms for _ in form.iter()), finding("fields in a line"))
    if not all(_parted(form, ",;:") for form in forms):
        raise RecordingError(
            shown(file), "its metadata part a line by other than , ; and : at each level", _FIRST
        )


def _parted(register: ET.Element, free: str) -> bool:
    """Whether fields are parted by signs that no field holds, by another one on each level."""
    sign = register.get("separator", "")
    inner = [item for item in register if item.tag == "SplitRegister"]
    return (
        len(sign) == 1 and sign in free and all(_parted(i, free.replace(sign, "")) for i in inner)
    )


def _speed(metadata: Any) -> float | None:
    """Factor of the file's speeds to m/s."""
    units = [
        channel.unit
        for sensor in metadata.sensors
        if sensor.sensor_id == "speed"
        for channel in sensor.channels
    ]
    return _TO_M_S.get(str(units[0]).lower()) if units else None
