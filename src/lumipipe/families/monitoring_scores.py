"""The judged rows of the family `monitoring`: false alarms, detection, a verdict a recording."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from lumipipe.reporting.result import Metric, Unit
from lumipipe.uncertainty.proportions import clopper_pearson, share_between_units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.interface import Job

METRICS = ("false_alarm_rate", "missed_detection_rate", "precision", "recall", "f1")
NOT_DETECTABLE = "not detectable"
_TEST = 2
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

    @property
    def alarm(self) -> NDArray[np.bool_]:
        """Rows on which T² or SPE is above its limit."""
        return np.asarray(self.rows["t2_alarm"] | self.rows["spe_alarm"])

    @property
    def tested(self) -> NDArray[np.bool_]:
        """Rows that test."""
        return np.asarray(self.rows["phase"] == _TEST)

    @property
    def normal(self) -> NDArray[np.bool_]:
        """Tested rows outside the known fault."""
        return np.asarray(self.tested & ~self.rows["event"])

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
    parts = []
    for r in np.unique(rows["recording"]):
        mine = rows["recording"] == r
        name = job.dataset.recordings[r].id
        parts.append(Scored(stream, key, int(r), name, {n: a[mine] for n, a in rows.items()}, sums))
    return parts


def monitoring_metrics(scored: list[Scored]) -> list[Metric]:
    """False alarms first, so that no figure of detection stands without them."""
    normal = np.array([part.normal.sum() for part in scored])
    false = np.array([(part.alarm & part.normal).sum() for part in scored])
    event = np.array([part.event.sum() for part in scored])
    hits = np.array([(part.alarm & part.event).sum() for part in scored])
    metrics = []
    if normal.sum():
        metrics.append(
            _share(
                "false_alarm_rate",
                "False alarms (share of normal rows in alarm)",
                false[normal > 0],
                normal[normal > 0],
            )
        )
    if event.sum():
        missed = (event - hits)[event > 0]
        metrics.append(
            _share(
                "missed_detection_rate",
                "Missed (share of fault rows without alarm)",
                missed,
                event[event > 0],
            )
        )
        metrics += _scores_of_rows(scored)
    return metrics


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
        "precision": hits / max(1, hits + false),
        "recall": hits / event,
        "f1": 2 * hits / max(1, hits + false + event),
    }
    labels = {"precision": "Precision of rows", "recall": "Recall of rows", "f1": "F1 of rows"}
    return [
        Metric(
            name=name,
            label=labels[name],
            value=value,
            count=event + normal,
            of="rows",
            note=f"beside a false-alarm rate of {false / normal:.1%}",
        )
        for name, value in values.items()
    ]


def _share(name: str, label: str, hits: NDArray[np.int64], totals: NDArray[np.int64]) -> Metric:
    """A share of rows with its interval over recordings."""
    lower, upper, effective = share_between_units(hits, totals)
    return Metric(
        name=name,
        label=label,
        value=float(hits.sum() / totals.sum()),
        lower=lower,
        upper=upper,
        confidence=0.95,
        count=int(totals.sum()),
        of="rows",
        note=f"as sure as {effective:.0f} independent rows; {len(totals)} recording(s)",
    )


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
        values["false-alarm rate"] = round(false / normal, 4)
        values |= _per_day(job, part)
    if not part.event.any():
        share = float((part.alarm & part.tested).sum() / part.tested.sum())
        return Unit(
            id=part.name,
            verdict="no known fault",
            sentence=f"{share:.1%} of the tested rows are in alarm",
            values=values,
        )
    event, alarm = part.event, part.alarm
    for statistic in ("t2", "spe"):
        found = part.rows[f"{statistic}_alarm"][event]
        values[f"missed by {statistic}"] = round(float(1 - found.mean()), 4)
    hits = int((alarm & event).sum())
    values["detected"] = round(hits / int(event.sum()), 4)
    low, high = clopper_pearson(hits, int(event.sum()))
    # Without normal rows in the test, what the limits let through by design stands in.
    far_high = clopper_pearson(false, normal)[1] if normal else 2 * job.train.alpha
    word = _detection_word(low > far_high, hits / int(event.sum()), high)
    first = np.flatnonzero(alarm & event)
    start = int(np.flatnonzero(event)[0])
    if len(first):
        values["rows to the first alarm"] = int(first[0]) - start
    return Unit(
        id=part.name,
        verdict=word,
        sentence=(
            f"{hits} of {int(event.sum())} fault rows in alarm, "
            + (f"{false} of {normal} normal rows" if normal else "no normal rows to compare with")
            + (": not detectable with this model" if word == NOT_DETECTABLE else "")
        ),
        values=values,
    )


def _per_day(job: Job, part: Scored) -> dict[str, float]:
    """Starts of false alarms per day of normal operation, where rows have a rate."""
    rate = float(job.dataset.streams[part.stream].rate_hz[part.recording])
    if not np.isfinite(rate) or not part.normal.any():
        return {}
    alarm = (part.alarm & part.normal).astype(np.int64)
    starts = int((np.diff(alarm, prepend=0) > 0).sum())
    return {"false alarms a day": round(starts / (part.normal.sum() / rate / _DAY_S), 3)}


def _detection_word(stands_out: bool, share: float, high: float) -> str:  # noqa: FBT001
    """The short verdict on a fault, by whether its alarms stand out from false ones."""
    if stands_out:
        return "detected" if share >= _HALF else "partly detected"
    # With few rows of the fault even a good model proves nothing.
    return NOT_DETECTABLE if high < _HALF else "unclear"


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
