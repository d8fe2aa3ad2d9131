"""TDMS files of LabVIEW and DAQmx, by nptdms (LGPL-3.0); scaled as the channel's properties say.

A channel whose scaling is not fully known is refused, never given as raw counts.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.compressed import open_binary, shown
from lumipipe.readers.containers import (
    ContainerOptions,
    Part,
    chosen,
    container_table,
    plain_column,
    rate_text,
    unique,
    utc_text,
)
from lumipipe.readers.libraries import damage, library, refuse_size
from lumipipe.readers.salvage import Whole
from lumipipe.readers.tables import Table, number_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

_KIND = finding("TDMS file")
_SCALE = re.compile(r"NI_Scale\[(\d+)\]")
_MOST_SCALES = 10  # of a channel: each may add two others, so that k take 2**k sums
_LEAD_BYTES = 28  # of a segment: mark, contents, version, and two lengths
_BIG_ENDIAN = 1 << 6  # of the contents
_BITS = 8  # digital lines share the bytes of a DAQmx buffer
_EPOCH_NS = -2_082_844_800 * 10**9  # 1904, from which TDMS counts
_UNSET_NS = -(2**60)  # times before 1933 are LabVIEW's zero, of 1904


class Options(ContainerOptions):
    """Keys of a TDMS file; its groups are the tables."""

    attributes: dict[str, str] = {}
    """Attribute to a property of the group or the file; a key such as load? may find none."""


@dataclass(frozen=True)
class _Timing:
    """What channels that were sampled together have in common."""

    rows: int
    step_s: float
    start_ns: int | None


def read(file: Path, options: Options) -> Iterator[Table]:
    """One table for each group, or more where its channels differ in length, rate or start.

    Parameters
    ----------
    file : Path
        A .tdms file; an index file beside it is not used.
    options : Options
        Group and attributes.

    Yields
    ------
    Table
        Values after scaling, in the type that it gives; stamps as int64 ns since 1970. The rate
        (``rate_hz``) and ``start`` are attributes where the file has them.

    Raises
    ------
    InputError
        If nptdms is not installed, or a group, column or property is not there.
    RecordingError
        If the file is truncated, damaged, or a scaling is not known.
    """
    nptdms = library(file, "nptdms", "nptdms")
    with open_binary(file, options.most_bytes) as stream:
        with _guarded(file):
            opened = nptdms.TdmsFile.open(stream, raw_timestamps=True)
            parts = _parts(file, stream, opened)
        for name, part, columns in chosen(file, options, parts):
            with _guarded(file):
                table = _table(name, part, columns, _said(file, options, opened, part))
            yield table


def whole(file: Path, content: bytes, options: Options) -> Whole | None:  # noqa: ARG001
    """The segments that are whole, each found by the length in the lead-in before it."""
    position = 0
    while content[position : position + 4] == b"TDSm" and position + _LEAD_BYTES <= len(content):
        is_big = struct.unpack_from("<I", content, position + 4)[0] & _BIG_ENDIAN
        length = struct.unpack_from(f"{'>' if is_big else '<'}Q", content, position + 12)[0]
        if position + _LEAD_BYTES + length > len(content):
            break
        position += _LEAD_BYTES + length
    if not 0 < position < len(content):
        return None
    return Whole(
        content[:position], position, len(content), finding("its last segment is cut short")
    )


def _guarded(file: Path) -> Any:
    """Damage as one line; text that is not UTF-8 is none."""
    return damage(file, _KIND, "nptdms", harmless=("nptdms.types",))


def _parts(file: Path, stream: BinaryIO, opened: Any) -> list[Part]:
    """The tables of a file: channels of one group that were sampled together."""
    _refuse_tail(file, stream, opened)
    size = stream.seek(0, 2)
    groups = opened.groups()
    channels = [channel for group in groups for channel in group.channels()]
    for holder in (opened, *groups, *channels):
        _refuse_scales(file, holder.properties)
    refuse_size(file, sum(len(channel) for channel in channels) // _BITS, size)
    found: list[tuple[str, list[Any]]] = []
    for group in groups:
        together: dict[_Timing, list[Any]] = {}
        for channel in group.channels():
            if len(channel):
                together.setdefault(_timing(channel), []).append(channel)
        found += [(group.name, items) for items in together.values()]
    names = unique(name for name, _ in found)
    return [
        Part(name, tuple(unique(channel.name for channel in items)), items)
        for name, (_, items) in zip(names, found, strict=True)
    ]


def _refuse_tail(file: Path, stream: BinaryIO, opened: Any) -> None:
    """Refuse bytes after the last segment: nptdms passes over a lead-in that was cut."""
    segments = getattr(getattr(opened, "_reader", None), "_segments", None)
    end = stream.seek(0, 2)
    if segments is not None and (not segments or segments[-1].next_segment_pos != end):
        last = segments[-1].next_segment_pos if segments else 0
        raise RecordingError(
            shown(file),
            f"its last whole segment ends at byte {last}, the file at {end}",
            "copy the file again from its source",
        )


def _refuse_scales(file: Path, properties: Any) -> None:
    """Refuse more scales than any instrument has, before memory is taken for them."""
    numbers = [int(found.group(1)) + 1 for key in properties if (found := _SCALE.match(key))]
    numbers.append(int(properties.get("NI_Number_Of_Scales", 0)))
    if not 0 <= max(numbers) <= _MOST_SCALES:
        raise RecordingError(
            shown(file), f"a channel has {max(numbers)} scales", "export the scaled values"
        )


def _timing(channel: Any) -> _Timing:
    """Length, step and start of a channel's waveform."""
    said = channel.properties
    step = said.get("wf_increment", 0.0)
    start = _ns(said.get("wf_start_time"))
    offset = said.get("wf_start_offset", 0.0)
    if start is not None:
        start += round(float(offset) * 1e9)
    return _Timing(len(channel), float(step), start)


def _ns(stamp: Any) -> int | None:
    """A stamp of nptdms in ns since 1970; None where it is not set."""
    if stamp is None:
        return None
    found = _EPOCH_NS + int(stamp.seconds) * 10**9
    found += (int(stamp.second_fractions) * 10**9 + 2**63) >> 64
    return found if found > _UNSET_NS else None


def _stamps_ns(stamps: Any) -> np.ndarray:
    """Stamps of nptdms in ns since 1970, rounded: it would cut them."""
    fractions = np.rint(stamps.second_fractions * (1e9 / 2.0**64)).astype(np.int64)
    found: np.ndarray = stamps.seconds.astype(np.int64) * 10**9 + _EPOCH_NS + fractions
    return found


def _table(name: str, part: Part, columns: list[str], said: dict[str, Any]) -> Table:
    """The samples of the channels."""
    values: dict[str, np.ndarray] = {}
    for column, channel in zip(part.columns, part.held, strict=True):
        if column not in columns:
            continue
        samples = channel[:]
        if hasattr(samples, "as_datetime64"):
            samples = _stamps_ns(samples)
            said[f"unit:{column}"] = "ns since 1970"
        plain = plain_column(np.asarray(samples))
        if plain is None:
            raise ValueError(f"channel {column} holds {samples.dtype}")
        values[column] = plain
    return container_table(name, part, values, said)


def _said(file: Path, options: Options, opened: Any, part: Part) -> dict[str, Any]:
    """Attributes of a table: units, rate, start, and the properties that were asked for."""
    timing = _timing(part.held[0])
    said: dict[str, Any] = {
        "rate_hz": rate_text(timing.step_s),
        "start": None if timing.start_ns is None else utc_text(timing.start_ns),
    }
    for column, channel in zip(part.columns, part.held, strict=True):
        said[f"unit:{column}"] = channel.properties.get("unit_string")
    known = {**opened.properties, **opened[part.held[0].group_name].properties}
    for key, wanted in options.attributes.items():
        if wanted in known:
            said[key.rstrip("?")] = number_text(known[wanted])
        elif not key.endswith("?"):
            raise InputError(
                shown(file), f"has no property {wanted}", f"its properties: {', '.join(known)}"
            )
    return said
