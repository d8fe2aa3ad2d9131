"""Which recordings of several files are one, and which channels a stream has.

The rows stay where they are; how they are placed is in `lumipipe.store.assembly`.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from typing import TYPE_CHECKING

from lumipipe.config import member_name
from lumipipe.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from lumipipe.config import Channel, Source
    from lumipipe.store.entries import RecordingEntry
    from lumipipe.store.rows import ChannelRow


def stream_channels(
    sources: Sequence[Source], stored: Callable[[Channel, str], ChannelRow]
) -> dict[str, tuple[ChannelRow, ...]]:
    """The channels of each stream.

    Parameters
    ----------
    sources : sequence of Source
        All sources of a request.
    stored : callable of Channel and str
        The channel in the unit in which it is stored, given the place for errors.

    Returns
    -------
    dict of str to tuple of ChannelRow
        Where sources of one stream name other sensors or certificates, all are named.

    Raises
    ------
    InputError
        If two sources of one stream have other channels, units, ranges, resolutions or scales;
        give one of them a stream of its own.
    """
    channels: dict[str, tuple[ChannelRow, ...]] = {}
    first: dict[str, Source] = {}
    for source in sources:
        place = f"source {source.id}"
        rows = tuple(stored(channel, place) for channel in source.channels)
        if source.stream not in channels:
            channels[source.stream], first[source.stream] = rows, source
            continue
        known = channels[source.stream]
        if [_essence(row) for row in known] != [_essence(row) for row in rows]:
            raise InputError(
                place,
                f"its channels differ from those of source {first[source.stream].id}, "
                f"which feeds the same stream {source.stream}",
                "declare equal channels or give the source a stream of its own",
            )
        channels[source.stream] = tuple(map(_both, known, rows))
    return channels


def with_members(
    channels: Mapping[str, tuple[ChannelRow, ...]], recordings: Sequence[RecordingEntry]
) -> dict[str, tuple[ChannelRow, ...]]:
    """The channels of each stream with those of the files in place of ones that stand for many.

    Parameters
    ----------
    channels : mapping of str to tuple of ChannelRow
        From `stream_channels`; a row that stands for many columns is its own `group`.
    recordings : sequence of RecordingEntry
        What was read.

    Returns
    -------
    dict of str to tuple of ChannelRow
        In the order of the files' columns.

    Raises
    ------
    InputError
        If two recordings have other columns of one group.
    """
    found = dict(channels)
    for stream, rows in channels.items():
        entries = [(r, r.streams[stream].channels) for r in recordings if stream in r.streams]
        if not entries or all(row.group is None for row in rows):
            continue
        first, names = entries[0]
        for other, its in entries[1:]:
            if its != names:
                raise InputError(
                    f"{first.file} and {other.file}",
                    f"their columns of stream {stream} differ",
                    "name the columns that all files have, or use streams of their own",
                )
        found[stream] = tuple(_member(rows, name) for name in names)
    return found


def _member(rows: Sequence[ChannelRow], name: str) -> ChannelRow:
    """The channel of a name: itself, or the one of the group that it is a member of."""
    for row in rows:
        if row.group is None and row.name == name:
            return row
    for row in rows:
        if row.group is not None and name.startswith(member_name(row.group, "")[:-1]):
            return replace(row, name=name)
    raise InputError(f"channel {name}", "is in no source", "prepare the data again")


def _essence(row: ChannelRow) -> ChannelRow:
    """The channel without what may differ between sources of one stream."""
    return replace(row, sensor="", certificate="")


def _both(one: ChannelRow, other: ChannelRow) -> ChannelRow:
    """The channel with the sensors and certificates of both."""
    return replace(
        one,
        sensor=_joined([*one.sensor.split("; "), other.sensor]),
        certificate=_joined([*one.certificate.split("; "), other.certificate]),
    )


def _joined(texts: Iterable[str], between: str = "; ") -> str:
    """Different texts one after another."""
    return between.join(dict.fromkeys(texts))


def join_recordings(entries: Sequence[RecordingEntry]) -> list[RecordingEntry]:
    """Recordings ordered by unit and id, those with one id joined.

    Parameters
    ----------
    entries : sequence of RecordingEntry
        In the order of sources and files.

    Returns
    -------
    list of RecordingEntry
        One entry an id, with the streams of all its files.

    Raises
    ------
    InputError
        If two files give one recording the same stream, another unit, or another label.
    """
    joined: dict[str, RecordingEntry] = {}
    for entry in entries:
        known = joined.get(entry.id)
        joined[entry.id] = entry if known is None else _join(known, entry)
    return sorted(joined.values(), key=lambda entry: (entry.unit, entry.id))


def _join(one: RecordingEntry, other: RecordingEntry) -> RecordingEntry:
    """One recording of two that have the same id."""
    both = f"{one.file} and {other.file}"
    twice = sorted(one.streams.keys() & other.streams.keys())
    if twice:
        raise InputError(
            both,
            f"both give recording {one.id} of stream {twice[0]}",
            "tell them apart with recordings: id",
        )
    if one.unit != other.unit:
        raise InputError(
            both,
            f"recording {one.id} belongs to unit {one.unit} and to unit {other.unit}",
            "tell the recordings apart with recordings: id",
        )
    for name in sorted(one.labels.keys() & other.labels.keys()):
        here, there = one.labels[name], other.labels[name]
        if here != there:
            raise InputError(
                both,
                f"label {name} of recording {one.id} is {here} and {there}",
                "declare the label in one of the sources",
            )
    return replace(
        one,
        source=_joined([*one.source.split(" "), other.source], " "),
        file=f"{one.file} {other.file}",
        sha256=_joined([*one.sha256.split(" "), other.sha256], " "),
        attributes=other.attributes | one.attributes,
        labels=one.labels | other.labels,
        notes=list(dict.fromkeys([*one.notes, *other.notes])),
        streams=one.streams | other.streams,
    )


def unlike_spellings(entries: Sequence[RecordingEntry]) -> list[str]:
    """Lines about units and ids that look equal but are spelled in other code points."""
    lines = []
    for what in ("unit", "id"):
        spellings: dict[str, set[str]] = {}
        for entry in entries:
            text: str = getattr(entry, what)
            spellings.setdefault(unicodedata.normalize("NFC", text), set()).add(text)
        lines += [
            f"{what} {name} is spelled in {len(found)} ways that look the same; "
            "they are kept apart, but are one by the rules of Unicode"
            for name, found in sorted(spellings.items())
            if len(found) > 1
        ]
    return lines
