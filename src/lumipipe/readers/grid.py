"""Recordings of several instruments, or irregular ones, on one regular time grid.

Two recordings with one identity in the same stream are a mistake that prepare refuses; how
single streams get new time axes is in `lumipipe.readers.resampling`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.config.moments import NANOSECONDS
from lumipipe.errors import InputError, RecordingError
from lumipipe.language import finding
from lumipipe.readers.filling import filled_rows, too_much_filled
from lumipipe.readers.recording import Recording, Stream
from lumipipe.readers.resampling import (
    grid_times,
    resampled,
    restarts,
    runs,
    times_of,
)

if TYPE_CHECKING:
    from lumipipe.config import Grid

_MOST_CONTRADICTIONS = 0.1  # share of rows whose labels may differ between streams


def on_grid(parts: list[Recording], grid: Grid) -> Recording:
    """One recording with the single stream ``main`` on a regular grid.

    Parameters
    ----------
    parts : list of Recording
        Recordings with one id and different streams; one recording alone too.
    grid : Grid
        Rate, the longest distance between samples that is bridged, and the most that may be.

    Returns
    -------
    Recording
        Channels of all streams in order, over the time that all of them cover. Rows inside
        longer gaps or between segments of a stream, without readings, or with contradicting
        sample labels are NaN or stand outside the segments.

    Raises
    ------
    InputError
        If the streams cannot be placed on one time axis, or two have a channel of one name.
    RecordingError
        If units, labels or times of the parts do not fit together.

    Notes
    -----
    *Cost*: linear in rows of the sources and of the grid. Clocks of different instruments are
    taken as they are, apart from what a source declares of its own (`lumipipe.readers.clocks`).
    """
    streams = _streams(parts)
    _refuse_short_gap(parts[0].id, streams, grid)
    start, nodes = _common_time(parts[0].id, streams, grid)
    wanted = grid_times(start, nodes, grid.rate_hz)
    gap_ns = grid.longest_gap_s * NANOSECONDS
    blocks, notes, covered = [], [], np.ones(nodes, dtype=bool)
    cuts: list[np.ndarray] = []
    for name, stream in streams.items():
        rows_of, method = resampled(stream, start, nodes, grid.rate_hz, gap_ns)
        covered &= ~np.isnan(rows_of).any(axis=1)
        cuts.append(np.searchsorted(wanted, restarts(stream)))
        blocks.append(rows_of)
        notes.append(finding(f"stream {name}: {stream.rate_hz:.6g} Hz, {method}"))
    labels, agreed, label_notes = _labels(parts[0].id, streams, wanted, gap_ns)
    covered &= agreed
    filled = np.logical_or.reduce([filled_rows(stream, wanted) for stream in streams.values()])
    too_much = np.zeros(nodes, dtype=bool)
    if grid.filled is not None:
        pieces = runs(covered, np.concatenate(cuts))
        rows = max(1, round(grid.filled.within_s * grid.rate_hz))
        too_much = too_much_filled(filled, pieces, rows, grid.filled.most_share)
    segments = runs(covered & ~too_much, np.concatenate(cuts))
    if not len(segments):
        raise RecordingError(
            parts[0].id, "no row of the grid has all channels", "raise prepare.grid.longest_gap_s"
        )
    missing = nodes - int(segments[:, 1].sum())
    notes += [*label_notes, finding(f"{missing} of {nodes} rows in gaps")]
    if bridged := int((filled & covered & ~too_much).sum()):
        notes.append(finding(f"{bridged} of {nodes} rows are filled in"))
    if grid.filled is not None and too_much.any():
        most, within = 100.0 * grid.filled.most_share, grid.filled.within_s
        notes.append(
            finding(
                f"{int(too_much.sum())} of {nodes} rows are not filled in, for that would be more "
                f"than {most:g} % of {within:g} s"
            )
        )
    dtypes = [stream.values.dtype for stream in streams.values()]
    values = np.concatenate(blocks, axis=1).astype(np.result_type(*dtypes))
    values[too_much] = np.nan
    main = Stream(
        values=values,
        time_ns=None,
        start_ns=start if all(item.start_ns is not None for item in streams.values()) else None,
        rate_hz=grid.rate_hz,
        rate_u_hz=0.0,
        nominal_hz=grid.rate_hz,
        segments=segments,
        labels=labels,
        channels=tuple(name for stream in streams.values() for name in stream.channels),
        units=tuple(unit for stream in streams.values() for unit in stream.units),
    )
    return _joined(parts, main, notes)


def _streams(parts: list[Recording]) -> dict[str, Stream]:
    """All streams of the parts, after identity, times and channel names were checked."""
    streams: dict[str, Stream] = {}
    for part in parts:
        if (part.id, part.unit) != (parts[0].id, parts[0].unit):
            raise RecordingError(
                part.file,
                f"is {part.id} of {part.unit}, to be joined with {parts[0].id} of {parts[0].unit}",
                "correct recordings.id and recordings.unit",
            )
        for name, stream in part.streams.items():
            if name in streams:
                raise InputError(
                    part.file, f"the stream {name} of {part.id} is there twice", "mend the ids"
                )
            streams[name] = stream
    _refuse_unjoinable(parts[0].id, streams)
    return streams


def _refuse_unjoinable(identity: str, streams: dict[str, Stream]) -> None:
    """Refuse streams without a common time axis and channels of one name."""
    channels = [name for stream in streams.values() for name in stream.channels]
    for name in channels:
        if channels.count(name) > 1:
            raise InputError(
                identity, f"two streams have a channel {name}", "give each its own name"
            )
    origins = {name: _origin(stream) for name, stream in streams.items()}
    if "order" in origins.values():
        raise InputError(
            identity, "has rows without time, which no grid can hold", "remove prepare.grid"
        )
    if len(streams) > 1 and (len(set(origins.values())) > 1 or "none" in origins.values()):
        listed = ", ".join(f"{name}: {origin}" for name, origin in origins.items())
        raise InputError(
            identity,
            f"its streams have no common time axis ({listed})",
            "give all of them time stamps of one origin",
        )


def _refuse_short_gap(identity: str, streams: dict[str, Stream], grid: Grid) -> None:
    """Refuse a longest gap that no two neighbours of a stream keep to."""
    for name, stream in streams.items():
        if stream.rate_hz * grid.longest_gap_s < 1.0:
            raise InputError(
                f"prepare.grid: {identity}",
                f"longest_gap_s {grid.longest_gap_s:g} is shorter than a step of the stream {name} "
                f"({1.0 / stream.rate_hz:g} s)",
                "raise longest_gap_s",
            )


def _origin(stream: Stream) -> str:
    """What a stream's times count from."""
    if stream.time_ns is None and np.isnan(stream.rate_hz):
        return "order"
    if stream.start_ns is not None:
        return "1970"
    return "none" if stream.time_ns is None else "recording"


def _common_time(name: str, streams: dict[str, Stream], grid: Grid) -> tuple[int, int]:
    """First time in ns and number of nodes of the grid that all streams cover."""
    times = [times_of(stream) for stream in streams.values()]
    start = max(int(item[0]) for item in times)
    end = min(int(item[-1]) for item in times)
    if end < start:
        raise RecordingError(
            name,
            f"its streams do not overlap: one ends {(start - end) / NANOSECONDS:g} s before "
            "another starts",
            "correct time stamps or ids, or leave the recording out",
        )
    nodes = int((end - start) * grid.rate_hz / NANOSECONDS + 1e-6) + 1
    return start, nodes


def _labels(
    name: str, streams: dict[str, Stream], wanted: np.ndarray, gap_ns: float
) -> tuple[dict[str, np.ndarray], np.ndarray, list[str]]:
    """Sample labels on the grid, the rows where all streams agree, and notes."""
    labels: dict[str, np.ndarray] = {}
    agreed = np.ones(len(wanted), dtype=bool)
    notes = []
    for stream in streams.values():
        times = times_of(stream)
        before = np.searchsorted(times, wanted, side="right") - 1
        near = wanted - times[before] <= gap_ns
        for key, values in stream.labels.items():
            found = values[before]
            agreed &= near
            if key not in labels:
                labels[key] = found
                continue
            unlike = labels[key] != found
            agreed &= ~unlike
            if unlike.mean() > _MOST_CONTRADICTIONS:
                raise RecordingError(
                    name,
                    f"{int(unlike.sum())} of {len(wanted)} rows have another {key} in another "
                    "stream",
                    "correct the labels or the clocks",
                )
            if unlike.any():
                rows = int(unlike.sum())
                notes.append(finding(f"label {key}: streams contradict in {rows} rows"))
    return labels, agreed, notes


def _joined(parts: list[Recording], main: Stream, notes: list[str]) -> Recording:
    """The parts' identities in one recording; contradictions in labels are refused."""
    labels: dict[str, str] = {}
    attributes: dict[str, str] = {}
    for part in parts:
        for key, value in part.labels.items():
            if labels.setdefault(key, value) != value:
                raise RecordingError(
                    part.file,
                    f"label {key} of {part.id} is {value} here and {labels[key]} in another stream",
                    "correct the labels or recordings.id",
                )
        for key, value in part.attributes.items():
            attributes.setdefault(key, value)
    return Recording(
        id=parts[0].id,
        unit=parts[0].unit,
        source=" ".join(dict.fromkeys(part.source for part in parts)),
        file=" ".join(dict.fromkeys(part.file for part in parts)),
        sha256=" ".join(dict.fromkeys(part.sha256 for part in parts)),
        attributes=attributes,
        labels=labels,
        streams={"main": main},
        notes=(*(note for part in parts for note in part.notes), *notes),
    )
