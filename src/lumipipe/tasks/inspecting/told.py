"""What was seen, as lines for a terminal of some width."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lumipipe.tasks.inspecting.figures import (
    duration,
    file_name,
    gaps,
    number,
    plain,
    rate,
    share,
    size,
    sparkline,
)
from lumipipe.tasks.inspecting.kinds import told_apart
from lumipipe.tasks.skeleton_sections import inline

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lumipipe.tasks.inspecting.kinds import Kind
    from lumipipe.tasks.inspecting.seen import ChannelSeen, ClockSeen, FileSeen, Refused, TableSeen

_MOST_CHANNELS = 40  # of a table
_MANY = 12  # channels that are not told twice
_MOST_TABLES = 8  # of a file
_MOST_FILES = 40  # that have a line each
_WIDE = 108  # from here on quantity, type and step have room
_NARROWEST_PLOT = 8


def lines_of(
    kinds: Sequence[Kind], refused: Sequence[Refused], copies: Sequence[str], width: int
) -> Iterator[str]:
    """What is in the files.

    Parameters
    ----------
    kinds : sequence of Kind
        Files that were read.
    refused : sequence of Refused
        Files that were not.
    copies : sequence of str
        Sentences about files of one recording.
    width : int
        Signs in a line.

    Yields
    ------
    str
        Lines: the first file of each kind in full, of its others what differs.
    """
    for kind in kinds:
        yield from _file(kind.files[0], width)
        yield from _others(kind, width)
        yield ""
    if copies:
        yield "the same recording more than once:"
        for sentence in copies:
            yield from _wrapped(plain(sentence), width)
        yield ""
    if refused:
        yield f"not read, {len(refused)} file(s):"
        for sentence in refusals(refused):
            yield from _wrapped(sentence, width)
        yield ""


def refusals(refused: Sequence[Refused]) -> list[str]:
    """A sentence for each reason why files were not read, with their names."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for item in refused:
        by_reason.setdefault((item.problem, item.remedy), []).append(item.place)
    return [
        plain(f"{_listed(places)}: {problem}; {remedy}")
        for (problem, remedy), places in by_reason.items()
    ]


def _file(file: FileSeen, width: int) -> Iterator[str]:
    """A file in full."""
    head = f"{file_name(file.path)}: {file.format} (told by {file.told}), {size(file.nbytes)}"
    yield from _wrapped(f"{head}, sha256 {file.sha256[:12]}...", width, "", "  ")
    for word in (file.sampled, *file.words):
        if word:
            yield from _wrapped(plain(word), width)
    if file.read:
        yield from _wrapped(f"read: {options_text(file)}", width)
    before: list[str] = []
    for table in file.tables[:_MOST_TABLES]:
        yield ""
        names = [item.name for item in table.channels if item.has_readings]
        yield from _table(file, table, width, again=names == before and len(names) > _MANY)
        before = names
    if len(file.tables) > _MOST_TABLES:
        yield f"  and {len(file.tables) - _MOST_TABLES} more recordings in this file"


def options_text(file: FileSeen, most: int = 300) -> str:
    """Options of the reader as a request writes them, cut where they are long."""
    text = plain(inline(file.read))
    return text if len(text) <= most else f"{text[:most]}..."


def _table(file: FileSeen, table: TableSeen, width: int, *, again: bool) -> Iterator[str]:
    """A recording in full, or without its channels where they are as many as before."""
    yield from _wrapped(title_of(file, table), width, "  ", "    ")
    for label, text in clock_words(table.clock):
        yield from _wrapped(text, width, f"  {label:<10}", " " * 12)
    known = [item for item in table.channels if item.has_readings and item.role != "time"]
    if again:
        yield "  channels  as in the recording before; --out has their figures"
    elif known:
        yield from _channel_rows(known[:_MOST_CHANNELS], width)
    if len(known) > _MOST_CHANNELS and not again:
        yield f"  and {len(known) - _MOST_CHANNELS} more channels with numbers"
    for label, text in remarks_of(table):
        yield from _wrapped(plain(text), width, f"  {label:<10}", " " * 12)


def title_of(file: FileSeen, table: TableSeen) -> str:
    """What a recording is, in a line."""
    said = table.attributes
    inside = table.read.get("table", table.inside)
    what = f"table {plain(inside)}" if inside and len(file.tables) > 1 else ""
    if "leg" in said:
        sport = said.get("sport", "")
        sport = f", {plain(sport)}" if sport and sport != "unknown" else ""
        what = f"leg {said['leg']} of {said['legs']}{sport}"
        what += ", times between heartbeats" if any(c.name == "rr" for c in table.channels) else ""
    what = what or f"recording {plain(table.name)}"
    count = sum(item.has_readings and item.role != "time" for item in table.channels)
    return f"{what}: {table.rows} rows, {count} channel{'s' * (count != 1)} with numbers"


def clock_words(clock: ClockSeen) -> list[tuple[str, str]]:
    """What is known of the time, by label."""
    lasted = {"elapsed": clock.elapsed_s, "timer": clock.timer_s, "moving": clock.moving_s}
    durations = ", ".join(f"{key} {duration(value)}" for key, value in lasted.items() if value)
    begun = start_text(clock)
    found = [("time", plain(clock.told)), ("start", begun), ("lasts", durations)]
    found += [("rate", rate(clock)), ("gaps", plain(gaps(clock)))]
    if clock.backwards:
        found.append(
            ("fault", f"time goes back {_times(clock.backwards)}, first at {clock.backwards_at}")
        )
    if clock.equal:
        found.append(("stamps", f"{clock.equal} rows have the time of the row before"))
    found += [("stamps", plain(word)) for word in clock.words]
    if clock.choices:
        others = " or ".join(str(choice.get("format")) for choice in clock.choices)
        found.append(("stamps", f"could as well be read as {others}: say which in the request"))
    if clock.rate_hz is None and clock.steps_s is None and clock.nominal_hz is None:
        found = [(label, text) for label, text in found if label != "rate"]
    return [(label, text) for label, text in found if text]


def start_text(clock: ClockSeen) -> str:
    """When a recording began; with UTC only where the file tells its zone."""
    if clock.start is None:
        return ""
    text = plain(clock.start).replace("T", " ", 1)
    return f"{text[:-1]} UTC" if text.endswith("Z") else text


def _channel_rows(channels: list[ChannelSeen], width: int) -> Iterator[str]:
    """A table of channels with their course."""
    is_wide = width >= _WIDE
    heads = ["channel", "quantity", "unit", "missing", "smallest", "median", "largest"]
    rows = [
        [
            plain(item.name),
            item.meaning.quantity or "?",
            plain(item.meaning.unit or (f"?{item.meaning.said}" if item.meaning.said else "?")),
            share(item.missing, item.rows),
            number(item.smallest),
            number(item.median),
            number(item.largest),
        ]
        for item in channels
    ]
    most = [24, 18, 9, 7, 10, 10, 10] if is_wide else [16, 0, 8, 7, 9, 9, 9]
    if is_wide:
        heads += ["step", "type"]
        most += [9, 8]
        for row, item in zip(rows, channels, strict=True):
            row += [number(item.step, 2), item.kind]
    widths = [
        min(max(len(row[at]) for row in [heads, *rows]), limit) for at, limit in enumerate(most)
    ]
    left = {0, 1, 2, 8}

    def line(cells: list[str], plot: str) -> str:
        parts = [
            _cut(cell, room).ljust(room) if at in left else _cut(cell, room).rjust(room)
            for at, (cell, room) in enumerate(zip(cells, widths, strict=True))
            if room
        ]
        return f"  {' '.join(parts)} {plot}".rstrip()

    room = width - 3 - sum(widths) - sum(width_ > 0 for width_ in widths)
    yield line(heads, "")
    for cells, item in zip(rows, channels, strict=True):
        plot = "constant" if item.is_constant else sparkline(item.sketch, min(room, 40, item.rows))
        yield line(cells, plot if room >= _NARROWEST_PLOT else "")


def _cut(text: str, room: int) -> str:
    """A text that fits, cut in its middle."""
    if len(text) <= room:
        return text
    tail = (room - 2) // 2
    return f"{text[: room - 2 - tail]}..{text[len(text) - tail :]}" if tail > 0 else text[:room]


def remarks_of(table: TableSeen) -> list[tuple[str, str]]:
    """What a reader should know of the channels, by label."""
    found = [("code?", text) for text in _codes(table)]
    runs = [
        f"{item.name}, {item.stuck.rows} rows at {number(item.stuck.value)} from {item.stuck.place}"
        for item in table.channels
        if item.stuck is not None
    ]
    found += [("stuck?", _listed(runs, 6, "; "))] if runs else []
    for item in table.channels:
        found += [
            ("note", f"{item.name}: {word}")
            for word in item.words
            if (item.has_readings and not word.startswith("constant")) or item.kind == "text"
        ]
    texts = [f"{c.name} ({c.distinct} different)" for c in table.channels if _is_plain_text(c)]
    numbers = [item for item in table.channels if item.kind != "text" and not item.held_back]
    empty = [item.name for item in numbers if not item.has_readings]
    places = [c.name for c in table.channels if c.held_back == "position"]
    others = [c.name for c in table.channels if c.held_back == "identity"]
    lists = (("text", texts), ("empty", empty), ("not shown", [*places, *others]))
    found += [(label, _listed(names)) for label, names in lists if names]
    if table.keeps_positions:
        found.append(("positions", "there are some; they stay in the reader"))
    if table.repeats:
        found.append(("repeats", f"{table.repeats} rows are like an earlier one in every cell"))
    return found + [("note", note) for note in table.notes]


def _codes(table: TableSeen) -> list[str]:
    """Numbers that may mean "no reading", each with the channels that have it."""
    by_value: dict[float, list[str]] = {}
    for item in table.channels:
        if item.code is not None:
            told = f"{item.name} ({share(item.code.rows, item.rows)})"
            by_value.setdefault(item.code.value, []).append(told)
    return [
        f"{value:g} lies far from all others, in {_listed(names)}: no reading? Then invalid: "
        f"[{value:g}]; figures and plots are without it"
        for value, names in by_value.items()
    ]


def _is_plain_text(channel: ChannelSeen) -> bool:
    return channel.kind == "text" and channel.role != "time" and not channel.held_back


def _times(count: int) -> str:
    """How often.

    >>> _times(1), _times(3)
    ('once', '3 times')
    """
    return "once" if count == 1 else f"{count} times"


def _listed(names: list[str], most: int = 12, sign: str = ", ") -> str:
    """Names in a line."""
    return sign.join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _others(kind: Kind, width: int) -> Iterator[str]:
    """The further files of a kind: a line each, and what is wrong with them."""
    rest = kind.files[1:]
    if not rest:
        return
    yield ""
    yield f"  {len(rest)} more of this kind:"
    names = max(len(file.path.name) for file in rest[:_MOST_FILES])
    for file in rest[:_MOST_FILES]:
        for table in file.tables[:_MOST_TABLES]:
            yield _short(file, table, min(names, max(width - 58, 16)), width)
    if len(rest) > _MOST_FILES:
        yield f"  and {len(rest) - _MOST_FILES} more (all of them with --out)"
    for name, count in told_apart([table for file in kind.files for table in file.tables]).items():
        yield f"  {name} is one text in each file and {count} in all: what tells them apart?"


def _short(file: FileSeen, table: TableSeen, room: int, width: int) -> str:
    """A recording in a line."""
    clock = table.clock
    start = (clock.start or "")[:16].replace("T", " ")
    faults = fault_words(table)
    told = f"  {_cut(plain(file.path.name), room):<{room}} {table.rows:>8} rows {start:<16}"
    told = f"{told} {duration(clock.elapsed_s) if clock.elapsed_s else '':>9} {'; '.join(faults)}"
    return told.rstrip()[:width]


def fault_words(table: TableSeen) -> list[str]:
    """What is wrong or odd in a recording, in few words."""
    clock = table.clock
    found = []
    if clock.backwards:
        found.append("time goes back")
    if count := sum(clock.gaps.values()):
        found.append(f"{count} gap(s)")
    if codes := sum(item.code is not None for item in table.channels):
        found.append(f"{codes} code(s)?")
    if stuck := sum(item.stuck is not None for item in table.channels):
        found.append(f"{stuck} stuck?")
    return found


def _wrapped(text: str, width: int, first: str = "  ", later: str = "    ") -> list[str]:
    """A text in lines of some width."""
    return textwrap.wrap(
        text, width, initial_indent=first, subsequent_indent=later, break_on_hyphens=False
    )
