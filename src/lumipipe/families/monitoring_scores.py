"""The judged rows of the family `monitoring`: false alarms, detection, a verdict a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.families.roles import TEST
from lumipipe.language import many, say, say_count, term
from lumipipe.reporting.result import Metric, Unit
from lumipipe.uncertainty.proportions import clopper_pearson, share_between_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job

ALARM_RATE = "alarm_rate"
"""The metric that needs no known fault."""
METRICS = {
    "false_alarm_rate": "<=",
    ALARM_RATE: "<=",
    "missed_detection_rate": "<=",
    "precision": ">=",
    "recall": ">=",
    "f1": ">=",
}
"""Metrics by name, and the side on which they are good."""
NOT_DETECTABLE = term("not detectable")
CHANGED, AS_BEFORE = term("changed"), term("as before")
_DAY_S = 86_400.0
_HALF = 0.5


@dataclass(frozen=True)
class Scored:
    """The rows of one recording, judged."""

    stream: str
    key: str
    recording: int
    name: str
    rows: dict[str, NDArray[Any]]
    sums: dict[str, NDArray[Any]]
    is_told: bool
    """Whether the request tells which of the tested rows are a fault and which are normal."""

    @property
    def alarm(self) -> NDArray[np.bool_]:
        """Rows on which T² or SPE is above its limit."""
        return np.asarray(self.rows["t2_alarm"] | self.rows["spe_alarm"])

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Rows that test."""
        return np.asarray(self.rows["phase"] == TEST)

    @property
    def normal(self) -> NDArray[np.bool_]:
        """Tested rows that are known to be normal."""
        return np.asarray(self.tested & ~self.rows["event"] & self.is_told)

    @property
    def untold(self) -> NDArray[np.bool_]:
        """Tested rows of which nobody says whether they are normal."""
        return np.asarray(self.tested & (not self.is_told))

    @property
    def event(self) -> NDArray[np.bool_]:
        """Tested rows inside the known fault."""
        return np.asarray(self.tested & self.rows["event"])


def judged_recordings(job: Job, stream: str, unit: str, state: dict[str, Any]) -> list[Scored]:
    """The judged rows of a unit, recording by recording."""
    rows = {n.removeprefix("rows."): a for n, a in state.items() if n.startswith("rows.")}
    sums = {n.removeprefix("alarms."): a for n, a in state.items() if n.startswith("alarms.")}
    settings = job.train.models[stream]
    key = unit if settings.one_model_for == "unit" else "all"
    event, parts = job.score.event, []
    for r in np.unique(rows["recording"]):
        name = job.dataset.recordings[r].id
        own = {n: array[rows["recording"] == r] for n, array in rows.items()}
        told = event is not None and (event.recordings is None or name in event.recordings)
        parts.append(Scored(stream, key, int(r), name, own, sums, told))
    return parts


def monitoring_metrics(scored: list[Scored]) -> list[Metric]:
    """False alarms first, so that no figure of detection stands without them."""
    shares = (
        (
            "false_alarm_rate",
            say("False alarms (share of normal rows in alarm)"),
            [(part.alarm, part.normal) for part in scored],
        ),
        (
            "alarm_rate",
            say("Alarms (share of rows in alarm of which nothing is known)"),
            [(part.alarm, part.untold) for part in scored],
        ),
        (
            "missed_detection_rate",
            say("Missed (share of fault rows without alarm)"),
            [(~part.alarm, part.event) for part in scored],
        ),
    )
    metrics = [
        _share(name, label, [(hit, among) for hit, among in rows if among.any()])
        for name, label, rows in shares
        if any(among.any() for _, among in rows)
    ]
    return metrics + _scores_of_rows(scored)


def _scores_of_rows(scored: list[Scored]) -> list[Metric]:
    """Precision, recall and F1 over recordings that have both normal and fault rows."""
    both = [part for part in scored if part.normal.any() and part.event.any()]
    if not both:
        return []
    normal = sum(int(part.normal.sum()) for part in both)
    false = sum(int((part.alarm & part.normal).sum()) for part in both)
    event = sum(int(part.event.sum()) for part in both)
    hits = sum(int((part.alarm & part.event).sum()) for part in both)
    values = {
        term("precision"): hits / max(1, hits + false),
        term("recall"): hits / event,
        term("f1"): 2 * hits / max(1, hits + false + event),
    }
    labels = {
        "precision": say("Precision of rows"),
        "recall": say("Recall of rows"),
        "f1": say("F1 of rows"),
    }
    return [
        Metric(
            name=name,
            label=labels[name],
            value=value,
            count=event + normal,
            of=many("rows"),
            note=say("beside a false-alarm rate of {false:.1%}", false=false / normal),
        )
        for name, value in values.items()
    ]


def _share(
    name: str, label: str, rows: list[tuple[NDArray[np.bool_], NDArray[np.bool_]]]
) -> Metric:
    """A share of rows; its interval allows for recordings and neighbours that are alike."""
    hits = np.array([(hit & among).sum() for hit, among in rows])
    totals = np.array([among.sum() for _, among in rows])
    correlation = _neighbours([hit[among] for hit, among in rows])
    lower, upper, effective = share_between_units(hits, totals, correlation=correlation)
    return Metric(
        name=name,
        label=label,
        value=float(hits.sum() / totals.sum()),
        lower=lower,
        upper=upper,
        confidence=0.95,
        count=int(totals.sum()),
        of=many("rows"),
        note=say_count(
            "as sure as {effective:.0f} independent rows; one recording",
            "as sure as {effective:.0f} independent rows; {n} recordings",
            n=len(totals),
            effective=effective,
        ),
    )


def _neighbours(series: list[NDArray[np.bool_]]) -> float:
    """Correlation of a row with the next, pooled over recordings; 0 where it is not above."""
    mean = np.concatenate(series).mean()
    centred = [row - mean for row in series]
    products = sum(float((row[1:] * row[:-1]).sum()) for row in centred)
    squares = sum(float((row**2).sum()) for row in centred)
    return min(max(products / squares, 0.0), 0.99) if squares > 0 else 0.0


def _false_alarms(part: Scored, scored: list[Scored]) -> tuple[int, int]:
    """False alarms and normal rows that a recording's detection is held against."""
    own = [part] if part.normal.any() else [p for p in scored if p.stream == part.stream]
    false = sum(int((p.alarm & p.normal).sum()) for p in own)
    return false, sum(int(p.normal.sum()) for p in own)


def unit_of(job: Job, part: Scored, scored: list[Scored]) -> Unit:
    """The answer for one recording."""
    false, normal = _false_alarms(part, scored)
    values: dict[str, Any] = {}
    if normal:
        values[term("false-alarm rate")] = round(false / normal, 4)
        values |= _per_day(job, part)
    if not part.event.any():
        return _unit_without_fault(job, part, values)
    event, alarm = part.event, part.alarm
    for statistic in ("t2", "spe"):
        found = part.rows[f"{statistic}_alarm"][event]
        values[term("missed by {statistic}", statistic=statistic)] = round(
            float(1 - found.mean()), 4
        )
    hits = int((alarm & event).sum())
    values[term("detected")] = round(hits / int(event.sum()), 4)
    low, high = clopper_pearson(hits, int(event.sum()))
    # Without normal rows in the test, what the limits let through by design stands in.
    far_high = clopper_pearson(false, normal)[1] if normal else 2 * job.train.alpha
    word = _detection_word(low > far_high, hits / int(event.sum()), high)
    first = np.flatnonzero(alarm & event)
    start = int(np.flatnonzero(event)[0])
    if len(first):
        values[term("rows to the first alarm")] = int(first[0]) - start
    return Unit(
        id=part.name,
        verdict=word,
        sentence=(
            (
                say(
                    "{hits} of {total} fault rows in alarm, {false} of {normal} normal rows",
                    hits=hits,
                    total=int(event.sum()),
                    false=false,
                    normal=normal,
                )
                if normal
                else say(
                    "{hits} of {total} fault rows in alarm, no normal rows to compare with",
                    hits=hits,
                    total=int(event.sum()),
                )
            )
            + _why_not(word)
        ),
        values=values,
    )


def _unit_without_fault(job: Job, part: Scored, values: dict[str, Any]) -> Unit:
    """Whether a recording without a known fault still runs as it did."""
    hits, total = int((part.alarm & part.tested).sum()), int(part.tested.sum())
    low, high, _ = share_between_units(
        np.array([hits]),
        np.array([total]),
        correlation=_neighbours([part.alarm[part.tested]]),
    )
    expected = 2 * job.train.alpha
    word = CHANGED if low > expected else AS_BEFORE if high <= 2 * expected else term("unclear")
    return Unit(
        id=part.name,
        verdict=word,
        sentence=say(
            "{hits} of {total} tested rows are in alarm ({hits_2:.1%}); {expected:.0%} at "
            "most would be if nothing had changed",
            hits=hits,
            total=total,
            hits_2=hits / total,
            expected=expected,
        ),
        values=values | {term("in alarm"): round(hits / total, 4)},
    )


def _per_day(job: Job, part: Scored) -> dict[str, float]:
    """Starts of false alarms per day of normal operation, where rows have a rate."""
    rate = float(job.dataset.streams[part.stream].rate_hz[part.recording])
    if not np.isfinite(rate) or not part.normal.any():
        return {}
    alarm = (part.alarm & part.normal).astype(np.int64)
    starts = int((np.diff(alarm, prepend=0) > 0).sum())
    return {term("false alarms a day"): round(starts / (part.normal.sum() / rate / _DAY_S), 3)}


def _detection_word(stands_out: bool, share: float, high: float) -> str:  # noqa: FBT001
    """The short verdict on a fault, by whether its alarms stand out from false ones."""
    if stands_out:
        return term("detected") if share >= _HALF else term("partly detected")
    # With few rows of the fault even a good model proves nothing.
    return NOT_DETECTABLE if high < _HALF else term("unclear")


def _why_not(word: str) -> str:
    """What is said of a fault that does not stand out."""
    if word == NOT_DETECTABLE:
        return say(": not detectable with this model")
    if word == "unclear":
        return say(": no more often than false alarms explain, which may be chance")
    return ""


def row_table(scored: list[Scored]) -> dict[str, NDArray[Any]]:
    """One row a row of the data."""
    words = np.array(["none", "train", "calibrate", "test"], dtype=object)
    columns: dict[str, list[NDArray[Any]]] = {}
    for part in scored:
        columns.setdefault("recording", []).append(
            np.full(len(part.rows["row"]), part.name, dtype=object)
        )
        for name in ("row", "t2", "spe", "t2_alarm", "spe_alarm", "event", "missing"):
            columns.setdefault(name, []).append(part.rows[name])
        columns.setdefault("phase", []).append(words[part.rows["phase"] + 1])
    return {name: np.concatenate(arrays) for name, arrays in columns.items()}
