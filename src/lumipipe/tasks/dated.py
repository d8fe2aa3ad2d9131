"""A split by dates, held against what the data are of: before a job where it can be told.

From the form alone it is told with the declared periods, in `prepare` with the rows. Which rows
have which part is in `lumipipe.families.roles`, the arithmetic in `lumipipe.splits`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.config import TimeSplit
from lumipipe.config.moments import end_in_words, in_words
from lumipipe.errors import InputError
from lumipipe.splits import refuse_empty_parts, rows_until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from numpy.typing import NDArray

    from lumipipe.config import Request
    from lumipipe.store.dataset import Dataset
    from lumipipe.yamlfile import YamlFile

_MOST_ROWS = 65_536  # read at once


class Stamps(NamedTuple):
    """The rows of a recording.

    Parameters
    ----------
    rows : int
        How many there are.
    read : callable of int, int
        Stamps of a span of them: int64, ns since 1970 (UTC).
    """

    rows: int
    read: Callable[[int, int], NDArray[np.int64]]


def trained_streams(request: Request) -> set[str]:
    """Names of the streams that a split of rows cuts, by any family that takes one."""
    if request.prepare.grid is not None:
        return {"main"}
    train: Mapping[str, Any] = request.train
    models = train.get("models")
    return set(models) if isinstance(models, dict) else {str(train.get("stream", "main"))}


def check_form_of_dates(file: YamlFile, request: Request) -> None:
    """Refuse dates of a split that rows without stamps, or the periods, contradict.

    Parameters
    ----------
    file : YamlFile
        The file, for lines.
    request : Request
        The form.

    Raises
    ------
    InputError
        With the line of the date, and what to write.
    """
    split = request.evaluation.split
    if not isinstance(split, TimeSplit) or not split.dates:
        return
    wanted = trained_streams(request)
    sources = [s for s in request.data if request.prepare.grid or s.stream in wanted]
    for source in sources:
        if not source.is_stamped:
            raise InputError(
                file.place(("evaluation", "split", "train_until")),
                "evaluation.split.train_until is about stamps, and rows of source "
                f"{source.id} have none of the calendar",
                "name the column of stamps under time, or use train_first_s or train_first_rows",
            )
    periods = [source.period for source in sources if source.period is not None]
    if len(periods) < len(sources) or not periods:
        return
    first, last = min(p[0] for p in periods), max(p[1] for p in periods)
    names = ("train_until", "calibrate_until")
    for name, date in zip(names, split.dates, strict=False):
        # The last one must leave rows to test, the first one rows to train on.
        if not first <= date < last:
            raise InputError(
                file.place(("evaluation", "split", name)),
                f"evaluation.split.{name} {end_in_words(date)} lies outside the period of the "
                f"data, {in_words(first)} to {in_words(last)}, or at its end",
                "write a date within it, with rows before and after",
            )


def refuse_dates(request: Request, streams: Mapping[str, Iterable[Stamps]]) -> None:
    """Refuse dates that leave a part of the split without a row.

    Parameters
    ----------
    request : Request
        With its split; one that has no dates is let through.
    streams : mapping of str to iterable of Stamps
        The recordings of each stream.

    Raises
    ------
    InputError
        Naming the date, and from when to when the rows are.
    """
    split = request.evaluation.split
    if not isinstance(split, TimeSplit) or not split.dates:
        return
    for name in sorted(trained_streams(request) & set(streams)):
        until, rows = np.zeros(len(split.dates), dtype=np.int64), 0
        ends: list[int] = []
        for part in streams[name]:
            if part.rows:
                until += rows_until(split, part.read, part.rows, _MOST_ROWS)
                rows += part.rows
                ends += [int(part.read(at, at + 1)[0]) for at in (0, part.rows - 1)]
        refuse_empty_parts(split, until.tolist(), rows, ends)


def stamps_of(dataset: Dataset) -> dict[str, list[Stamps]]:
    """The recordings of each stream of a dataset."""

    def reader(name: str, first: int) -> Callable[[int, int], NDArray[np.int64]]:
        return lambda a, b: dataset.streams[name].read_time(first + a, first + b)

    return {
        name: [
            Stamps(int(rows), reader(name, int(first)))
            for first, rows in zip(table.first_row, table.rows, strict=True)
        ]
        for name, table in dataset.streams.items()
    }
