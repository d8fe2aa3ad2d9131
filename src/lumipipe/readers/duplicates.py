"""One session in several files: found by equal bytes, or by device, start, duration and distance.

A watch, a platform's export and a coach's archive give the same activity with other bytes: it
would count twice, and could stand on both sides of a split.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lumipipe.config import Source

START_S = 5.0
"""Starts that differ by more are two activities: exporters cut to whole seconds, and begin with the
first row that has a position."""
DURATION = 0.02
"""Share by which the time from first to last row may differ, but 5 s at least: ends are cut."""
DISTANCE = 0.05
"""Share by which distances that were measured in one way may differ."""


def takes_the_same(one: Source, other: Source) -> bool:
    """Whether two sources would make the same rows of the same bytes.

    A file may be named twice for different tables, streams, rows or periods of it.

    >>> from lumipipe.config import Source
    >>> form = {"id": "a", "source": "a.csv", "format": "csv",
    ...         "time": {"kind": "order", "row": "an hour"},
    ...         "channels": [{"name": "x", "quantity": "ratio", "unit": "1"}]}
    >>> whole, first, rest = (
    ...     Source(**form, rows=rows) for rows in (None, (0, 5), (5, None)))
    >>> takes_the_same(whole, first), takes_the_same(first, rest)
    (True, False)
    """
    alike = ("format", "read", "stream")
    return (
        all(getattr(one, name) == getattr(other, name) for name in alike)
        and _overlap(_row_span(one), _row_span(other))
        and (one.period is None or other.period is None or _overlap(one.period, other.period))
    )


def _row_span(source: Source) -> tuple[float, float]:
    """First and last row that a source keeps."""
    first, stop = source.rows or (0, None)
    return float(first), float("inf") if stop is None else float(stop - 1)


def _overlap(one: tuple[Any, Any], other: tuple[Any, Any]) -> bool:
    """Whether two spans, ends included, share anything."""
    return bool(one[0] <= other[1] and other[0] <= one[1])


class Recorded(Protocol):
    """What is asked of a recording."""

    @property
    def id(self) -> str: ...  # noqa: D102
    @property
    def unit(self) -> str: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def attributes(self) -> dict[str, str]: ...  # noqa: D102
    @property
    def streams(self) -> Mapping[str, object]: ...  # noqa: D102


class Read(Recorded, Protocol):
    """What is asked of a recording that was read from a file of a request."""

    @property
    def source(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102


RecordedT = TypeVar("RecordedT", bound=Recorded)
ReadT = TypeVar("ReadT", bound=Read)


def copied_groups(recordings: Sequence[ReadT], sources: Mapping[str, Source]) -> list[list[ReadT]]:
    """Recordings from files with equal bytes, where the sources would make the same rows of them.

    Parameters
    ----------
    recordings : sequence of Read
        In the order of their files.
    sources : mapping of str to Source
        Sources by their identity; recordings that were joined of several are never copies.

    Returns
    -------
    list of list of Read
        Groups of two or more, each of the same recording of several files.
    """
    places: Counter[tuple[str, str]] = Counter()
    groups: dict[tuple[str, int], list[ReadT]] = {}
    for item in recordings:
        file = (item.source, item.file.partition("#")[0])
        places[file] += 1
        if item.source in sources:
            groups.setdefault((item.sha256, places[file]), []).append(item)
    found = []
    for group in groups.values():
        first = sources[group[0].source]
        same = [item for item in group if takes_the_same(first, sources[item.source])]
        found += [same] if len(same) > 1 else []
    return found


class _Mark(NamedTuple):
    """By what an activity is known again."""

    start_s: float
    span_s: float
    distance_m: float | None
    distance_from: str
    device: str | None


def duplicate_groups(recordings: Sequence[RecordedT]) -> list[list[RecordedT]]:
    """Recordings of one activity each, where there are several of it.

    Parameters
    ----------
    recordings : sequence of Recorded
        Those without the attributes ``start`` and ``span_s`` are never alike.

    Returns
    -------
    list of list of Recorded
        Groups of two or more, in the order of start; none stands in two groups.

    Notes
    -----
    *Method*: two recordings are of one activity where starts agree within 5 s, the times from
    first to last row within 2 % (5 s at least), and distances within 5 % where both are known,
    not 0, and of one origin (a sensor, or positions: these draw a line over each pause). Devices
    that are both known (pseudonyms of serial numbers) must be equal. Recordings of two units that
    the request tells apart are never one: athletes start together. A recording joins the group
    of any recording that it is one with.
    """
    marked = [(mark, item) for item in recordings if (mark := _mark(item)) is not None]
    marked.sort(key=lambda pair: (pair[0].start_s, pair[1].id))
    groups: list[list[tuple[_Mark, RecordedT]]] = []
    for mark, item in marked:
        known = next(
            (
                group
                for group in reversed(groups)
                if any(_is_one(mark, item, *other) for other in group)
            ),
            None,
        )
        if known is None:
            groups.append([(mark, item)])
        else:
            known.append((mark, item))
    return [[item for _, item in group] for group in groups if len(group) > 1]


def _mark(item: Recorded) -> _Mark | None:
    """By what a recording is known again; None where it says too little."""
    said = item.attributes
    try:
        start = datetime.fromisoformat(said["start"]).timestamp()
        distance = float(said["distance_m"]) if "distance_m" in said else None
        origin = said.get("distance_from", "")
        return _Mark(start, float(said["span_s"]), distance or None, origin, said.get("device"))
    except (KeyError, ValueError):
        return None


def _is_one(mark: _Mark, item: Recorded, other_mark: _Mark, other: Recorded) -> bool:
    """Whether two recordings are of one activity."""
    if _has_unit(item) and _has_unit(other) and item.unit != other.unit:
        return False
    if mark.device and other_mark.device and mark.device != other_mark.device:
        return False
    longest = max(mark.span_s, other_mark.span_s)
    near = abs(mark.start_s - other_mark.start_s) <= START_S
    near &= abs(mark.span_s - other_mark.span_s) <= max(DURATION * longest, START_S)
    is_alike = mark.distance_from == other_mark.distance_from
    if is_alike and mark.distance_m is not None and other_mark.distance_m is not None:
        farthest = max(mark.distance_m, other_mark.distance_m)
        near &= abs(mark.distance_m - other_mark.distance_m) <= DISTANCE * farthest
    return near


def _has_unit(item: Recorded) -> bool:
    """Whether the request says whose a recording is, rather than calling it like itself."""
    return item.unit != item.id
