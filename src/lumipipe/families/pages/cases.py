"""A hit, a miss and a false alarm: which rows of a family's tables are one, and which is shown.

The one that is shown is the median of its kind by a score, so that neither the best nor the worst
stands for all; the choice depends on the tables alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.pages.streams import stream_of
from lumipipe.families.pages.windows import window_rows_of
from lumipipe.language import message, say

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from lumipipe.families.pages.interface import Subject

HIT, MISS, FALSE_ALARM = message("hit"), message("miss"), message("false alarm")
KINDS = (HIT, MISS, FALSE_ALARM)


@dataclass(frozen=True)
class Cases:
    """Rows of a table that are a hit, a miss or a false alarm.

    Parameters
    ----------
    meanings : dict of str to str
        What each of `KINDS` is here, in words.
    recording : ndarray of str, shape (case,)
        Name of the recording of each row.
    row : ndarray of int64, shape (case,)
        First row of each case within its recording.
    length : int
        Rows of a case; 0 where it is a whole recording.
    kind : ndarray of int64, shape (case,)
        Place in `KINDS`; -1 for none of them.
    score : ndarray of float64, shape (case,)
        What cases of a kind are ordered by.
    """

    meanings: Mapping[str, str]
    recording: NDArray[Any]
    row: NDArray[np.int64]
    length: int
    kind: NDArray[np.int64]
    score: NDArray[np.float64]

    def count(self, kind: int) -> int:
        """Cases of a kind."""
        return int((self.kind == kind).sum())

    def median(self, kind: int) -> int | None:
        """Place of the case with the median score of its kind; None where there is none."""
        places = np.flatnonzero(self.kind == kind)
        if not len(places):
            return None
        order = np.argsort(np.nan_to_num(self.score[places], nan=-np.inf), kind="stable")
        return int(places[order[(len(order) - 1) // 2]])


def kinds(
    event: NDArray[np.bool_], alarm: NDArray[np.bool_], counts: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Place in `KINDS` of rows; -1 where nothing happened or the row does not count.

    Examples
    --------
    >>> event, alarm = np.array([True, True, False, False]), np.array([True, False, True, False])
    >>> kinds(event, alarm, np.ones(4, dtype=bool))
    array([ 0,  1,  2, -1])
    """
    found = np.full(len(event), -1, dtype=np.int64)
    found[event & alarm & counts] = KINDS.index(HIT)
    found[event & ~alarm & counts] = KINDS.index(MISS)
    found[~event & alarm & counts] = KINDS.index(FALSE_ALARM)
    return found


def told_normal(subject: Subject, rows: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_]:
    """Tested rows of recordings whose fault the request tells, of the family `monitoring`."""
    event = subject.job.score.event
    told = np.asarray(rows["phase"] == "test") & (event is not None)
    if event is not None and event.recordings is not None:
        told &= np.isin(rows["recording"].astype(str), event.recordings)
    return np.asarray(told)


def monitoring_cases(subject: Subject) -> Cases:
    """Rows in and out of alarm."""
    rows = subject.outcome.tables["rows"]
    alarm = np.asarray(rows["t2_alarm"] | rows["spe_alarm"])
    event = np.asarray(rows["event"], dtype=np.bool_)
    return Cases(
        {
            HIT: say("a row of the known fault that is in alarm"),
            MISS: say("a row of the known fault without alarm"),
            FALSE_ALARM: say("a row that is told to be normal, in alarm"),
        },
        rows["recording"],
        np.asarray(rows["row"]),
        1,
        kinds(event, alarm, told_normal(subject, rows)),
        np.asarray(rows["spe"], dtype=np.float64),
    )


def weakest_class(truth: NDArray[Any], recognised: NDArray[Any]) -> str:
    """The class that is recognised worst, by its F1; of equal ones the first by name."""
    names: list[str] = sorted(set(truth.astype(str).tolist()))

    def f1(name: str) -> float:
        hits = int(((truth == name) & (recognised == name)).sum())
        return 2 * hits / max(1, int((truth == name).sum() + (recognised == name).sum()))

    return min(names, key=lambda name: (f1(name), name))


def window_cases(subject: Subject) -> Cases | None:
    """Windows of the class that is recognised worst; None without a classifier."""
    rows = subject.outcome.tables.get("windows")
    if rows is None or not len(rows["truth"]):
        return None
    truth, recognised = rows["truth"], rows["recognised"]
    name = weakest_class(truth, recognised)
    score = np.asarray(rows[f"output_{name}"], dtype=np.float64)
    # The table counts rows in the stream, a case within its recording.
    before = {
        row.id: int(stream_of(subject, number).first_row[number])
        for number, row in enumerate(subject.job.dataset.recordings)
    }
    first = np.array([before[str(one)] for one in rows["recording"]], dtype=np.int64)
    return Cases(
        {
            HIT: say("a window of class {name} that is recognised", name=name),
            MISS: say("a window of class {name} that is taken for another", name=name),
            FALSE_ALARM: say("a window of another class that is taken for class {name}", name=name),
        },
        rows["recording"],
        np.asarray(rows["first_row"]) - first,
        window_rows_of(subject),
        kinds(truth == name, recognised == name, np.ones(len(truth), dtype=np.bool_)),
        score,
    )


def bearing_cases(subject: Subject) -> Cases | None:
    """Recordings whose true fault the request tells."""
    job, rows = subject.job, subject.outcome.tables["diagnoses"]
    if job.score.truth is None:
        return None
    known = {one["recording"]: one.get(job.score.truth, "") for one in job.known()}
    truth = np.array([job.score.meaning.get(known[name], "") for name in rows["recording"]])
    alarm = np.asarray(rows["verdict"] == "fault")
    right = alarm & (rows["fault"].astype(str) == truth)
    event = (truth != "no fault") & (truth != "")
    found = kinds(event, right, truth != "")
    found[alarm & ~right & (truth != "")] = KINDS.index(FALSE_ALARM)
    scores = np.stack([rows[n] for n in rows if n.startswith("score_")]).astype(np.float64)
    return Cases(
        {
            HIT: say("a recording whose known fault is named"),
            MISS: say("a recording whose known fault is not named, inconclusive ones included"),
            FALSE_ALARM: say("a recording for which a fault is named that it does not have"),
        },
        rows["recording"],
        np.zeros(len(truth), dtype=np.int64),
        0,
        found,
        np.nanmax(np.nan_to_num(scores, nan=-np.inf), axis=0),
    )


def regression_cases(subject: Subject, target: str = "") -> Cases:
    """Rows outside the operating envelope, and rows whose interval does not hold the truth."""
    rows = subject.outcome.tables["rows"]
    suffix = f"_{target}" if target else ""
    truth, lower, upper = (
        np.asarray(rows[f"{name}{suffix}"], dtype=np.float64)
        for name in ("measured", "lower", "upper")
    )
    known = np.isfinite(truth) & np.isfinite(lower) & (rows["phase"] == "test")
    off = (truth < lower) | (truth > upper)
    return Cases(
        {
            HIT: say("a row outside the operating envelope that the interval misses"),
            MISS: say("a row inside the operating envelope that the interval misses"),
            FALSE_ALARM: say("a row outside the operating envelope that the interval holds"),
        },
        rows["recording"],
        np.asarray(rows["row"]),
        1,
        kinds(off, ~np.asarray(rows["inside_envelope"], dtype=np.bool_), known),
        np.abs(truth - 0.5 * (lower + upper)),
    )


def life_cases(subject: Subject) -> Cases | None:
    """Units that were judged, by whether their end came inside, before or after the interval."""
    scores = subject.facts
    if scores is None:
        return None
    rows = scores.instants
    stream = scores.windows[0].regression.stream
    life = np.asarray(rows["truth"])
    known = np.isfinite(life) & np.isfinite(rows["prediction"]) & rows["inside"]
    found = np.full(len(life), -1, dtype=np.int64)
    inside = (life >= rows["lower"]) & (life <= rows["upper"])
    for kind, mask in enumerate((inside, life < rows["lower"], life > rows["upper"])):
        found[known & mask] = kind
    number = np.asarray(rows["number"], dtype=np.int64)
    recording = scores.clock.recording(number)
    names = np.array([row.id for row in subject.job.dataset.recordings], dtype=object)
    return Cases(
        {
            HIT: say("a unit whose end came within its interval"),
            MISS: say("a unit whose end came before its interval: the warning was too late"),
            FALSE_ALARM: say("a unit that lasted longer than its interval: a warning too early"),
        },
        names[recording],
        number - stream.first_row[recording],
        1,
        found,
        np.abs(life - rows["prediction"]),
    )


def cases_of(subject: Subject) -> Cases | None:
    """The cases of the subject's family; None where nothing can be hit or missed."""
    makers: dict[str, Callable[[Subject], Cases | None]] = {
        "monitoring": monitoring_cases,
        "activity": window_cases,
        "technique": window_cases,
        "bearing": bearing_cases,
        "recipe": regression_cases,
        "soft_sensor": _soft_sensor_cases,
        "remaining_life": life_cases,
    }
    maker = makers.get(subject.job.request.question.family)
    return None if maker is None else maker(subject)


def _soft_sensor_cases(subject: Subject) -> Cases:
    """Rows of the first target."""
    targets = subject.job.train.targets
    return regression_cases(subject, targets[0] if len(targets) > 1 else "")
