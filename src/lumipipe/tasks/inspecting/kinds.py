"""Files of one kind together, the family that fits them, and the source of a request for them."""

from __future__ import annotations

import glob
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from lumipipe.families import FAMILIES
from lumipipe.readers import READERS
from lumipipe.readers.legs import ActivityOptions
from lumipipe.tasks.skeleton import ChannelToUse, SourceToUse

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lumipipe.tasks.inspecting.seen import ChannelSeen, FileSeen, TableSeen

_VIBRATION_HZ = 2000.0
_WORN_HZ = (10.0, 500.0)
_FROM_MACHINES = {"tdms", "uff", "ide", "scope", "mdf"}
_FEWEST_FOR_PATTERN = 2
_MOST_SOURCES = 12
_UNMEASURED = {"timer", "symbol"}  # what a reader adds, and kinds of beats
_OF_PEOPLE = {"wfdb", "fitbit", "epts", "tracab"}  # beside formats that know pseudonyms
_NOT_SAID = {"", "unknown", "generic"}  # of a sport


@dataclass(frozen=True)
class Kind:
    """Files with the same format and columns.

    Parameters
    ----------
    files : tuple of FileSeen
        In the order in which they were given.
    """

    files: tuple[FileSeen, ...]

    @property
    def format(self) -> str:
        """Their format."""
        return self.files[0].format

    @property
    def is_activity(self) -> bool:
        """Whether they are activities of people."""
        return issubclass(READERS[self.format].Options, ActivityOptions)

    def tables(self, wanted: TableSeen) -> list[TableSeen]:
        """The tables of all files that correspond to one."""
        return [
            table
            for file in self.files
            for table in file.tables
            if table.read == wanted.read and _is_alike(table, wanted, loose=self.is_activity)
        ]


def _is_alike(table: TableSeen, other: TableSeen, *, loose: bool) -> bool:
    """Whether two tables have the same columns; activities only the same kind of row."""
    names = {channel.name for channel in table.channels}
    others = {channel.name for channel in other.channels}
    return ("rr" in names) == ("rr" in others) if loose else names == others


def kinds_of(files: list[FileSeen]) -> list[Kind]:
    """Files by kind, the kind with most readings first."""
    found: dict[Any, list[FileSeen]] = {}
    for file in files:
        is_activity = issubclass(READERS[file.format].Options, ActivityOptions)
        columns = frozenset(
            (table.inside, frozenset(channel.name for channel in table.channels))
            for table in file.tables
        )
        key = (file.format, None if is_activity else columns)
        found.setdefault(key, []).append(file)
    kinds = [Kind(tuple(items)) for items in found.values()]
    return sorted(kinds, key=lambda kind: -sum(_cells(t) for f in kind.files for t in f.tables))


def _cells(table: TableSeen) -> int:
    return table.rows * len(table.channels)


class Proposal(NamedTuple):
    """A family, and why it fits."""

    family: str
    because: str


def proposal_for(kind: Kind, family: str | None = None) -> tuple[Proposal, TableSeen]:
    """The family that fits files of a kind, and the table that it would use.

    Parameters
    ----------
    kind : Kind
        The files.
    family : str or None
        The one that the user asks for.

    Returns
    -------
    tuple of Proposal and TableSeen
        Monitoring where nothing else fits; only families of the registry.
    """
    tables = sorted(kind.files[0].tables, key=_cells, reverse=True)
    if family is not None:
        beats = [table for table in tables if _has(table, "rr")] if family == "hrv" else []
        return Proposal(family, "as asked for"), (beats or _not_beats(tables))[0]
    for name, test, because in _TESTS:
        found = [table for table in tables if test(kind, table)]
        if name in FAMILIES and found:
            return Proposal(name, because + _besides(name, tables)), found[0]
    table = _not_beats(tables)[0]
    but = "" if _count(table) > 1 else ", but it needs several channels"
    return Proposal("monitoring", f"no other family fits better{but}"), table


def _besides(name: str, tables: list[TableSeen]) -> str:
    """What else an activity could be asked."""
    has_beats = name == "session_load" and any(_has(table, "rr") for table in tables)
    return ", with times between heartbeats for --family hrv" if has_beats else ""


def _not_beats(tables: list[TableSeen]) -> list[TableSeen]:
    """The tables, those without times between beats first."""
    return sorted(tables, key=lambda table: _has(table, "rr"))


def _has(table: TableSeen, *names: str) -> bool:
    """Whether a table has readings of one of some columns."""
    return any(item.name in names and item.has_readings for item in table.channels)


def _measures(table: TableSeen, quantity: str) -> bool:
    """Whether a table has readings of a quantity."""
    return any(item.meaning.quantity == quantity and item.has_readings for item in table.channels)


def _count(table: TableSeen) -> int:
    """How many columns measure something."""
    return sum(i.has_readings and not i.is_constant and not i.role for i in table.channels)


def _rate(table: TableSeen) -> float:
    return table.clock.rate_hz or table.clock.nominal_hz or 0.0


def _is_session(kind: Kind, table: TableSeen, *names: str) -> bool:
    """Whether a table is a dated activity with readings of one of some columns."""
    is_dated = table.clock.request.get("origin") == "1970"
    return kind.is_activity and is_dated and _has(table, *names) and not _has(table, "rr")


def _is_technique(table: TableSeen) -> bool:
    """Whether a table has forces of two poles at least, and a label."""
    forces = sum(i.meaning.quantity == "force" and i.has_readings for i in table.channels)
    return forces > 1 and bool(_labels(table))


def _labels(table: TableSeen) -> list[str]:
    """Columns of text with a few different words."""
    return [
        item.name
        for item in table.channels
        if item.kind == "text" and item.role == "state" and (item.distinct or 0) > 1
    ]


def told_apart(tables: Sequence[TableSeen]) -> dict[str, int]:
    """Columns of text that hold one word in each table, and how many different ones in all."""
    found = {}
    for item in tables[0].channels:
        texts = [c.only for table in tables for c in table.channels if c.name == item.name]
        if len(texts) == len(tables) and all(texts) and 1 < len(set(texts)) < len(tables):
            found[item.name] = len(set(texts))
    return found


_TESTS: tuple[tuple[str, Callable[[Kind, TableSeen], bool], str], ...] = (
    ("esports", lambda kind, table: kind.format == "sc2replay", "replays of games"),  # noqa: ARG005
    (
        "session_load",
        lambda kind, table: _is_session(kind, table, "power", "speed"),
        "an activity with power or speed",
    ),
    ("hrv", lambda kind, table: _has(table, "rr"), "times between heartbeats"),  # noqa: ARG005
    (
        "session_load",
        lambda kind, table: _is_session(kind, table, "heart_rate", "distance"),
        "an activity with heart rate or distance",
    ),
    (
        "technique",
        lambda kind, table: _is_technique(table),  # noqa: ARG005
        "forces of two poles and a label",
    ),
    (
        "bearing",
        lambda kind, table: _measures(table, "acceleration") and _rate(table) >= _VIBRATION_HZ,  # noqa: ARG005
        "acceleration at more than 2 kHz",
    ),
    (
        "activity",
        lambda kind, table: (  # noqa: ARG005
            _measures(table, "acceleration") and _WORN_HZ[0] <= _rate(table) <= _WORN_HZ[1]
        ),
        "acceleration at the rate of worn sensors",
    ),
    (
        "monitoring",
        lambda kind, table: _count(table) > 1,  # noqa: ARG005
        "several channels of one process",
    ),
)


def source_of(kind: Kind, table: TableSeen, base: Path) -> SourceToUse:
    """The source that a request would use.

    Parameters
    ----------
    kind : Kind
        The files.
    table : TableSeen
        The table that is used of each.
    base : Path
        Folder of the request.

    Returns
    -------
    SourceToUse
        For `lumipipe.tasks.skeleton.request_text`.
    """
    first = kind.files[0]
    tables = kind.tables(table)
    patterns, note = _patterns([file.path for file in kind.files], base)
    inside = [other.inside for other in first.tables if other.inside not in {None, table.inside}]
    comments = [note] if note else []
    if inside:
        comments.append(
            f"other tables, each a source of its own by read.table: {', '.join(map(str, inside))}"
        )
    if any(item.keeps_positions for item in tables):
        comments.append(
            "positions stay in the reader; read.positions: true with hide_ends_m lets them out"
        )
    channels = tuple(_channel(tables, item) for item in table.channels if not _is_left_out(item))
    if kind.format == "sc2replay":  # what is counted; and names of files often name players
        channels = tuple(replace(i, is_used=i.is_used and i.column == "kind") for i in channels)
        comments.append("a run keeps names of files: take nicknames out of them")
    apart = told_apart(tables)
    comments += [
        f"{name} is one text in each file, {count} in all: is it a label, or are these different "
        "states that one model must not learn as one?"
        for name, count in apart.items()
    ]
    labels = dict.fromkeys([*_labels(table), *apart], "column")
    if kind.format == "ts" and "class" in table.attributes:
        labels = {"class": "attribute"}
    return SourceToUse(
        id=_identity(kind),
        patterns=patterns,
        format=kind.format,
        read={**first.read, **table.read},
        time=table.clock.request,
        channels=_enough(channels, kind),
        rows=min(item.rows for item in tables),
        other_times=table.clock.choices,
        rate_hz=_rate(table) or None,
        labels=labels,
        personal=_personal(kind, table),
        comments=tuple(comments),
        recordings=_recordings(table),
        step_s=table.clock.steps_s[1] if table.clock.steps_s else None,
        sport=_sport(tables),
    )


def _identity(kind: Kind) -> str:
    """What names of files have in common; of replays nothing, for they name players."""
    if kind.format == "sc2replay":
        return "replays"
    shared = _common([file.path.name for file in kind.files]).partition(".")[0]
    return shared.rstrip("-_0123456789") or kind.format


def _recordings(table: TableSeen) -> dict[str, str]:
    """How recordings are told apart: players of a game by number, others by their file."""
    if {"game", "player", "person"} <= table.attributes.keys():
        return {"id": "{game}-{player}", "unit": "{person}"}
    return {"unit": "{name}"}


def _sport(tables: list[TableSeen]) -> str | None:
    """The one sport of all recordings, where the files say it."""
    told = {table.attributes.get("sport", "") for table in tables}
    return None if len(told) != 1 or told & _NOT_SAID else told.pop()


def _is_left_out(channel: ChannelSeen) -> bool:
    """Whether a column is no channel at all."""
    return (
        channel.role == "time"
        or channel.kind == "text"
        or bool(channel.held_back)
        or channel.name in _UNMEASURED
    )


def _channel(tables: list[TableSeen], channel: ChannelSeen) -> ChannelToUse:
    """A column as a request would use it, and why it would not."""
    same = [item for table in tables for item in table.channels if item.name == channel.name]
    empty = sum(not item.has_readings for item in same) + len(tables) - len(same)
    meaning, reasons = channel.meaning, []
    if empty == len(tables):
        reasons.append("no readings")
    elif empty:
        reasons.append(f"no readings in {empty} of {len(tables)} recordings")
    elif all(item.is_constant for item in same):
        reasons.append("constant")
    elif channel.role == "counter":
        reasons.append("counts the rows")
    elif channel.role == "state":
        reasons.append(f"{channel.distinct} different values: a state or a label?")
    told = [] if meaning.unit or not meaning.said else [f"the file says {meaning.said}"]
    if meaning.quantity and meaning.guessed == "name" and not meaning.unit:
        told.append("quantity guessed from the name")
    code = () if channel.code is None else (channel.code.value,)
    if code:
        told.append(f"{code[0]:g} may mean no reading")
    return ChannelToUse(
        column=channel.name,
        quantity=meaning.quantity,
        unit=meaning.unit,
        invalid=code,
        comment="; ".join([*reasons, *told]),
        is_used=not reasons,
    )


def _enough(channels: tuple[ChannelToUse, ...], kind: Kind) -> tuple[ChannelToUse, ...]:
    """Channels without a unit commented out, where the format states the units of two others."""
    known = [item for item in channels if item.is_used and item.unit]
    if not (kind.is_activity or kind.format in _FROM_MACHINES) or len(known) < 2:  # noqa: PLR2004
        return channels
    return tuple(item if item.unit else replace(item, is_used=False) for item in channels)


def _personal(kind: Kind, table: TableSeen) -> bool | None:
    """Whether data come from people: known of activities and of instruments on machines."""
    knows_persons = "pseudonyms" in READERS[kind.format].Options.model_fields
    if knows_persons or kind.format in _OF_PEOPLE or table.keeps_positions:
        return True
    if any(channel.held_back for channel in table.channels):
        return None
    return False if kind.format in _FROM_MACHINES else None


def _patterns(files: list[Path], base: Path) -> tuple[tuple[str, ...], str]:
    """Paths or one glob that mean exactly some files, and a remark where none does."""
    names = [_path_from(base, file) for file in files]
    if len(files) < _FEWEST_FOR_PATTERN:
        return tuple(map(glob.escape, names)), ""
    wanted = {file.resolve() for file in files}
    tried = _globs(names)
    for pattern in tried:
        if _matched(base, pattern) == wanted:
            return (pattern,), ""
    if len(files) <= _MOST_SOURCES:
        return tuple(map(glob.escape, names)), ""
    return (
        tried[-1],
    ), f"narrow this pattern: it means more than the {len(files)} files that were given"


def _matched(base: Path, pattern: str) -> set[Path]:
    """The files that a pattern means from a folder, which may not be there yet."""
    whole = os.path.normpath(base.resolve() / pattern)
    paths = map(Path, glob.glob(whole, recursive=True))  # noqa: PTH207 (** goes into folders)
    return {path.resolve() for path in paths if path.is_file()}


def _path_from(base: Path, file: Path) -> str:
    """A path as a request in a folder writes it: from there, or from the root if shorter."""
    whole, way = file.resolve().as_posix(), Path(os.path.relpath(file, base)).as_posix()
    return whole if way.startswith("../") and len(whole) < len(way) else way


def _globs(names: list[str]) -> list[str]:
    """Patterns that mean at least these paths, the narrowest first."""
    paths = [Path(name) for name in names]
    folders = {path.parent.as_posix() for path in paths}
    begin = _common([path.name for path in paths])
    end = _common([path.name[::-1] for path in paths])[::-1]
    end = end[len(end) - min(len(end), min(len(p.name) for p in paths) - len(begin)) :]
    suffix = paths[0].suffix
    nexts = {path.name[len(begin) : len(begin) + 1] for path in paths}
    one_of = f"[{''.join(sorted(nexts))}]" if all(sign.isalnum() for sign in nexts) else ""
    alike = _alike([path.name for path in paths])
    ends = [
        f"{glob.escape(begin)}{one_of}*{glob.escape(end)}",
        f"{glob.escape(begin)}*{glob.escape(end)}",
        *([alike] if alike else []),
        f"*{glob.escape(end)}",
        f"*{suffix}",
    ]
    if len(folders) == 1:
        (folder,) = folders
        at = "" if folder == "." else f"{glob.escape(folder)}/"
        return [f"{at}{item}" for item in ends]
    common = os.path.commonpath([path.parent.as_posix() for path in paths])
    at = f"{glob.escape(common)}/" if common else ""
    depth = {len(Path(os.path.relpath(path.parent, common or ".")).parts) for path in paths}
    middle = "/".join(["*"] * depth.pop()) if len(depth) == 1 else "**"
    return [f"{at}{middle}/{item}" for item in ends]


def _alike(names: list[str]) -> str:
    """One pattern of words, numbers and signs that all names follow; empty where none is.

    >>> _alike(["ok_1.csv", "ok_2.csv", "bad_11.csv"])
    '[bo]*_[0-9]*.csv'
    """
    parts = [re.findall(r"[A-Za-z]+|[0-9]+|[^A-Za-z0-9]", name) for name in names]
    if len({len(part) for part in parts}) > 1:
        return ""
    return "".join(map(_one_of, zip(*parts, strict=True)))


def _one_of(words: tuple[str, ...]) -> str:
    """A pattern for some words, all numbers, all of letters, or one sign."""
    if len(set(words)) == 1:
        return glob.escape(words[0])
    if all(word.isdigit() for word in words):
        return "[0-9]*" if max(map(len, words)) > 1 else "[0-9]"
    return (
        f"[{''.join(sorted({word[0] for word in words}))}]*"
        if all(map(str.isalpha, words))
        else "*"
    )


def _common(names: list[str]) -> str:
    """The beginning that all names share."""
    first, last = min(names), max(names)
    at = next(
        (n for n, signs in enumerate(zip(first, last, strict=False)) if len(set(signs)) > 1), None
    )
    return first[: min(len(first), len(last)) if at is None else at]
