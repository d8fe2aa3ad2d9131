"""What a report shows of an emission model beside its verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lumipipe.families.emission_hours import FAILED, PERIOD, STATES, period_ns
from lumipipe.families.sensors import LEAST_TOLD
from lumipipe.reporting.figures.declared import Chart, Column, Limit, Panel, Table
from lumipipe.reporting.result import Section
from lumipipe.uncertainty.adaptive import adapt

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lumipipe.families.emission_audits import Audits
    from lumipipe.families.emission_metrics import Monitor
    from lumipipe.reporting.figures.declared import Figure

_NEAR_ROWS, _FAILED_ROWS = 12, 8
"""Of so many rows, so many: then a sensor is said to have failed, not to have had odd rows."""
_A_YEAR_NS = 31_536_000_000_000_000
_RATE = 0.005  # of the adaptive interval


class SensorRow(NamedTuple):
    """What was found of one sensor in the tested rows."""

    name: str
    unit: str
    told: float
    limit: float
    flagged: int
    densest: int
    off: float | None
    first: int | None

    @property
    def has_failed(self) -> bool:
        """Whether it was odd for long enough."""
        return self.densest >= _FAILED_ROWS

    @property
    def is_validated(self) -> bool:
        """Whether the others tell it well enough to find a fault of it, and a limit is known."""
        return self.told >= LEAST_TOLD and bool(np.isfinite(self.limit))

    @property
    def words(self) -> str:
        """The sensor and its failure in words."""
        by = ""
        if self.off is not None:
            by = f", {abs(self.off):.3g} {self.unit} {'high' if self.off > 0 else 'low'}"
        return f"{self.name} ({self.flagged} rows{by})"


def sensor_rows(monitor: Monitor) -> list[SensorRow]:
    """Each sensor: how well the others tell it, and the tested rows in which it has failed."""
    hours = monitor.hours
    rows, found, arrays = hours.test, hours.scores.regression, hours.scores.model.arrays
    scale, told = arrays["others_scale"][-1], []
    for number, (name, unit) in enumerate(
        zip(found.inputs, hours.scores.units_of(found.inputs), strict=True)
    ):
        failed = (rows["state"] == FAILED) & (rows["suspect"] == number)
        at = np.flatnonzero(failed)
        limit = float(arrays["sensor_limit"][number] * scale[number])
        told.append(
            SensorRow(
                name,
                f"log of {unit}" if name in found.settings.log else unit,
                float(arrays["sensor_told"][number]),
                limit,
                int(failed.sum()),
                _densest(failed),
                _median_or_none(rows["excess"][failed, number] * limit),
                int(at[0]) if len(at) else None,
            )
        )
    return told


def _median_or_none(values: NDArray[np.float64]) -> float | None:
    """The median; None without values, or where it is infinite."""
    middle = float(np.median(values)) if len(values) else np.nan
    return middle if np.isfinite(middle) else None


def _densest(flags: NDArray[np.bool_]) -> int:
    """The most flags in neighbouring rows."""
    total = np.concatenate([[0], np.cumsum(flags)])
    near = min(_NEAR_ROWS, len(flags))
    return int((total[near:] - total[: len(total) - near]).max(initial=0))


def average_name(monitor: Monitor, number: int) -> str:
    """Name of an average: its recording and its rows, or when it begins."""
    scores, averages = monitor.hours.scores, monitor.averages
    recording = scores.job.dataset.recordings[averages.recording[number]].id
    if PERIOD in monitor.hours.test:
        begin = int(averages.period[number]) * period_ns(scores.job.score.averages.hours)
        if begin > _A_YEAR_NS:  # times since 1970, not since the recording's start
            return f"{recording} from {np.datetime64(begin, 'ns').astype('datetime64[m]')} UTC"
        return f"{recording} from {begin / 3.6e12:g} h"
    first = int(averages.first_row[number])
    return f"{recording} row {first} on"


def monitor_sections(monitor: Monitor) -> list[Section]:
    """Rule, audits, sensors, averages, intervals that follow the drift."""
    return [
        _rule_section(monitor),
        _audit_section(monitor),
        _sensor_section(monitor),
        _average_section(monitor),
        _adaptive_section(monitor),
    ]


def _rule_section(monitor: Monitor) -> Section:
    """The rows of the rule table, and what was measured where."""
    job = monitor.hours.scores.job
    asset, reference = job.asset, job.asset.reference
    per_ppm = (
        f"; 1 ppm is {asset.per_ppm:g} {monitor.hours.scores.channel[1]}" if asset.per_ppm else ""
    )
    return Section(
        title="What the verdict rests on",
        paragraphs=[
            (
                f"That {job.score.least_share:.0%} of all audits must keep a limit is asked by "
                "this request: a rule judges one audit at a time."
            ),
            (
                f"{asset.installation}, emission point {asset.emission_point}: {asset.pollutant}; "
                f"reference conditions {asset.reference_conditions}{per_ppm}. Reference: "
                f"{reference.method}, laboratory {reference.laboratory}."
            ),
        ],
    )


def _audit_section(monitor: Monitor) -> Section:
    """Relative accuracy of each audit."""
    audits = monitor.audits
    met, known = monitor.limits.meets_accuracy(audits)
    most = {row.limits.get("most") for row in monitor.limits.used(audits)[2:] if row.unit == "%"}
    limits = [
        Limit(value=float(value), label=f"limit {value:g} %", style="theoretical")
        for value in sorted(v for v in most if isinstance(v, float))
    ]
    figures = []
    if len(audits.first):
        x, y = _with_gaps(audits)
        figures.append(
            Chart(
                kind="chart",
                title="Relative accuracy of each audit",
                caption=f"Each audit is {audits.runs} rows that follow each other; low is good.",
                alt="Relative accuracy of the audits along the tested rows, with the limit.",
                x=x,
                x_label="tested row",
                panels=[
                    Panel(
                        y=y,
                        y_label="relative accuracy, %",
                        limits=limits,
                    )
                ],
            )
        )
    return Section(
        title="Audits",
        paragraphs=[
            (
                f"{len(audits.first)} audits of {audits.runs} valid rows each, none overlapping: "
                f"{int(met.sum())} of {int(known.sum())} with a limit keep it, "
                f"{int(audits.biased.sum())} show a model that reads low. With the hours that do "
                f"not count there would be {len(monitor.all_audits.first)} audits, of which "
                f"{int(monitor.limits.meets_accuracy(monitor.all_audits)[0].sum())} keep it."
            )
        ],
        figures=figures,
    )


def _with_gaps(audits: Audits) -> tuple[list[float], list[float | None]]:
    """First row and relative accuracy of audits, with a gap where rows lie between them."""
    x, y = list[float](), list[float | None]()
    for place, (first, value) in enumerate(zip(audits.first, audits.accuracy, strict=True)):
        if place and first > audits.first[place - 1] + 2 * audits.runs:
            x.append(float(first))
            y.append(None)
        x.append(float(first))
        y.append(float(value) if np.isfinite(value) else None)
    return x, y


def _sensor_section(monitor: Monitor) -> Section:
    """Sensor validation and the operating envelope."""
    rows = sensor_rows(monitor)
    state = monitor.hours.test["state"]
    shares = ", ".join(
        f"{name} {np.mean(state == number):.1%}" if len(state) else name
        for number, name in enumerate(STATES)
    )
    return Section(
        title="Sensors and operating envelope",
        paragraphs=[
            f"Of the tested rows: {shares}.",
            (
                "Each input is predicted from the others. A sensor has failed in a row where it is "
                "further from that than left-out rows are, and where the others' word in its place "
                "makes all sensors agree and brings the row inside the envelope; otherwise the row "
                f"is outside the envelope. Sensors with {_FAILED_ROWS} such rows of {_NEAR_ROWS} "
                "are named on page 1. A change of the plant that shows in one sensor alone looks "
                f"the same. A sensor of which the others tell less than {LEAST_TOLD:.0%} of the "
                "variance is not validated."
            ),
        ],
        figures=[
            Table(
                kind="table",
                title="Sensors",
                caption="What is told and the limit are of left-out training rows.",
                alt="How well each sensor is told by the others, and rows in which it has failed.",
                columns=[
                    Column(label="sensor"),
                    Column(label="unit"),
                    Column(label="told by the others"),
                    Column(label="limit"),
                    Column(label="failed", unit="rows"),
                    Column(label=f"most of {_NEAR_ROWS}", unit="rows"),
                    Column(label="reads high by, median"),
                    Column(label="first failed row"),
                ],
                rows=[
                    [
                        row.name,
                        row.unit,
                        f"{max(0.0, row.told):.0%}"
                        + ("" if row.is_validated else ", not validated"),
                        row.limit if np.isfinite(row.limit) else None,
                        row.flagged,
                        row.densest,
                        row.off,
                        row.first,
                    ]
                    for row in rows
                ],
            )
        ],
    )


def _average_section(monitor: Monitor) -> Section:
    """Averages, and what does not average out."""
    averages, parts = monitor.averages, monitor.parts
    name, unit = monitor.hours.scores.channel
    if parts is None:
        return Section(
            title="Averages",
            paragraphs=[
                (
                    "No interval of an average is given: rows were dealt at random, or nothing was "
                    "left out for long enough to show how averages err."
                )
            ],
        )
    least = monitor.hours.scores.job.score.averages.least_capture
    u_reference = f"{parts.reference:.3g} {unit}" if parts.reference is not None else "not stated"
    lengths = sorted({1, monitor.average_rows, 30 * monitor.average_rows})
    table = Table(
        kind="table",
        title="Standard uncertainty of an average",
        caption="More rows shrink the independent part alone.",
        alt="Independent and shared parts of the uncertainty of averages of several lengths.",
        columns=[
            Column(label="rows"),
            Column(label="independent", unit=unit),
            Column(label="model, shared", unit=unit),
            Column(label="reference, shared", unit=unit),
            Column(label="combined", unit=unit),
        ],
        rows=[
            [
                rows,
                parts.independent / rows**0.5,
                parts.shared,
                parts.reference,
                float(parts.u(rows, reference=True)[0]),
            ]
            for rows in lengths
        ],
    )
    figures: list[Figure] = [table]
    coverage = monitor.hours.scores.regression.coverage
    use = monitor.given & (averages.paired > 0)
    if use.any():
        half = float(parts.factor * parts.u(monitor.average_rows, reference=False)[0])
        limits = [
            Limit(value=sign * half, label="promised half-width", style="empirical")
            for sign in (1.0, -1.0)
        ]
        figures.append(
            Chart(
                kind="chart",
                title=f"Averages of {name}: predicted less measured",
                caption=f"{coverage:.0%} were promised to lie between the lines.",
                alt="Errors of averages in order, with the half-width of their intervals.",
                x=list(range(len(use))),
                x_label="average",
                panels=[
                    Panel(
                        y=[
                            -float(e) if u else None
                            for e, u in zip(averages.error, use, strict=True)
                        ],
                        y_label=f"error, {unit}",
                        limits=limits if np.isfinite(half) else [],
                    )
                ],
            )
        )
    return Section(
        title="Averages",
        paragraphs=[
            (
                f"An average of {monitor.average_rows} rows is given where {least:.0%} of them are "
                "valid. How averages err was learnt from "
                f"{parts.averages} averages of left-out rows: the spread within them is "
                f"{parts.independent:.3g} {unit} from row to row and shrinks with the root of "
                f"their number; the spread of their means beyond that, bias included, is "
                f"{parts.shared:.3g} {unit} and does not. Residuals of neighbouring rows correlate "
                f"by {parts.correlation:.2f}, which is why the root alone would promise too much. "
                f"What the reference's readings share: {u_reference}. Intervals are "
                f"{parts.factor:.2f} standard uncertainties wide to each side, which held "
                f"{coverage:.0%} of the left-out averages."
            )
        ],
        figures=figures,
    )


def _adaptive_section(monitor: Monitor) -> Section:
    """The interval of a row as it was set, and one that follows the analyser."""
    rows, past = monitor.hours.valid, monitor.hours.left_out
    scores, coverage = monitor.hours.scores, monitor.hours.scores.regression.coverage
    before = np.abs(past["truth"] - past["prediction"])
    before = before[np.isfinite(before)]
    if not len(rows["row"]) or not len(before):
        return Section(
            title="Intervals that follow the drift",
            paragraphs=["Not shown: nothing was left out before the tested rows to begin with."],
        )
    size = np.abs(rows["truth"] - rows["prediction"])
    adapted = adapt(size, before, coverage, rate=_RATE)
    static = float(scores.covered(rows).mean())
    finite = adapted.half_widths[np.isfinite(adapted.half_widths)]
    without = len(size) - len(finite)
    _, unit = scores.channel
    return Section(
        title="Intervals that follow the drift",
        paragraphs=[
            (
                f"The interval of a valid row, set on left-out rows before the tested ones, held "
                f"{static:.1%} where {coverage:.0%} were promised; its half-width is "
                f"{np.median(rows['half_width']):.3g} {unit}. Where the analyser keeps running "
                f"and each of its readings moves the interval (rate {_RATE:g} a row), "
                f"{adapted.achieved:.1%} are held with a median half-width of "
                f"{np.median(finite) if len(finite) else float('inf'):.3g} {unit} and {without} "
                "rows without bound. A monitor that replaces the analyser has no such readings."
            )
        ],
    )
