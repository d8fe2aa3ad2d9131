"""Files of one recording among those given: the same bytes, or the same start and duration.

How activities are known again is in `lumipipe.readers.duplicates`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lumipipe.readers import READERS
from lumipipe.readers.duplicates import duplicate_groups
from lumipipe.readers.legs import ActivityOptions
from lumipipe.tasks.inspecting.figures import file_name

if TYPE_CHECKING:
    from lumipipe.tasks.inspecting.seen import FileSeen, TableSeen


@dataclass(frozen=True)
class _Marked:
    """A recording by what it is known again."""

    id: str
    unit: str
    file: str
    attributes: dict[str, str]
    streams: dict[str, object] = field(default_factory=dict)


def copies_among(files: list[FileSeen]) -> list[str]:
    """Sentences about files that hold one recording.

    Parameters
    ----------
    files : list of FileSeen
        Files that were read.

    Returns
    -------
    list of str
        One for each group.
    """
    by_digest: dict[str, list[str]] = {}
    for file in files:
        by_digest.setdefault(file.sha256, []).append(file_name(file.path))
    found = [
        f"the same bytes: {', '.join(names)}" for names in by_digest.values() if len(names) > 1
    ]
    once = {file.sha256: file for file in files}.values()
    marked = [_mark(file, table) for file in once for table in file.tables]
    for group in duplicate_groups([item for item in marked if item is not None]):
        names = list(dict.fromkeys(item.file for item in group))
        if len(names) > 1:
            found.append(f"start, duration and distance agree: {', '.join(names)}")
    return list(dict.fromkeys(found))


def _mark(file: FileSeen, table: TableSeen) -> _Marked | None:
    """A recording with its start and span; of instruments only with the columns of the other."""
    clock = table.clock
    if clock.start is None or clock.elapsed_s is None:
        return None
    said = dict(table.attributes)
    is_activity = issubclass(READERS[file.format].Options, ActivityOptions)
    if is_activity and any(channel.name == "rr" for channel in table.channels):
        return None  # its records are compared
    span = said.get("span_s", f"{clock.elapsed_s}")
    own = f"{file_name(file.path)}#{table.name}"
    columns = "activity" if is_activity else ",".join(channel.name for channel in table.channels)
    said |= {"start": clock.start, "span_s": span}
    # Recordings of two units are never one: instruments with other columns measured other things.
    return _Marked(own, own if is_activity else columns, file_name(file.path), said)
