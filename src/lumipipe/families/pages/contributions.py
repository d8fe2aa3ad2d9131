"""Which channel is behind an alarm: contributions to T² and SPE, beside the channel's own value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from lumipipe.families.guard import guard_model
from lumipipe.families.pages.pushes import push_of
from lumipipe.language import say
from lumipipe.models.monitor import contributions
from lumipipe.reporting.figures.declared import Bars
from lumipipe.reporting.result import Section

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import NDArray

    from lumipipe.families.pages.interface import Subject
    from lumipipe.families.pages.pushes import Push
    from lumipipe.store.dataset import StreamTable

_MOST_BARS, _MOST_ROWS = 12, 50
_GUARDED = frozenset({"recipe", "soft_sensor"})
"""Families whose guard watches the inputs row by row."""


def leading_channels(subject: Subject, table: StreamTable, recording: int, row: int) -> list[str]:
    """Channels by what they add to the distance of a row, the largest first; empty if not known."""
    push = _push(subject, table, recording, row)
    if push is not None:
        return [push.channels[n] for n in np.argsort(-push.added, kind="stable")]
    found = row_contributions(subject, table, recording, [row])
    if found is None:
        named = getattr(subject.job.train, "channel", None)
        if isinstance(named, str):
            return [named]
        there = {channel.name for channel in table.channels}
        return [name for name in leading_indicators(subject) if name in there]
    names, added, _ = found
    order = np.argsort(-added[0], kind="stable")
    return [names[n] for n in order]


def leading_indicators(subject: Subject) -> list[str]:
    """Channels of the indicators of wear, the highest rank first; empty where nothing is ranked."""
    table = subject.outcome.tables.get("indicators", {})
    if "rank" not in table:
        return []
    ranks = np.asarray(table["rank"], dtype=np.float64)
    order = [n for n in np.argsort(ranks, kind="stable") if np.isfinite(ranks[n])]
    return list(dict.fromkeys(str(table["indicator"][n]).partition(":")[0] for n in order))


def _push(subject: Subject, table: StreamTable, recording: int, row: int) -> Push | None:
    """What moved the score of the window that begins at a row; None where there is none."""
    windows = subject.outcome.tables.get("windows")
    if windows is None or subject.job.request.question.family == "bearing":
        return None  # the cases of bearings are whole recordings
    name = subject.job.dataset.recordings[recording].id
    first = int(table.first_row[recording]) + row
    here = (windows["recording"] == name) & (windows["first_row"] == first)
    places = np.flatnonzero(here)
    return push_of(subject, int(places[0])) if len(places) else None


def row_contributions(
    subject: Subject, table: StreamTable, recording: int, rows: Sequence[int]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]] | None:
    """What channels add to the distances of rows, as shares of the limits, and their own values.

    Parameters
    ----------
    subject : Subject
        The judged request.
    table : StreamTable
        Its stream.
    recording : int
        Number of the recording.
    rows : sequence of int
        Rows within it.

    Returns
    -------
    tuple or None
        Names; contributions and standardised values, float64 (row, channel). None where the
        family has no distances of single rows.
    """
    family = subject.job.request.question.family
    if family == "monitoring":
        return _of_monitor(subject, table, recording, rows)
    if (
        family in _GUARDED
        and subject.job.train.window_rows == 1
        and "guard_mean" in subject.model.arrays
        and not _watches_features(subject.model.card)
    ):
        return _of_guard(subject, table, recording, rows)
    return None


def _watches_features(card: dict[str, Any]) -> bool:
    """Whether the guard watches features that are no single channels, such as slopes of spectra."""
    return "choices" in card and len(card["features"]) != len(card["inputs"])


def _read(table: StreamTable, recording: int, rows: Sequence[int]) -> NDArray[np.float64]:
    """Rows of a recording, one by one: they may lie far apart."""
    first = int(table.first_row[recording])
    found = [table.read_rows(first + row, first + row + 1) for row in rows]
    return np.asarray(np.concatenate(found), dtype=np.float64)


def _of_monitor(
    subject: Subject, table: StreamTable, recording: int, rows: Sequence[int]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """By the model of normal operation."""
    settings = subject.job.train.models[table.name]
    unit = subject.job.dataset.recordings[recording].unit
    key = unit if settings.one_model_for == "unit" else "all"
    card = subject.model.card["streams"][table.name]
    prefix = f"{table.name}/{key}/"
    arrays = {
        name.removeprefix(prefix): array
        for name, array in subject.model.arrays.items()
        if name.startswith(prefix)
    }
    places = [[c.name for c in table.channels].index(name) for name in card["channels"]]
    found = contributions(arrays, _read(table, recording, rows)[:, places])
    limits = card["models"][key]["limits"]
    kind = subject.job.score.limits
    added = (
        found["t2_contribution"] / limits["t2"][kind]
        + found["spe_contribution"] / limits["spe"][kind]
    )
    return list(card["channels"]), np.asarray(added), np.asarray(found["z"])


def _of_guard(
    subject: Subject, table: StreamTable, recording: int, rows: Sequence[int]
) -> tuple[list[str], NDArray[np.float64], NDArray[np.float64]]:
    """By the guard of the inputs of a regression."""
    card, arrays = subject.model.card, subject.model.arrays
    names = [name for name, _, _ in card["inputs"]] + list(card["watched"])
    places = [[c.name for c in table.channels].index(name) for name in names]
    values = _read(table, recording, rows)[:, places]
    for n, name in enumerate(names):
        if name in card["log"]:
            values[:, n] = np.log(values[:, n])
        values[:, n] -= card["centre_and_scale"][n][0]
    found = contributions(guard_model(arrays, -1), values)
    added = found["t2_contribution"] / float(arrays["envelope_t2"]) + found[
        "spe_contribution"
    ] / float(arrays["envelope_spe"])
    return names, np.asarray(added), np.asarray(found["z"])


def contribution_section(
    subject: Subject, table: StreamTable, recording: NDArray[np.int64], row: NDArray[np.int64]
) -> Section | None:
    """Mean contributions over rows that are outside the envelope, with the univariate check.

    Parameters
    ----------
    subject : Subject
        The judged request.
    table : StreamTable
        Its stream.
    recording, row : ndarray of int64, shape (row,)
        The rows; of more than fifty, fifty that are evenly spread.

    Returns
    -------
    Section or None
        None where there is no such row, or no distance of single rows.
    """
    if not len(row):
        return None
    chosen = np.unique(np.linspace(0, len(row) - 1, min(len(row), _MOST_ROWS)).astype(np.int64))
    added, own, names = [], [], list[str]()
    for one in np.unique(recording[chosen]):
        mine = row[chosen][recording[chosen] == one]
        found = row_contributions(subject, table, int(one), mine.tolist())
        if found is None:
            return None
        names = found[0]
        added.append(found[1])
        own.append(found[2])
    mean, rms = np.concatenate(added).mean(axis=0), np.sqrt((np.concatenate(own) ** 2).mean(axis=0))
    top = np.argsort(-mean, kind="stable")[:_MOST_BARS]
    bars = Bars(
        kind="bars",
        title=say("Channels behind the rows outside the operating envelope"),
        caption=say(
            "Left: mean contribution to T² and SPE, each as a share of its limit. Right: root mean "
            "square of the channel's own standardised value; a long left bar with a short right "
            "one may be smeared over from another channel."
        ),
        alt=say("Largest contribution: {name}.", name=names[top[0]]),
        labels=[names[n] for n in top],
        values=[float(mean[n]) for n in top],
        second=[float(rms[n]) for n in top],
        x_label=say("mean contribution, shares of the limits"),
        second_label=say("own value (rms of z)"),
    )
    text = say("{rows} of {count} rows outside the envelope.", rows=len(chosen), count=len(row))
    return Section(title=say("Channels behind the rows outside"), paragraphs=[text], figures=[bars])
