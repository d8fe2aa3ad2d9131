"""What one file holds: its tables, each with clock and channels.

Which format and options it has is told in `lumipipe.tasks.inspecting.opening`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from lumipipe.readers import READERS
from lumipipe.readers.containers import ContainerOptions
from lumipipe.readers.files import file_digest
from lumipipe.readers.privacy import POSITIONS_KEPT
from lumipipe.tasks.inspecting.channels import channel_seen, held_back
from lumipipe.tasks.inspecting.clock import clock_of
from lumipipe.tasks.inspecting.meaning import meaning_of
from lumipipe.tasks.inspecting.opening import opened, tables_of
from lumipipe.tasks.inspecting.seen import ChannelSeen, FileSeen, TableSeen

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from lumipipe.readers.tables import Table

_MOST_COMPARED = 5_000_000  # cells in which repeated rows are looked for
_MANY = 4  # columns: rows of fewer may well be alike where there is no time
# What a reader says in its documentation only.
_UNITS = {"sc2replay": {"time": "s", "frame": "1", "kind": "1", "action": "1"}}
_DURATIONS = {"elapsed_s", "timer_s", "moving_s", "start", "rate_hz"}


def file_seen(file: Path, name: str, told: str, given: Mapping[str, Any]) -> FileSeen:
    """What is in a file.

    Parameters
    ----------
    file : Path
        The file.
    name : str
        Its format.
    told : str
        By what the format was told.
    given : mapping
        Options of the reader that the user gave.

    Returns
    -------
    FileSeen
        One table after the other is in memory, never two.

    Raises
    ------
    InputError
        If the reader refuses the file.
    """
    found: list[TableSeen] = []
    with opened(file, name, given) as ways:
        for table, read in tables_of(ways, name, given):
            known = _UNITS.get(name, {}) | ways.units
            units = {f"unit:{column}": unit for column, unit in known.items()}
            found.append(_table_seen(replace(table, attributes=units | table.attributes), read))
    if len({table.inside for table in found}) > 1 and "table" not in given:
        is_container = issubclass(READERS[name].Options, ContainerOptions)
        found = [_chosen(table) if is_container else table for table in found]
    return FileSeen(
        path=file,
        format=name,
        told=told,
        nbytes=file.stat().st_size,
        sha256=file_digest(file),
        tables=tuple(found),
        read=ways.read,
        sampled=ways.sampled,
        words=tuple(ways.words),
    )


def _chosen(table: TableSeen) -> TableSeen:
    """The table with the option that chooses it among those of its file."""
    return replace(table, read={"table": table.inside})


def _table_seen(table: Table, read: dict[str, Any]) -> TableSeen:
    """What one table holds."""
    clock = clock_of(table)
    channels = [
        channel_seen(table, name, meaning_of(table, name), clock.position) for name in table.columns
    ]
    if "utc_offset" in table.attributes:  # columns that a reader of activities adds to all
        channels = [item for item in channels if item.name != "timer" and _is_told(item)]
    rows = len(next(iter(table.columns.values())))
    said = {
        key: value
        for key, value in table.attributes.items()
        if not (
            key in _DURATIONS | POSITIONS_KEPT.keys() or key.startswith("unit") or held_back(key)
        )
    }
    return TableSeen(
        name=table.name,
        inside=table.attributes.get("table"),
        rows=rows,
        clock=clock.seen,
        channels=tuple(_as_time(item) if item.name in clock.columns else item for item in channels),
        read=read,
        attributes=said,
        repeats=_repeats(table) if clock.columns or len(table.columns) >= _MANY else None,
        keeps_positions=POSITIONS_KEPT.items() <= table.attributes.items(),
        notes=table.notes,
    )


def _is_told(channel: ChannelSeen) -> bool:
    """Whether a column of an activity has a reading, or hides what it has."""
    return channel.has_readings or bool(channel.held_back) or channel.kind == "text"


def _as_time(channel: ChannelSeen) -> ChannelSeen:
    """The channel as one of time."""
    return replace(channel, role="time")


def _repeats(table: Table) -> int | None:
    """Rows that are like an earlier one in every cell; None where there are too many to compare."""
    columns = table.columns
    rows = len(next(iter(columns.values())))
    if rows * len(columns) > _MOST_COMPARED:
        return None
    return int(np.asarray(pd.DataFrame(columns).duplicated()).sum())
